"""REST of the catalog: products, books, meters, decks, and which price an account gets and why."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from o2b.catalog.api.decks import RateDeckViewSet
from o2b.catalog.api.meters import MeterViewSet
from o2b.catalog.api.views import PriceBookViewSet, ProductViewSet

router = SimpleRouter(trailing_slash=False)
router.register("catalog/products", ProductViewSet, basename="api-product")
router.register("catalog/price-books", PriceBookViewSet, basename="api-price-book")
router.register("meters", MeterViewSet, basename="api-meter")
router.register("rate-decks", RateDeckViewSet, basename="api-rate-deck")
urlpatterns = [path("", include(router.urls))]
