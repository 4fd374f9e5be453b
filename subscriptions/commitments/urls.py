"""The addresses of commitments and renewals."""

from django.urls import URLPattern, URLResolver, path

from subscriptions.commitments import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("renewals/", views.RenewalsDue.as_view(), name="renewals"),
    path("items/<int:pk>/commitments/", views.commitments, name="commitments"),
]
