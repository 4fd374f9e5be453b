"""The addresses of alerts in the API."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from subscriptions.usage.alerts.api import AlertViewSet, SentViewSet

router = SimpleRouter(trailing_slash=False)
router.register("usage/alerts", AlertViewSet, basename="api-usage-alert")
urlpatterns: list[URLPattern | URLResolver] = [
    path("usage/alerts/sent", SentViewSet.as_view({"get": "list"}), name="api-usage-alerts-sent"),
    path("", include(router.urls)),
]
