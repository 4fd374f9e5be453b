"""Questions about purchases: the list, one with its receipts, which are late."""

from datetime import date

from django.db.models import Q, QuerySet

from orders.models import OrderLine, PurchaseOrder

P = PurchaseOrder.State
OPEN = (P.SENT, P.PARTLY)
LATE = "late"


def purchases_for_list() -> QuerySet[PurchaseOrder]:
    """Every purchase with what a list shows of it."""
    return PurchaseOrder.objects.select_related("line", "account__customer", "account__test_clock")


def late(*, on: date) -> Q:
    """Expected before that day, and not all there."""
    return Q(state__in=OPEN, expected_on__lt=on)


def get_purchase(purchase_id: int) -> PurchaseOrder:
    rows = PurchaseOrder.objects.select_related(
        "task", "line__product_version__product", "account__customer", "account__test_clock"
    )
    related = rows.select_related("account__legal_entity", "account__advocate")
    return related.prefetch_related("receipts__by").get(pk=purchase_id)


def purchase_of_task(task_id: int) -> PurchaseOrder | None:
    rows = PurchaseOrder.objects.select_related("line", "account__legal_entity")
    return rows.filter(task=task_id).first()


def is_given_up(purchase: PurchaseOrder) -> bool:
    """Whether the line that it is for is being cancelled."""
    return purchase.line.state == OrderLine.State.CANCELLING
