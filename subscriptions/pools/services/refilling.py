"""Automatic top-up: what the standing order of a pool orders when little is left."""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.charging.refills import Asked, Refill, is_due
from o2b.errors import Refused
from o2b.people.models import Topic
from o2b.people.notices.services import Note, tell_many
from o2b.web.show import number_text
from orders.entry.services import enter_order
from orders.models import Order, OrderLine
from quotes.inputs import LineInput
from subscriptions.models import Pool, PoolRefill, PoolRefillOrder
from subscriptions.pools.selectors import PoolState, pool_states
from subscriptions.pools.services.standing import RefillRefused

AlreadyOf = Callable[[int], Collection[str]]
CHUNK = 200
PLACE_ORDERS = "orders.place_order"
UNFORESEEN = (ArithmeticError, LookupError, TypeError, ValueError)
OVER = (OrderLine.State.COMPLETED, OrderLine.State.CANCELLED)
log = logging.getLogger(__name__)


def refill_pools(*, already_of: AlreadyOf) -> int:
    """Order for every pool that runs low and whose refill is switched on; how many orders.

    May run twice, and beside itself: a fall has one answer. A pool that fails is logged and looked
    at again by the next call; the rest go on.
    """
    active = PoolRefill.objects.filter(active=True).order_by("pk")
    placed, last = 0, 0
    while some := list(active.filter(pk__gt=last).values_list("pk", "pool_id")[:CHUNK]):
        last = some[-1][0]
        for state in _states([pool for _pk, pool in some]):
            try:
                placed += _looked_at(state, already_of)
            except Exception:
                log.exception("refill of pool %s", state.pool.pk)
    return placed


def _states(pool_ids: Sequence[int]) -> list[PoolState]:
    """How these pools stand; one that cannot be read does not keep the rest from it."""
    try:
        with transaction.atomic():
            return pool_states(pool_ids)
    except Exception:
        log.exception("refills of pools %s", pool_ids)
    if len(pool_ids) == 1:
        return []
    return [state for pk in pool_ids for state in _states([pk])]


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
    if refill.fault and state.drawing.left >= refill.below:
        refill.fault = ""  # the next fall is another one, and told again
        refill.save(update_fields=["fault"])
    if not _due(refill, state):
        return 0
    # What was read before the lock may be of a day, or of an order, that is over.
    (state,) = pool_states([state.pool.pk])
    return _order(refill, state, already_of) if _due(refill, state) else 0


def _due(refill: PoolRefill, state: PoolState) -> bool:
    day = clock.today(state.pool.account)
    rule = Refill(refill.below, refill.most_a_month)
    return is_due(rule, state.drawing.left, _asked(refill, state, day), today=day)


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


def _order(refill: PoolRefill, state: PoolState, already_of: AlreadyOf) -> int:
    pool, left = state.pool, state.drawing.left
    at, day = clock.now(pool.account), clock.today(pool.account)
    try:
        _refuse_who_left(refill)
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


def _refuse_who_left(refill: PoolRefill) -> None:
    """Nothing is ordered in the name of somebody who may not."""
    if not (refill.set_by.is_active and refill.set_by.has_perm(PLACE_ORDERS)):
        message = _("%(user)s, whose standing order it is, may not place orders.")
        raise RefillRefused(message % {"user": refill.set_by}, field="user")


def _note(refill: PoolRefill, pool: Pool) -> str:
    told = {"pool": pool.number, "who": refill.set_by}
    return _("Automatic top-up of pool %(pool)s, a standing order by %(who)s.") % told


def _note_fault(refill: PoolRefill, pool: Pool, fault: Exception, day: date, at: datetime) -> None:
    """It is tried again tomorrow; the advocate is told once of each fault of a fall."""
    text = fault.message if isinstance(fault, Refused) else f"{type(fault).__name__}: {fault}"
    known, refill.fault, refill.tried_on = refill.fault, text.replace("\0", "")[:500], day
    refill.save(update_fields=["fault", "tried_on"])
    events.record("pool.refill_failed", pool, at=at, fault=refill.fault)
    if refill.fault == known:
        return
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
