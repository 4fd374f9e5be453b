"""Automatic top-up: the standing order of a pool, and what it orders when little is left."""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.charging import Kind
from o2b.charging.refills import Asked, Refill, is_due
from o2b.charging.terms import TermsInvalid
from o2b.charging.terms.checks import check_positive
from o2b.errors import Invalid, Refused
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from o2b.web.show import number_text
from orders.entry.services import enter_order
from orders.models import Order, OrderLine
from quotes.inputs import CheckedLine, LineInput, check_lines
from quotes.selectors import price_lines
from quotes.together import NOTHING
from subscriptions.models import Pool, PoolRefill, PoolRefillOrder
from subscriptions.models.refills import MOST_A_MONTH
from subscriptions.pools.selectors import PoolState, pool_states
from subscriptions.pools.services.granting import MOST_UNITS, PLACES

AlreadyOf = Callable[[int], Collection[str]]
CHUNK = 200
UNFORESEEN = (ArithmeticError, LookupError, TypeError, ValueError)
OVER = (OrderLine.State.COMPLETED, OrderLine.State.CANCELLED)
log = logging.getLogger(__name__)


class RefillRefused(Invalid):
    """A limit, product, quantity or number a month that cannot be."""

    code = "refill_refused"


@transaction.atomic
def set_refill(
    *,
    pool_id: int,
    below: Decimal,
    product: str,
    quantity: Decimal,
    most_a_month: int,
    at: datetime,
    by: int,
    already: Collection[str] = NOTHING,
) -> PoolRefill:
    """Whenever less than `below` is left, order so many of a product, by this person's word.

    Told anew, it forgets what it ordered before: if little is left now, it orders again.
    """
    pool = (
        Pool.objects.select_for_update(of=["self"])
        .select_related("account__test_clock")
        .get(pk=pool_id)
    )
    _check_limit(below)
    if not 1 <= most_a_month <= MOST_A_MONTH:
        message = _("A whole number from 1 to %(most)s.") % {"most": MOST_A_MONTH}
        raise RefillRefused(message, field="most_a_month")
    line, units = _checked(
        pool, product, quantity, day=clock.day(pool.account, at), already=already
    )
    if units < below:
        message = _("One order brings %(units)s units: fewer than the limit. Order more of them.")
        raise RefillRefused(message % {"units": number_text(units)}, field="quantity")
    refill, made = PoolRefill.objects.update_or_create(
        pool=pool,
        defaults={
            "below": below,
            "product_id": line.product_version.product_id,
            "quantity": line.quantity,
            "most_a_month": most_a_month,
            "active": True,
            "set_by_id": by,
            "set_at": at,
            "tried_on": None,
            "fault": "",
        },
    )
    if not made:
        refill.orders.filter(settled=False).update(settled=True)
    events.record(
        "pool.refill_set",
        pool,
        at=at,
        actor_id=by,
        below=f"{below:f}",
        product=product,
        quantity=f"{line.quantity:f}",
        most_a_month=most_a_month,
    )
    return refill


def _check_limit(below: Decimal) -> None:
    try:
        check_positive("below", below)
    except TermsInvalid as fault:
        raise RefillRefused(_("A number of units above zero."), field="below") from fault
    if below >= MOST_UNITS or below != round(below, PLACES):
        message = _("Below 10^12 and with at most %(places)s decimals.") % {"places": PLACES}
        raise RefillRefused(message, field="below")


def _checked(
    pool: Pool, product: str, quantity: Decimal, *, day: date, already: Collection[str]
) -> tuple[CheckedLine, Decimal]:
    """The line as it would be ordered today, and the units of the pool's meter that it brings."""
    try:
        lines = [LineInput(product=product, quantity=quantity)]
        (line,) = check_lines(lines, account=pool.account, already=already)
        priced = price_lines(account=pool.account, wanted=[line.wanted], on=day, start_on=None)
    except Refused as refusal:
        field = "quantity" if str(refusal.field).endswith("quantity") else "product"
        raise RefillRefused(refusal.message, field=field) from refusal
    charges = priced.resolutions[0].terms.charges
    if any(each.kind is Kind.RECURRING for each in charges):
        message = _("%(product)s costs something every month: each order would add to it for good.")
        raise RefillRefused(message % {"product": product}, field="product")
    grants = [each.grant for each in charges if each.grant and each.grant.meter == pool.meter]
    if not grants:
        message = _("%(product)s brings no units of %(meter)s.")
        raise RefillRefused(message % {"product": product, "meter": pool.meter}, field="product")
    units = sum((g.units * (line.quantity if g.per_unit else 1) for g in grants), Decimal(0))
    return line, units


@transaction.atomic
def stop_refill(*, pool_id: int, at: datetime, by: int) -> PoolRefill:
    """Order no more by itself; what is on its way stays ordered."""
    refill = (
        PoolRefill.objects.select_for_update(of=["self"]).select_related("pool").get(pool=pool_id)
    )
    if refill.active:
        refill.active = False
        refill.save(update_fields=["active"])
        events.record("pool.refill_stopped", refill.pool, at=at, actor_id=by)
    return refill


def refill_pools(*, already_of: AlreadyOf) -> int:
    """Order for every pool that runs low and whose refill is switched on; how many orders.

    May run twice, and beside itself: a fall has one answer.
    """
    active = PoolRefill.objects.filter(active=True).order_by("pk")
    placed, last = 0, 0
    while some := list(active.filter(pk__gt=last).values_list("pk", "pool_id")[:CHUNK]):
        last = some[-1][0]
        for state in _states([pool for _pk, pool in some]):
            try:
                placed += _looked_at(state, already_of)
            except DatabaseError:
                log.exception("refill of pool %s", state.pool.pk)
    return placed


