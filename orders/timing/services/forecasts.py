"""Forecast when orders will be delivered, promise a day, and see whether the promise holds."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.errors import Invalid, Refused
from orders.fulfilment.services.hand import check_reason
from orders.models import Jeopardy, Order
from orders.rules.jeopardy import WORSE
from orders.timing.looking import level_of_promise, look
from orders.timing.selectors import in_time, its_now, stale_forecasts

FARTHEST = timedelta(days=3660)
KEPT = ("forecast_at", "forecast_when_promised", "promised_on", "jeopardy")
AT_ONCE = 200


class NothingToPromise(Refused):
    """All of it is delivered or given up."""

    code = "nothing_to_promise"


class DayImpossible(Invalid):
    code = "day_impossible"


@transaction.atomic
def forecast_orders(*, order_ids: Collection[int], machine_now: datetime) -> list[Order]:
    """Lay orders out in time and keep what comes of it; returns those whose outlook changed.

    An order for which no day was promised is promised the day of its first forecast. The number of
    queries does not grow with orders or tasks.
    """
    locked = Order.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=order_ids)
    orders = list(locked.select_related("account__test_clock").order_by("pk"))
    return _forecast(orders, machine_now)


@transaction.atomic
def renew_forecasts(*, machine_now: datetime, limit: int = AT_ONCE) -> int:
    """Forecast the orders anew in which something has changed since; returns how many."""
    stale = stale_forecasts(machine_now=machine_now).select_related("account__test_clock")
    free = stale.select_for_update(of=("self",), no_key=True, skip_locked=True)
    orders = list(free[:limit])
    _forecast(orders, machine_now)
    return len(orders)


@transaction.atomic
def promise_day(
    *, order_id: int, day: date, reason: str, at: datetime, user_id: int | None = None
) -> Order:
    """Promise the customer another day, and say why; what is over cannot be promised."""
    why = check_reason(reason)
    locked = Order.objects.select_for_update(of=("self",), no_key=True)
    order = locked.select_related("account__test_clock").get(pk=order_id)
    today = clock.day(order.account, at)
    if not today <= day <= today + FARTHEST:
        raise DayImpossible(_("Promise a day from today on."), field="promised_on")
    seen = in_time([order], machine_now=at)[order.pk]
    if not seen.is_open:
        raise NothingToPromise(_("Nothing of %(order)s is still to come.") % {"order": order})
    was, before = order.promised_on, level_of_promise(order)
    order.promised_on, order.forecast_when_promised = day, seen.path.ends_at
    look(order, seen, at)
    order.save(update_fields=KEPT)
    facts: dict[str, Any] = {"on": day.isoformat(), "was": was and was.isoformat(), "reason": why}
    events.record("order.promised", order, at=at, actor_id=user_id, **facts)
    _record_danger({order: before}, at)
    return order


def _forecast(orders: Collection[Order], machine_now: datetime) -> list[Order]:
    seen = in_time(orders, machine_now=machine_now)
    changed, promised, news = [], [], []
    danger: dict[Order, str] = {}
    for order in orders:
        before = {name: getattr(order, name) for name in KEPT}
        outlook, danger[order] = (_day(order), order.jeopardy), level_of_promise(order)
        is_first = order.forecast_when_promised is None
        look(order, seen[order.pk], its_now(order, machine_now))
        if before != {name: getattr(order, name) for name in KEPT}:
            changed.append(order)
        if is_first and order.forecast_when_promised is not None:
            promised.append(order)
        elif outlook != (_day(order), order.jeopardy):
            news.append(order)
    if changed:
        Order.objects.bulk_update(changed, KEPT, 500)
    ids = [order.pk for order in orders]
    Order.objects.filter(pk__in=ids).update(forecast_made_at=machine_now)
    _record("order.promised", promised, machine_now, _promise_of)
    _record("order.forecast", news, machine_now, _outlook_of)
    _record_danger(danger, machine_now)
    return promised + news


def _day(order: Order) -> date | None:
    return clock.day(order.account, order.forecast_at) if order.forecast_at else None


def _promise_of(order: Order) -> dict[str, Any]:
    return {"on": order.promised_on.isoformat() if order.promised_on else None}


def _outlook_of(order: Order) -> dict[str, Any]:
    day = _day(order)
    return {"on": day.isoformat() if day else None, "jeopardy": order.jeopardy}


def _record_danger(before: Mapping[Order, str], machine_now: datetime) -> None:
    """The promise of an order is in more danger than it was, whatever its tasks say."""
    for level in (Jeopardy.AMBER, Jeopardy.RED):
        worse = [
            order
            for order, was in before.items()
            if order.jeopardy != Jeopardy.GREEN
            and level_of_promise(order) == level
            and WORSE.index(was) < WORSE.index(level)
        ]
        _record(f"order.{level}", worse, machine_now, _danger_of)


def _danger_of(order: Order) -> dict[str, Any]:
    day = _day(order)
    return {"on": day.isoformat() if day else None} | {"promised": _promise_of(order)["on"]}


def _record(
    name: str,
    orders: Iterable[Order],
    machine_now: datetime,
    facts_of: Callable[[Order], dict[str, Any]],
) -> None:
    """One event an order, each at the moment that its account lives in."""
    moments: dict[datetime, list[Order]] = defaultdict(list)
    for order in orders:
        moments[its_now(order, machine_now)].append(order)
    for at, those in moments.items():
        events.record_many(name, those, at=at, facts_of=facts_of)
