"""What an order's steps in time mean for it: forecast, promise, jeopardy; nothing is written."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from o2b import clock
from orders.models import Order
from orders.rules.jeopardy import GREEN, of_promise, worst
from orders.timing.selectors import InTime


def level_of_promise(order: Order) -> str:
    """How far the forecast that is kept endangers the day that was promised."""
    if order.forecast_at is None or order.promised_on is None:
        return GREEN
    return of_promise(
        forecast_at=order.forecast_at,
        promise_ends_at=end_of(order.promised_on, order.account.time_zone),
        when_promised=order.forecast_when_promised,
    )


def look(order: Order, seen: InTime, now: datetime) -> None:
    """Set forecast and jeopardy, and promise the day of the forecast where none was promised."""
    order.forecast_at, order.jeopardy = seen.path.ends_at, GREEN
    if seen.path.ends_at is None:
        return
    forecast_at = max(seen.path.ends_at, now) if seen.is_open else seen.path.ends_at
    if order.promised_on is None:
        order.promised_on = clock.day(order.account, forecast_at)
    if order.forecast_when_promised is None:
        order.forecast_when_promised = forecast_at
    if not seen.is_open:  # nothing is in danger any more
        return
    order.forecast_at = forecast_at
    order.jeopardy = worst([level_of_promise(order), *seen.levels])


def end_of(day: date, time_zone: str) -> datetime:
    """The first moment after a day of an account."""
    return datetime.combine(day + timedelta(days=1), time(0), ZoneInfo(time_zone))
