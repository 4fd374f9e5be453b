"""How fast a pool is used up: the running month by day, how long what is left lasts; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from o2b.charging.pooling import Drawing, Lot, Use, draw
from o2b.money import EXACT
from o2b.periods import Period, add_months
from subscriptions.usage.rules.live import forecast

A_DAY = timedelta(days=1)
LOW_DAYS = 7  # what lasts less long than this runs low
EMPTY, LOW, ENOUGH = "empty", "low", "enough"
_ZERO = Decimal(0)
_CENT = Decimal("0.01")
_FORESEEN = "foreseen"


@dataclass(frozen=True, slots=True)
class DayOfPool:
    """Units that the pool covered on a day, and units that it should have."""

    day: date
    drawn: Decimal
    uncovered: Decimal

    @property
    def wanted(self) -> Decimal:
        return EXACT.add(self.drawn, self.uncovered)


@dataclass(frozen=True, slots=True)
class Pace:
    """The running month: its days up to today, and what is wanted a day on average.

    a_day = units wanted from the first of the month to today ÷ days, today included
    """

    month: Period
    days: tuple[DayOfPool, ...]

    @property
    def drawn(self) -> Decimal:
        return sum((each.drawn for each in self.days), _ZERO)

    @property
    def uncovered(self) -> Decimal:
        return sum((each.uncovered for each in self.days), _ZERO)

    @property
    def wanted(self) -> Decimal:
        return EXACT.add(self.drawn, self.uncovered)

    @property
    def forecast(self) -> Decimal:
        """Units wanted to the end of the month: so far ÷ days passed × days of the month."""
        found = forecast(self.wanted, len(self.days), self.month.days)
        return _ZERO if found is None else found

    @property
    def a_day(self) -> Decimal:
        wanted = self.wanted / len(self.days)
        return wanted.quantize(Decimal("0.000001"))


def pace_of(drawing: Drawing, today: date) -> Pace:
    """Of a pool as it stands at the end of today."""
    first = today.replace(day=1)
    drawn: dict[date, Decimal] = {}
    beyond: dict[date, Decimal] = {}
    for each in drawing.draws:
        if each.day >= first:
            drawn[each.day] = EXACT.add(drawn.get(each.day, _ZERO), each.units)
    for use in drawing.uncovered:
        if use.day >= first:
            beyond[use.day] = EXACT.add(beyond.get(use.day, _ZERO), use.units)
    days = [first + A_DAY * n for n in range((today - first).days + 1)]
    return Pace(
        Period(first, add_months(first, 1)),
        tuple(DayOfPool(day, drawn.get(day, _ZERO), beyond.get(day, _ZERO)) for day in days),
    )


def standing_of(left: Decimal, a_day: Decimal) -> str:
    """Empty, low (at the pace so far it lasts less than a week), or enough.

    >>> standing_of(Decimal(69), Decimal(10)), standing_of(Decimal(70), Decimal(10))
    ('low', 'enough')
    """
    if left <= 0:
        return EMPTY
    return LOW if left < a_day * LOW_DAYS else ENOUGH


def lasts_days(left: Decimal, a_day: Decimal) -> int | None:
    """So many days what is left lasts, if no units come or lapse; None: nothing is wanted.

    >>> lasts_days(Decimal(21), Decimal(10))
    3
    """
    if a_day <= 0:
        return None
    return int((left / a_day).to_integral_value(ROUND_CEILING))


def empty_on(
    lots: Iterable[Lot], uses: Sequence[Use], *, a_day: Decimal, today: date, until: date
) -> date | None:
    """The first day after today on which not all is covered if each day wants `a_day`.

    Units that come or lapse by then are counted; None: all is covered up to and with `until`.
    """
    if a_day <= 0:
        return None
    found = draw(lots, [*uses, *_ahead(a_day, today, until)], on=until)
    return next((each.day for each in found.uncovered if each.ref == _FORESEEN), None)


def uncovered_to_end(
    lots: Iterable[Lot], uses: Sequence[Use], *, pace: Pace, today: date
) -> Decimal:
    """Units that nothing covers in the month if its other days want as much as those so far.

    What was not covered so far is in it; units that come or lapse by then are counted. With two
    decimals.
    """
    last = pace.month.end - A_DAY
    ahead = _ahead(pace.a_day, today, last) if pace.a_day > 0 else []
    found = draw(lots, [*uses, *ahead], on=last)
    short = sum((each.units for each in found.uncovered if each.ref == _FORESEEN), _ZERO)
    return EXACT.add(pace.uncovered, short.quantize(_CENT, ROUND_HALF_UP))


def _ahead(a_day: Decimal, today: date, until: date) -> list[Use]:
    days = range(1, (until - today).days + 1)
    return [Use(today + A_DAY * n, 0, _FORESEEN, a_day) for n in days]
