"""The addresses of alerts."""

from django.urls import path

from subscriptions.usage.alerts import views

HERE = "usage/alerts/"
urlpatterns = [
    path(HERE, views.SentList.as_view(), name="usage-alerts"),
    path(f"{HERE}<int:pk>/", views.edit, name="usage-alert"),
    path(f"{HERE}<int:pk>/remove/", views.remove, name="usage-alert-remove"),
    path(f"{HERE}of-account/<int:pk>/", views.of_account, name="usage-alerts-of-account"),
    path(f"{HERE}of-account/<int:pk>/new/", views.new_of_account, name="usage-alert-of-account"),
    path(f"{HERE}of-service/<int:pk>/", views.of_service, name="usage-alerts-of-service"),
    path(f"{HERE}of-service/<int:pk>/new/", views.new_of_service, name="usage-alert-of-service"),
    path(
        f"{HERE}of-subscription/<int:pk>/",
        views.of_subscription,
        name="usage-alerts-of-subscription",
    ),
]
