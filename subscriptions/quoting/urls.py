"""The addresses of the editor of quotes of changes."""

from django.urls import URLPattern, URLResolver, path

from subscriptions.quoting import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("quotes/new/", views.new, name="quote-new"),
    path("quotes/<int:pk>/edit/", views.edit, name="quote-edit"),
]
