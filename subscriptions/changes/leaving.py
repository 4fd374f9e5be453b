"""Leaving a commitment: its end, the notice that it wants, and the fee for leaving earlier."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion, Terms
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
    from_canonical,
)
from o2b.customers.models import Account
from o2b.web.show import day_text
from orders.changing.services import ChangeLine
from orders.models import LineAction, OrderLine
from subscriptions.changes.pricing import Pen
from subscriptions.changes.refusals import NoTerm, NoticeTooShort
from subscriptions.changes.snapshots import digests_of, line_of
from subscriptions.models import (
    Act,
    Commitment,
    Item,
    ItemChange,
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
    """The commitment that holds of each service: the one with the highest number."""
    rows = Commitment.objects.filter(item__in=root_ids).order_by("item_id", "-number")
    return {row.item_id: row for row in rows.distinct("item_id")}


def term_end(root_id: int, *, today: date) -> date:
    """The first day after the term that runs; refuses where no term comes to an end."""
    running = running_of([root_id]).get(root_id)
    if running is None or running.ends_on is None or running.ends_on <= today:
        raise NoTerm(_("No agreed term runs, so none ends; name a day."), field="when")
    return running.ends_on


def check_leaving_notice(
    running: Commitment | None, *, today: date, on: date, field: str = "on"
) -> None:
    """Refuse an end that is told later than agreed; says the first day that is possible."""
    if running is None:
        return
    first = today + timedelta(days=running.notice_days)
    if on < first:
        message = _("It is ended with %(days)s days' notice: on %(first)s at the earliest.")
        told = {"days": running.notice_days, "first": day_text(first)}
        raise NoticeTooShort(message % told, field=field, first=first.isoformat())


def fee_owed(running: Commitment | None, chain: Chain, *, on: date) -> Decimal:
    """What ending on a day costs; nothing on the last day of the term or after it."""
    if running is None or running.ends_on is None or on >= running.ends_on:
        return Decimal(0)
    root, spans = chain.root, chain.spans
    assert root.anchor_on is not None
    grid = Grid(root.anchor_on, root.anchor_day or root.account.bill_day)
    rows = Terms.objects.filter(pk__in={span.terms for span in spans})
    terms = {pk: from_canonical(body) for pk, body in rows.values_list("pk", "body")}
    # Before the term began nobody was bound.
    first = min(
        Commitment.objects.filter(item=root, ends_on__gt=on).values_list("starts_on", flat=True)
    )
    left = remaining(
        spans,
        grid=grid,
        terms=terms,
        on=max(on, min(first, running.ends_on)),
        ends_on=running.ends_on,
    )
    currency = chain.last.account.currency
    return leaving_fee(
        running.leaving_fee, running.leaving_value, remaining=left, currency=currency
    )


def fee_line(chain: Chain, now: Span, *, on: date, amount: Decimal, pen: Pen) -> ChangeLine:
    """The second line of a cancel order: it starts the fee, which is billed once on the day."""
    version = ProductVersion.objects.select_related("product").get(pk=now.product_version)
    body = from_canonical(Terms.objects.values_list("body", flat=True).get(pk=now.terms))
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
        digests=digests_of([now]),
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
        order_line__in_service__item_id=chain.last.pk,
    )
    found = []
    for item in items:
        for told in item.changes.order_by("revision"):
            gone = NewFact(Act.WITHDRAW, told.on, 0, withdraws_id=told.pk)
            found.append((item.pk, gone))
        assert item.anchor_on is not None
        found.append((item.pk, NewFact(Act.END, item.anchor_on, 0)))
    return found
