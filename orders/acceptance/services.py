"""Accept a quote and place its order in one transaction, or decline it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock
from o2b.catalog.definitions import on_sale
from o2b.catalog.models import ProductVersion
from o2b.catalog.succession import is_retired, successors_of
from o2b.errors import Refused
from orders.entry.days import check_days
from orders.entry.services import checked_po_number
from orders.laying.services import NewLine, NewOrder, lock_accounts, write_orders
from orders.models import Order
from quotes import services as quoting
from quotes.changing import of_changes
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
    work_from: date | None = None,
    promised_on: date | None = None,
    po_number: str = "",
) -> Order:
    """Accept the quote for `by` and order exactly what it offered, under the very same Terms.

    Work begins at once, or on the day `work_from`.
    """
    return place_orders(
        accepted={quote_id: by},
        at=at,
        actor_id=actor_id,
        channel=channel,
        work_from=work_from,
        promised_on=promised_on,
        po_number=po_number,
    )[0]


@transaction.atomic
def place_orders(
    *,
    accepted: Mapping[int, str],
    at: datetime,
    actor_id: int | None = None,
    channel: str = Order.Channel.QUOTE,
    work_from: date | None = None,
    promised_on: date | None = None,
    po_number: str = "",
) -> list[Order]:
    """Accept many quotes, each for whom it says, and order what they offered; all or none.

    A quote of changes becomes one change order, in which what it adds is delivered.
    """
    number = checked_po_number(po_number)
    owners = dict(Quote.objects.filter(pk__in=accepted).values_list("pk", "account_id"))
    if missing := accepted.keys() - owners.keys():
        raise Quote.DoesNotExist(f"there is no quote {min(missing)}")
    accounts = lock_accounts(account_ids=set(owners.values()))
    for account in accounts.values():
        today = clock.day(account, at)
        check_days(today=today, work_from=work_from, promised_on=promised_on)
    if order := Order.objects.filter(quote__in=accepted).first():
        raise AlreadyOrdered(order)
    quotes = quoting.accept_quotes(accepted=accepted, at=at, actor_id=actor_id)
    offered: dict[int, list[NewLine]] = defaultdict(list)
    notes: dict[int, list[str]] = defaultdict(list)
    related = QuoteLine.objects.select_related("product_version__product")
    added = related.filter(quote__in=accepted, action=QuoteLine.Action.ADD)
    lines = list(added.order_by("quote_id", "position"))
    instead = _successors(lines)
    for line in lines:
        successor = instead.get(line.product_version_id)
        offered[line.quote_id].append(_as_offered(line, successor))
        if successor:
            notes[line.quote_id].append(_told(line, successor))
    new = {
        quote.pk: NewOrder(
            account=accounts[quote.account_id],
            lines=offered[quote.pk],
            quote_id=quote.pk,
            start_on=quote.start_on,
            note="\n".join(notes[quote.pk]),
            work_from=work_from,
            promised_on=promised_on,
            po_number=number,
        )
        for quote in quotes
    }
    told: dict[str, Any] = {"channel": channel, "at": at, "actor_id": actor_id}
    plain = [quote.pk for quote in quotes if not quote.is_change]
    written = write_orders(orders=[new[pk] for pk in plain], **told) if plain else []
    orders = dict(zip(plain, written, strict=True))
    for quote in quotes:
        if quote.is_change:
            orders[quote.pk] = of_changes("order")(quote=quote, new=new[quote.pk], **told)
    return [orders[quote.pk] for quote in quotes]


def decline_offer(
    *, quote_id: int, reason: str, at: datetime, by: str = "", actor_id: int | None = None
) -> Quote:
    """Note that the customer does not want it, and why."""
    return quoting.decline_quote(quote_id=quote_id, reason=reason, at=at, by=by, actor_id=actor_id)


def _successors(lines: Sequence[QuoteLine]) -> dict[int, ProductVersion]:
    """What is delivered in place of versions that were retired since they were offered.

    A product of which a newer version is on sale is delivered by its own plan.
    """
    retired = [line.product_version for line in lines if is_retired(line.product_version)]
    if not retired:
        return {}
    sold = on_sale(version.product.code for version in retired)
    return successors_of(v for v in retired if v.product.code not in sold)


def _told(line: QuoteLine, successor: ProductVersion) -> str:
    message = _("Line %(line)s: %(old)s is retired since it was offered; %(new)s is delivered.")
    return message % {"line": line.position, "old": line.product_version, "new": successor}


def _as_offered(line: QuoteLine, successor: ProductVersion | None) -> NewLine:
    """The line under the Terms it was quoted; a successor only lends the plan of delivery."""
    return NewLine(
        product_id=line.product_version.product_id,
        product_version_id=line.product_version_id,
        quantity=line.quantity,
        characteristics=line.characteristics,
        terms_id=cast(int, line.terms_id),  # a sent quote's lines all have Terms
        book_version_id=line.book_version_id,
        contract_id=line.contract_id,
        quote_line_id=line.pk,
        delivered_as_id=successor.product_id if successor else None,
    )
