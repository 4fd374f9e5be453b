"""Which running orders were sold by a price book: they keep their Terms whatever it says next."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from o2b.asks import Affected, Impact
from o2b.catalog.publications import MOST_EXAMPLES, Reach
from o2b.catalog.resolution import period_price
from o2b.charging.terms import from_canonical
from orders.models import OrderLine

OVER = (OrderLine.State.COMPLETED, OrderLine.State.CANCELLED)


def reached_orders(reach: Reach, *, shown: bool) -> list[Impact]:
    """Lines of orders that are not over and whose price came from the book."""
    lines = OrderLine.objects.filter(book_version__book=reach.version.book_id).exclude(
        state__in=OVER
    )
    total = lines.count()
    reason = _("is ordered: its Terms are frozen")
    if not total:
        return []
    examples = _examples(lines, reason) if shown else []
    return [Impact("order", _("Order lines"), False, reason, total, examples)]


def _examples(lines: QuerySet[OrderLine], reason: str) -> list[Affected]:
    first = lines.select_related("order", "terms").order_by("pk")[:MOST_EXAMPLES]
    told = []
    for line in first:
        costs = period_price(from_canonical(line.terms.body).charges, line.quantity)
        url = line.order.get_absolute_url()
        currency = line.terms.currency
        told.append(Affected("order", str(line), url, False, reason, costs, costs, currency))
    return told
