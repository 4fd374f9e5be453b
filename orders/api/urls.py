"""The addresses of orders in the API, and of the answers to quotes."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from orders.api.bulk import BulkViewSet
from orders.api.care import ComplaintViewSet
from orders.api.fallout import FalloutViewSet, SystemViewSet
from orders.api.views import AnswerViewSet, OrderViewSet
from orders.api.work import OrderLineViewSet, TaskViewSet

router = SimpleRouter(trailing_slash=False)
router.register("orders/bulk", BulkViewSet, basename="api-bulk")
router.register("orders", OrderViewSet, basename="api-order")
router.register("order-lines", OrderLineViewSet, basename="api-order-line")
router.register("tasks", TaskViewSet, basename="api-task")
router.register("fallout", FalloutViewSet, basename="api-fallout")
router.register("systems", SystemViewSet, basename="api-system")
router.register("complaints", ComplaintViewSet, basename="api-complaint")
router.register("quotes", AnswerViewSet, basename="api-quote-answer")
urlpatterns = [path("", include(router.urls))]
