"""The addresses of subscriptions in the API."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from subscriptions.api.views import SubscriptionViewSet

router = SimpleRouter(trailing_slash=False)
router.register("subscriptions", SubscriptionViewSet, basename="api-subscription")
urlpatterns = [
    path("", include(router.urls)),
    path("", include("subscriptions.entitlements.urls")),
    path("", include("subscriptions.commitments.api_urls")),
]
