"""Accept a quote and place its order in one transaction, or decline it."""

from datetime import datetime
from typing import cast

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.errors import Refused
from orders.laying.services import NewLine, lock_account, write_order
from orders.models import Order
from quotes import services as quoting
from quotes.models import Quote, QuoteLine


class AlreadyOrdered(Refused):
    """The quote was accepted before; its order is told with the refusal."""

    code = "already_ordered"

    def __init__(self, order: Order) -> None:
        message = _("This offer was accepted already: it became order %(order)s.")
        super().__init__(
            message % {"order": order}, order_id=order.pk, url=order.get_absolute_url()
        )
        self.order = order

    @property
    def order_id(self) -> int:
        return cast(int, self.order.pk)


@transaction.atomic
def place_order(
    *,
    quote_id: int,
    by: str,
    at: datetime,
    actor_id: int | None = None,
    channel: str = Order.Channel.QUOTE,
) -> Order:
    """Accept the quote for `by` and order exactly what it offered, under the very same Terms."""
    account_id = Quote.objects.values_list("account_id", flat=True).get(pk=quote_id)
    account = lock_account(account_id=account_id)
    if order := Order.objects.filter(quote_id=quote_id).first():
        raise AlreadyOrdered(order)
    quote = quoting.accept_quote(quote_id=quote_id, by=by, at=at, actor_id=actor_id)
    offered = QuoteLine.objects.filter(quote=quote).select_related("product_version")
    return write_order(
        account=account,
        channel=channel,
        lines=[_as_offered(line) for line in offered.order_by("position")],
        at=at,
        actor_id=actor_id,
        quote_id=quote.pk,
        start_on=quote.start_on,
    )


def decline_offer(
    *, quote_id: int, reason: str, at: datetime, by: str = "", actor_id: int | None = None
) -> Quote:
    """Note that the customer does not want it, and why."""
    return quoting.decline_quote(quote_id=quote_id, reason=reason, at=at, by=by, actor_id=actor_id)


def _as_offered(line: QuoteLine) -> NewLine:
    return NewLine(
        product_id=line.product_version.product_id,
        product_version_id=line.product_version_id,
        quantity=line.quantity,
        characteristics=line.characteristics,
        terms_id=cast(int, line.terms_id),  # a sent quote's lines all have Terms
        book_version_id=line.book_version_id,
        contract_id=line.contract_id,
        quote_line_id=line.pk,
    )
