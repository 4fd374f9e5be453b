"""REST of the catalog: products, price books, and which price an account gets and why."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from o2b.catalog.api.views import PriceBookViewSet, ProductViewSet

router = SimpleRouter(trailing_slash=False)
router.register("catalog/products", ProductViewSet, basename="api-product")
router.register("catalog/price-books", PriceBookViewSet, basename="api-price-book")
urlpatterns = [path("", include(router.urls))]
