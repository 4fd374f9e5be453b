"""A metered charge as it stands today: the running period, a forecast, and the periods before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from o2b.charging import (
    Aggregation,
    ChargeFacts,
    ChargeTerms,
    NoRate,
    RatedPeriod,
    RateMissing,
    rate_periods,
    running_period,
)
from o2b.charging.aggregating import UsageOfDays
from o2b.money import EXACT
from o2b.periods import Period

A_DAY = timedelta(days=1)
PERIODS_BEFORE = 6
# What goes on to grow day by day; a highest or a last value does not.
GROWING = (Aggregation.SUM, Aggregation.COUNT, Aggregation.EACH)


@dataclass(frozen=True, slots=True)
class Running:
    """The period that holds today.

    `amount` is what it would be billed if nothing more were used in it, `passed` and `days` are
    days served of it: so far, today included, and in all. Of an allowance `available` is what
    there was at its beginning, `left` what there still is; `prepaid` is what a pool covers of what
    is beyond it.
    """

    period: Period
    used: Decimal
    amount: Decimal
    passed: int
    days: int
    forecast: Decimal | None
    available: Decimal | None
    left: Decimal | None
    by_day: tuple[tuple[date, Decimal], ...]
    prepaid: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class PoolNow:
    """The pool, a row, that a charge draws from today, and what is left in it."""

    pool: Any
    left: Decimal


@dataclass(frozen=True, slots=True)
class Live:
    """One metered charge of an item; `meter` and `item` are rows, the meter None if there is none.

    `before` are the periods that are over, the newest first. `missing` is a call without a rate:
    what the charge costs cannot be said.
    """

    item: Any
    charge: ChargeTerms
    meter: Any
    running: Running | None
    before: tuple[RatedPeriod, ...]
    missing: NoRate | None = None
    pool: PoolNow | None = None

    @property
    def unit(self) -> str:
        return str(self.meter.unit) if self.meter else ""


def live(
    *,
    item: Any,
    charge: ChargeTerms,
    facts: ChargeFacts,
    meter: Any,
    today: date,
    pool: PoolNow | None = None,
) -> Live:
    """How a charge stands on a day; `facts` hold its usage, and nothing as billed."""
    try:
        rated = rate_periods(facts, on=today)
    except RateMissing as exc:
        return Live(item, charge, meter, None, (), exc.missing)
    full = running_period(facts, on=today)
    now = rated[-1] if rated and full and rated[-1].full == full else None
    before = [each for each in rated if each is not now and each.full.end <= today]
    running = _running(facts, now, today) if now else None
    return Live(item, charge, meter, running, tuple(before[::-1][:PERIODS_BEFORE]), pool=pool)


def _running(facts: ChargeFacts, rated: RatedPeriod, today: date) -> Running:
    served = rated.served
    passed = max((min(today + A_DAY, served.end) - served.start).days, 0)
    left = None
    if rated.available is not None and rated.free is not None:
        left = max(EXACT.subtract(rated.available, rated.free), Decimal(0))
    return Running(
        period=served,
        used=rated.quantity,
        amount=rated.amount,
        passed=passed,
        days=served.days,
        forecast=forecast(rated.quantity, passed, served.days, facts.aggregation),
        available=rated.available,
        left=left,
        by_day=tuple(_by_day(facts, served, today)),
        prepaid=rated.prepaid,
    )


def forecast(
    used: Decimal, passed: int, days: int, aggregation: Aggregation = Aggregation.SUM
) -> Decimal | None:
    """used ÷ days passed × days of the period; None of what does not grow day by day.

    With as many decimals as what was used has, two at most.

    >>> forecast(Decimal(30), 10, 28), forecast(Decimal(31), 9, 28), forecast(Decimal("1.5"), 9, 28)
    (Decimal('84'), Decimal('96'), Decimal('4.7'))
    """
    if aggregation not in GROWING or passed <= 0:
        return None
    whole = EXACT.multiply(used, Decimal(days))
    places = min(max(-int(used.normalize().as_tuple().exponent), 0), 2)
    found = (whole / passed).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return found.normalize() + 0


def _by_day(facts: ChargeFacts, served: Period, today: date) -> Sequence[tuple[date, Decimal]]:
    """The quantity of each day of the period up to today, put together as its meter says."""
    of_days = UsageOfDays(facts.usage, facts.aggregation)
    end = min(today + A_DAY, served.end)
    days = [served.start + A_DAY * n for n in range(max((end - served.start).days, 0))]
    return [(day, of_days.quantity([Period(day, day + A_DAY)])) for day in days]
