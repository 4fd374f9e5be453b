"""The addresses of usage in the API."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from subscriptions.usage.api import UsageViewSet

router = SimpleRouter(trailing_slash=False)
router.register("usage", UsageViewSet, basename="api-usage")
urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
