"""The addresses of quotes in the API."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from quotes.api.views import QuoteViewSet

router = SimpleRouter(trailing_slash=False)
router.register("quotes", QuoteViewSet, basename="api-quote")
urlpatterns = [path("", include(router.urls))]
