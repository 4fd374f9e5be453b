"""Leaving a commitment: its end, the notice that it wants, and the fee for leaving earlier."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.catalog.resolution import Resolution
from o2b.charging import (
    Alignment,
    ChargeTerms,
    Kind,
    LineTerms,
    Model,
    Proration,
    StartRule,
    Timing,
)
from o2b.customers.models import Account
from o2b.web.show import day_text
from orders.changing.services import ChangeLine
from orders.models import LineAction, OrderLine
from subscriptions.changes.pricing import Pen, bodies_of, body_of
from subscriptions.changes.refusals import NoTerm, NoticeTooShort
from subscriptions.changes.snapshots import digests_of, line_of
from subscriptions.models import (
    Act,
    Commitment,
    Item,
    ItemChange,
    LeavingFee,
    ServiceState,
    Subscription,
    SuspensionBilling,
)
from subscriptions.rules.billing import Grid
from subscriptions.rules.leaving import leaving_fee, remaining
from subscriptions.rules.timeline import Span
from subscriptions.timelines.chains import Chain
from subscriptions.timelines.services import NewFact

FEE_KEY = "early_termination"


def running_of(root_ids: Collection[int]) -> dict[int, Commitment]:
    """What was agreed last of each service, its highest number; it may begin later."""
    rows = Commitment.objects.filter(item__in=root_ids).order_by("item_id", "-number")
    return {row.item_id: row for row in rows.distinct("item_id")}


class Bound(NamedTuple):
    """Days on which the words of a commitment hold; from month to month they have no `end`."""

    words: Commitment
    start: date
    end: date | None


def bound_from(root_id: int, on: date) -> list[Bound]:
    """What holds of a service from a day on: on each day the highest number that has begun."""
    rows = list(Commitment.objects.filter(item=root_id).order_by("number"))
    found: list[Bound] = []
    day: date | None = on
    while day is not None:
        begun = [row for row in rows if row.starts_on <= day and _lasts(row, day)]
        later = [row for row in rows if row.starts_on > day]
        if not begun:
            day = min((row.starts_on for row in later), default=None)
            continue
        words = begun[-1]
        ends = [row.starts_on for row in later if row.number > words.number]
        end = min([*ends, *([words.ends_on] if words.ends_on else [])], default=None)
        found.append(Bound(words, day, end))
        day = end
    return found


def _lasts(commitment: Commitment, day: date) -> bool:
    return commitment.ends_on is None or commitment.ends_on > day


def term_end(root_id: int, *, today: date) -> date:
    """The first day after all that is agreed with an end: nothing is owed for leaving then.

    Refuses where no term comes to an end.
    """
    ends = [each.end for each in bound_from(root_id, today) if each.words.ends_on and each.end]
    if not ends:
        raise NoTerm(_("No agreed term runs, so none ends; name a day."), field="when")
    return ends[-1]


def check_leaving_notice(
    running: Commitment | None, *, today: date, on: date, field: str = "on"
) -> None:
    """Refuse an end that is told later than agreed; says the first day that is possible.

    `running` was agreed last; where that begins later, the notice is the one that holds on the day.
    """
    if running is None:
        return
    if running.starts_on > on:
        running = bound_from(running.item_id, on)[0].words
    first = today + timedelta(days=running.notice_days)
    if on < first:
        message = _("It is ended with %(days)s days' notice: on %(first)s at the earliest.")
        told = {"days": running.notice_days, "first": day_text(first)}
        raise NoticeTooShort(message % told, field=field, first=first.isoformat())


def fee_owed(running: Commitment | None, chain: Chain, *, on: date, pen: Pen) -> Decimal:
    """What ending on a day costs; nothing on the last day of what is agreed or after it.

    Terms that follow are owed too, each share as its own term says; a fixed fee is that of the
    term in which one leaves. Before the first term begins nobody is bound, but all of it is owed.
    """
    if running is None:
        return Decimal(0)
    bound = [each for each in bound_from(chain.root.pk, on) if each.words.ends_on]
    if not bound:
        return Decimal(0)
    root, spans = chain.root, chain.spans
    assert root.anchor_on is not None
    grid = Grid(root.anchor_on, root.anchor_day or root.account.bill_day)
    terms = bodies_of({span.terms for span in spans}, pen)
    left: dict[tuple[str, Decimal], Decimal] = {}
    for each in bound:
        words = (each.words.leaving_fee, each.words.leaving_value)
        if words[0] == LeavingFee.FIXED and each is not bound[0]:
            continue
        assert each.end is not None
        share = remaining(spans, grid=grid, terms=terms, on=each.start, ends_on=each.end)
        left[words] = left.get(words, Decimal(0)) + share
    currency = chain.last.account.currency
    fees = (
        leaving_fee(*words, remaining=share, currency=currency) for words, share in left.items()
    )
    return sum(fees, Decimal(0))


def fee_line(chain: Chain, now: Span, *, on: date, amount: Decimal, pen: Pen) -> ChangeLine:
    """The second line of a cancel order: it starts the fee, which is billed once on the day."""
    version = ProductVersion.objects.select_related("product").get(pk=now.product_version)
    body = body_of(now.terms, pen)
    terms = LineTerms(
        product=version.product.code,
        version=version.number,
        currency=body.currency,
        start_rule=StartRule.ON_DATE,
        charges=(_charge(body, amount),),
    )
    return line_of(
        chain,
        now,
        action=LineAction.START,
        on=on,
        digests=digests_of([now], pen.drawn),
        quantity=Decimal(1),
        terms_id=pen.key_of(Resolution(version, Decimal(1), terms, None, None)),
        start_on=on,
    )


def _charge(body: LineTerms, amount: Decimal) -> ChargeTerms:
    """Taxed as what it ends. Source: CJEU C-295/17 and C-43/19 (early termination is a price)."""
    recurring = [charge for charge in body.charges if charge.kind is Kind.RECURRING]
    return ChargeTerms(
        key=FEE_KEY,
        kind=Kind.ONE_TIME,
        model=Model.FLAT,
        unit_price=amount,
        currency=body.currency,
        interval=None,
        timing=Timing.ADVANCE,
        alignment=Alignment.BILL_DAY,
        proration=Proration.DAY,
        tax_code=(recurring or list(body.charges))[0].tax_code,
    )


def open_fees(
    lines: Sequence[OrderLine], account: Account, *, moment: datetime
) -> dict[int, list[NewFact]]:
    """An item of each fee line, and the facts that make it billed on its day and never used."""
    if not lines:
        return {}
    subscription = Subscription.objects.create(
        account_id=account.pk, order_id=lines[0].order_id, state=ServiceState.PENDING
    )
    items = Item.objects.bulk_create(
        Item(
            subscription=subscription,
            account_id=account.pk,
            order_line=line,
            product_version_id=line.product_version_id,
            state=ServiceState.PENDING,
            started_on=line.start_on,
            anchor_on=line.start_on,
            anchor_day=account.bill_day,
            recorded_at=moment,
        )
        for line in lines
    )
    return {item.pk: _billed_once(line) for item, line in zip(items, lines, strict=True)}


def _billed_once(line: OrderLine) -> list[NewFact]:
    assert line.start_on is not None
    unused = NewFact(Act.SUSPEND, line.start_on, line.pk, billing=SuspensionBilling.FULL)
    return [unused, NewFact(Act.END, line.start_on + timedelta(days=1), line.pk)]


def fees_of(change: ItemChange, chain: Chain) -> list[tuple[int, NewFact]]:
    """What takes the fee of an end back together with it, by the fee's item."""
    items = Item.objects.filter(
        order_line__order=change.order_line.order_id,
        order_line__action=LineAction.START,
        # Who had it when its end was ordered need not have it any more.
        order_line__in_service__item_id__in=[item.pk for item in chain.items],
    )
    found = []
    for item in items:
        for told in item.changes.order_by("revision"):
            gone = NewFact(Act.WITHDRAW, told.on, 0, withdraws_id=told.pk)
            found.append((item.pk, gone))
        assert item.anchor_on is not None
        found.append((item.pk, NewFact(Act.END, item.anchor_on, 0)))
    return found
