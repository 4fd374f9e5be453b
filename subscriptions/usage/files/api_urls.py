"""The addresses of files of usage in the API."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from subscriptions.usage.files.api import UsageFileViewSet

router = SimpleRouter(trailing_slash=False)
router.register("usage/files", UsageFileViewSet, basename="api-usage-file")
urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
