"""The addresses of entitlements in the API."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from subscriptions.entitlements.api import EntitlementViewSet

router = SimpleRouter(trailing_slash=False)
router.register("entitlements", EntitlementViewSet, basename="api-entitlement")
urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
