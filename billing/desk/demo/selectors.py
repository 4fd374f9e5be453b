"""What the demo amounts to, counted in the database."""

from collections.abc import Sequence
from decimal import Decimal

from django.db.models import Exists, OuterRef, Sum

from billing.models import Invoice, ParkedAccount, Payment
from o2b.customers.models import LegalEntity
from o2b.money import quantise
from orders.models import Approval, Order, OrderLine, Task
from quotes.models import Quote
from subscriptions.models import ServiceState, Subscription


def figures(sellers: Sequence[str]) -> dict[str, object]:
    """The demo's figures, of its sellers' accounts; amounts as plain strings, of the first one."""
    first = LegalEntity.objects.get(code=sellers[0])
    mine = {"account__legal_entity__code__in": sellers}
    unfinished = OrderLine.objects.filter(order=OuterRef("pk")).exclude(
        state=OrderLine.State.COMPLETED
    )
    invoices = Invoice.objects.filter(legal_entity=first)
    payments = Payment.objects.filter(account__legal_entity=first)
    return {
        "quotes_accepted": Quote.objects.filter(state=Quote.State.ACCEPTED, **mine).count(),
        "orders_completed": Order.objects.filter(~Exists(unfinished), **mine).count(),
        "subscriptions_active": Subscription.objects.filter(
            state=ServiceState.ACTIVE, **mine
        ).count(),
        "invoices_finalised": Invoice.objects.filter(legal_entity__code__in=sellers).count(),
        "billed": _sum(invoices.aggregate(s=Sum("net")), first),
        "paid": _sum(payments.aggregate(s=Sum("amount")), first),
        "parked": ParkedAccount.objects.filter(run__legal_entity__code__in=sellers).count(),
        "orders_placed": Order.objects.filter(**mine).count(),
        "tasks_done": Task.objects.filter(state=Task.State.DONE, **mine).count(),
        "lines_in_fallout": OrderLine.objects.filter(state=OrderLine.State.FALLOUT, **mine).count(),
        "approvals_asked": Approval.objects.filter(state=Approval.State.ASKED, **mine).count(),
    }


def _sum(found: dict[str, Decimal | None], entity: LegalEntity) -> str:
    return f"{quantise(found['s'] or Decimal(0), entity.currency):f}"