def _states(pool_ids: Sequence[int]) -> Iterable[PoolState]:
    """How these pools stand; one that cannot be read does not keep the rest from it."""
    try:
        yield from pool_states(pool_ids)
    except UNFORESEEN:
        log.exception("refills of pools %s", pool_ids)
        if len(pool_ids) > 1:
            for pk in pool_ids:
                yield from _states([pk])


@transaction.atomic
def _looked_at(state: PoolState, already_of: AlreadyOf) -> int:
    """1 if an order was placed. The row is locked: who looks at it meanwhile lets it be."""
    refill = (
        PoolRefill.objects.select_for_update(of=["self"], skip_locked=True)
        .select_related("product", "set_by")
        .filter(pool=state.pool, active=True)
        .first()
    )
    if refill is None:
        return 0
    left, account = state.drawing.left, state.pool.account
    day = clock.today(account)
    if not is_due(
        Refill(refill.below, refill.most_a_month), left, _asked(refill, state, day), today=day
    ):
        return 0
    return _order(refill, state, day, already_of)


def _asked(refill: PoolRefill, state: PoolState, day: date) -> list[Asked]:
    """What it ordered this month, the order that still answers this fall, and the last failure."""
    open_order = _answer(refill, state)
    rows = refill.orders.filter(placed_on__gte=day.replace(day=1))
    asked = [Asked(row.placed_on, is_open=False) for row in rows if row != open_order]
    if open_order is not None:
        asked.append(Asked(open_order.placed_on, is_open=True))
    if refill.tried_on is not None:
        asked.append(Asked(refill.tried_on, is_open=False, failed=True))
    return asked


def _answer(refill: PoolRefill, state: PoolState) -> PoolRefillOrder | None:
    """The order that answers this fall; one that is over and lifted what is left is settled."""
    last = refill.orders.filter(settled=False).first()
    if last is None:
        return None
    lines = dict(OrderLine.objects.filter(order=last.order_id).values_list("pk", "state"))
    if any(standing not in OVER for standing in lines.values()):
        return last
    brought = sum(
        (lot.units for lot in state.lots if _line_of(state, lot.ref) in lines), Decimal(0)
    )
    if state.drawing.left < refill.below and last.left + brought < refill.below:
        return last
    last.settled = True
    last.save(update_fields=["settled"])
    return None


def _line_of(state: PoolState, lot: str) -> int | None:
    item = state.source_of(lot).item
    return item.order_line_id if item else None


def _order(refill: PoolRefill, state: PoolState, day: date, already_of: AlreadyOf) -> int:
    pool, left = state.pool, state.drawing.left
    at = clock.now(pool.account)
    try:
        order = enter_order(
            account_id=pool.account_id,
            lines=[LineInput(product=refill.product.code, quantity=refill.quantity)],
            at=at,
            actor_id=refill.set_by_id,
            channel=Order.Channel.BULK,
            note=_note(refill, pool),
            already=already_of(pool.account_id),
        )
    except (Refused, *UNFORESEEN) as fault:
        if not isinstance(fault, Refused):
            log.exception("refill of pool %s", pool.pk)
        _note_fault(refill, pool, fault, day, at)
        return 0
    PoolRefillOrder.objects.create(refill=refill, order=order, left=left, placed_on=day)
    if refill.fault:
        refill.fault = ""
        refill.save(update_fields=["fault"])
    events.record(
        "pool.refilled",
        pool,
        at=at,
        actor_id=refill.set_by_id,
        order=order.pk,
        left=f"{left:f}",
        below=f"{refill.below:f}",
    )
    told = {"pool": pool.number, "account": pool.account.name, "order": order.number}
    words = {"left": number_text(left), "below": number_text(refill.below)}
    title = _("Pool %(pool)s of %(account)s ran low: %(order)s is ordered") % told
    text = _("%(left)s units were left, fewer than %(below)s.") % words
    _tell(pool, title, text, f"pool-refill-{order.pk}", at)
    return 1


def _note(refill: PoolRefill, pool: Pool) -> str:
    told = {"pool": pool.number, "who": refill.set_by}
    return _("Automatic top-up of pool %(pool)s, a standing order by %(who)s.") % told


def _note_fault(refill: PoolRefill, pool: Pool, fault: Exception, day: date, at: datetime) -> None:
    """It is tried again tomorrow; the advocate is told, once a day."""
    text = fault.message if isinstance(fault, Refused) else f"{type(fault).__name__}: {fault}"
    refill.fault, refill.tried_on = text.replace("\0", "")[:500], day
    refill.save(update_fields=["fault", "tried_on"])
    events.record("pool.refill_failed", pool, at=at, fault=refill.fault)
    told = {"pool": pool.number, "account": pool.account.name}
    title = _("Pool %(pool)s of %(account)s runs low and could not be topped up") % told
    _tell(pool, title, refill.fault, f"pool-refill-failed-{pool.pk}-{day}", at, tone="bad")


def _tell(pool: Pool, title: str, text: str, key: str, at: datetime, tone: str = "") -> None:
    advocate = pool.account.advocate_id
    note = Note(
        user_ids=[advocate],
        topic=Topic.ACCEPTED,
        key=key,
        title=title,
        text=text,
        url=pool.get_absolute_url(),
        tone=tone,
        at=at,
    )
    tell_many([note])
