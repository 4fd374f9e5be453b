"""What the demo amounts to, counted in the database."""

from decimal import Decimal

from django.db.models import Exists, OuterRef, Sum

from billing.models import Invoice, ParkedAccount, Payment
from o2b.customers.models import LegalEntity
from o2b.money import quantise
from orders.models import Order, OrderLine
from quotes.models import Quote
from subscriptions.models import ServiceState, Subscription


def figures(entity: LegalEntity) -> dict[str, object]:
    """The demo's seven figures, of one seller's accounts; amounts as plain strings."""
    mine = {"account__legal_entity": entity}
    unfinished = OrderLine.objects.filter(order=OuterRef("pk")).exclude(
        state=OrderLine.State.COMPLETED
    )
    return {
        "quotes_accepted": Quote.objects.filter(state=Quote.State.ACCEPTED, **mine).count(),
        "orders_completed": Order.objects.filter(~Exists(unfinished), **mine).count(),
        "subscriptions_active": Subscription.objects.filter(
            state=ServiceState.ACTIVE, **mine
        ).count(),
        "invoices_finalised": Invoice.objects.filter(legal_entity=entity).count(),
        "billed": _sum(Invoice.objects.filter(legal_entity=entity).aggregate(s=Sum("net")), entity),
        "paid": _sum(Payment.objects.filter(**mine).aggregate(s=Sum("amount")), entity),
        "parked": ParkedAccount.objects.filter(run__legal_entity=entity).count(),
    }


def _sum(found: dict[str, Decimal | None], entity: LegalEntity) -> str:
    return f"{quantise(found['s'] or Decimal(0), entity.currency):f}"
