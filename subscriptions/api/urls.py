"""The addresses of subscriptions in the API."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from subscriptions.api.lists import EndingViewSet, InstalledViewSet, PlannedViewSet
from subscriptions.api.views import SubscriptionViewSet

router = SimpleRouter(trailing_slash=False)
router.register("subscriptions", SubscriptionViewSet, basename="api-subscription")
urlpatterns = [
    path("", include(router.urls)),
    path("planned-changes", PlannedViewSet.as_view({"get": "list"}), name="api-planned-changes"),
    path("services-ending", EndingViewSet.as_view({"get": "list"}), name="api-services-ending"),
    path("install-base", InstalledViewSet.as_view({"get": "list"}), name="api-install-base"),
    path("", include("subscriptions.entitlements.urls")),
    path("", include("subscriptions.commitments.api_urls")),
    path("", include("subscriptions.quoting.api_urls")),
    path("", include("subscriptions.pools.api.urls")),
    path("", include("subscriptions.usage.api_urls")),
    path("", include("subscriptions.usage.alerts.api_urls")),
    path("", include("subscriptions.usage.files.api_urls")),
]
