"""The addresses of the install base."""

from django.urls import URLPattern, URLResolver, path

from subscriptions.installbase import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("install-base/", views.InstallBase.as_view(), name="install-base"),
    path("install-base/<int:pk>/", views.item, name="item"),
]
