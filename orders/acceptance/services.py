"""Accept a quote and place its order in one transaction, or decline it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.errors import Refused
from orders.laying.services import NewLine, NewOrder, lock_accounts, write_orders
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


def place_order(
    *,
    quote_id: int,
    by: str,
    at: datetime,
    actor_id: int | None = None,
    channel: str = Order.Channel.QUOTE,
) -> Order:
    """Accept the quote for `by` and order exactly what it offered, under the very same Terms."""
    return place_orders(accepted={quote_id: by}, at=at, actor_id=actor_id, channel=channel)[0]


@transaction.atomic
def place_orders(
    *,
    accepted: Mapping[int, str],
    at: datetime,
    actor_id: int | None = None,
    channel: str = Order.Channel.QUOTE,
) -> list[Order]:
    """Accept many quotes, each for whom it says, and order what they offered; all or none."""
    owners = dict(Quote.objects.filter(pk__in=accepted).values_list("pk", "account_id"))
    if missing := accepted.keys() - owners.keys():
        raise Quote.DoesNotExist(f"there is no quote {min(missing)}")
    accounts = lock_accounts(account_ids=set(owners.values()))
    if order := Order.objects.filter(quote__in=accepted).first():
        raise AlreadyOrdered(order)
    quotes = quoting.accept_quotes(accepted=accepted, at=at, actor_id=actor_id)
    offered: dict[int, list[NewLine]] = defaultdict(list)
    lines = QuoteLine.objects.filter(quote__in=accepted).select_related("product_version")
    for line in lines.order_by("quote_id", "position"):
        offered[line.quote_id].append(_as_offered(line))
    return write_orders(
        orders=[
            NewOrder(
                account=accounts[quote.account_id],
                lines=offered[quote.pk],
                quote_id=quote.pk,
                start_on=quote.start_on,
            )
            for quote in quotes
        ],
        channel=channel,
        at=at,
        actor_id=actor_id,
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
