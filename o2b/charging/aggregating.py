"""How the usage of some days becomes one quantity: a formula for each aggregation.

| aggregation | quantity of a period                                                   |
|-------------|------------------------------------------------------------------------|
| sum, each   | Σ of what the days add up to                                           |
| count       | Σ of the events of the days                                            |
| max         | the highest value of the days served; 0 without events                 |
| last        | the last value of the days served; 0 without events                    |
| unique      | how many different values there were over all days served              |
| average     | Σ (level × seconds it held) ÷ seconds, over the days served            |
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from o2b.charging.decks import DeckRate, NoRate
from o2b.charging.models import EventsNeeded
from o2b.charging.terms import DECIMALS
from o2b.charging.usage import Aggregation, Event, Used
from o2b.money import EXACT, rounded
from o2b.periods import Period

DAY_SECONDS = 86_400  # of a local day, whatever its clock is set to

_ZERO = Decimal(0)
_BY_DAY, _EVENTS = itemgetter(0, 1), itemgetter(2)  # of Used: day and quantity, events
_BY_SUM = frozenset({Aggregation.SUM, Aggregation.COUNT, Aggregation.EACH})


class _Point(NamedTuple):
    """A level from a second of a local day on; the highest of those told for one moment counts."""

    day: date
    second: Fraction
    fold: int
    level: Decimal


_Rank = tuple[str, str, tuple[int, ...]]


def _when(used: Used) -> tuple[date, time, int, Decimal, _Rank]:
    """By day, by the clock where that is told, then the smaller first, then by the rate.

    Which events come first may matter: it is never said by the order in which rows were stored.
    """
    if not used.events:
        return used.day, time.min, 0, used.quantity, ("", "", ())
    value, at, rate, _covered = used.events[0]
    clock, turn = (time.min, 0) if at is None else (at.time(), 1 + at.fold)
    return used.day, clock, turn, value, _rank(rate)


def _in_order(usage: Iterable[Used]) -> list[Used]:
    """By `_when`, which of days without events is the day and the quantity."""
    told = list(usage)
    if any(map(_EVENTS, told)):
        return sorted(told, key=_when)
    return sorted(told, key=_BY_DAY)


def _rank(rate: DeckRate | NoRate | None) -> _Rank:
    """Of a number without a rate first, then by prefix, destination and price."""
    if rate is None:
        return "", "", ()
    if isinstance(rate, NoRate):
        return "", rate.number, ()
    return rate.prefix, rate.destination, rate.whole


class UsageOfDays:
    """The usage of a charge, by day: asked for the quantity and events of days served."""

    def __init__(self, usage: Iterable[Used], aggregation: Aggregation) -> None:
        self.usage = _in_order(usage)
        self.days = [used.day for used in self.usage]
        self.aggregation = aggregation

    def quantity(self, served: Sequence[Period]) -> Decimal:
        """What the days of some periods, in order, add up to; at most 12 decimals if divided."""
        if self.aggregation in _BY_SUM:
            total, add = _ZERO, EXACT.add
            for used in self._rows(served):
                total = add(total, used.quantity)
            return total
        return _FORMULAS[self.aggregation](self, served)

    def events(self, served: Sequence[Period]) -> list[Event]:
        """The events that a model may price one by one; a row's total without any is one.

        Where the quantity is no sum of the days, single events mean nothing: there are none.
        """
        found: list[Event] = []
        if self.aggregation in _BY_SUM:
            for used in self._rows(served):
                found += used.events
                if not used.events and used.quantity:
                    found.append(Event(used.quantity))
        return found

    def highest(self, served: Sequence[Period]) -> Decimal:
        """The highest value; of no events 0. Sources: Lago (max), OpenMeter (MAX), Stigg."""
        return max((used.quantity for used in self._rows(served)), default=_ZERO)

    def last(self, served: Sequence[Period]) -> Decimal:
        """The value of the latest event on a day served, 0 if none fell on one.

        What held before the period does not carry over. Source: Lago (latest).
        """
        points = self._points
        for period in reversed(served):
            at = bisect_left(points, (period.end,))
            if at and points[at - 1].day >= period.start:
                return points[at - 1].level
        return _ZERO

    def unique(self, served: Sequence[Period]) -> Decimal:
        """How many different values, over the whole period: one seen on two days counts once.

        Sources: Lago (unique count), OpenMeter (UNIQUE_COUNT). EventsNeeded if a row tells only
        how many there were.
        """
        seen: set[str] = set()
        for used in self._rows(served):
            if used.quantity and not used.values:
                raise EventsNeeded("how many values a day had does not tell which")
            seen.update(used.values)
        return Decimal(len(seen))

    def average(self, served: Sequence[Period]) -> Decimal:
        """Time-weighted over the days served, by seconds of the local clock.

        Each value holds until the next event; at first holds that of the last event before, 0 if
        there is none: the usage told reaches back to it. 31 days at 10, of which the last ten at
        20 too, are (21 × 10 + 10 × 20) ÷ 31. Source: Lago (weighted sum), OpenMeter (AVG over
        windows of equal length).
        """
        total, seconds = Fraction(0), 0
        for period in served:
            seconds += period.days * DAY_SECONDS
            total += self._weighted(period)
        return rounded(total / seconds, DECIMALS) if seconds else _ZERO

    def _weighted(self, period: Period) -> Fraction:
        """Σ level × seconds of neighbouring days."""
        points = self._points
        first = bisect_left(points, (period.start,))
        end = bisect_left(points, (period.end,))
        level = points[first - 1].level if first else _ZERO
        since, total = Fraction(0), Fraction(0)
        for point in points[first:end]:
            moment = (point.day - period.start).days * DAY_SECONDS + point.second
            total += Fraction(level) * (moment - since)
            since, level = moment, point.level
        return total + Fraction(level) * (period.days * DAY_SECONDS - since)

    def _rows(self, served: Sequence[Period]) -> Sequence[Used]:
        found: list[Used] = []
        for period in served:
            first = bisect_left(self.days, period.start)
            found += self.usage[first : bisect_left(self.days, period.end)]
        return found

    @cached_property
    def _points(self) -> list[_Point]:
        """Every event of last and average in the order of the local clock."""
        found: list[_Point] = []
        for used in self.usage:
            for value, at, _rate, _covered in used.events or (Event(used.quantity),):
                second, fold = Fraction(0), 0
                if at is not None:
                    since = timedelta(
                        hours=at.hour,
                        minutes=at.minute,
                        seconds=at.second,
                        microseconds=at.microsecond,
                    )
                    second, fold = Fraction(since // _MICROSECOND, 1_000_000), at.fold
                found.append(_Point(used.day, second, fold, value))
        return sorted(found)


_MICROSECOND = timedelta(microseconds=1)
_FORMULAS: dict[Aggregation, Callable[[UsageOfDays, Sequence[Period]], Decimal]] = {
    Aggregation.MAX: UsageOfDays.highest,
    Aggregation.LAST: UsageOfDays.last,
    Aggregation.UNIQUE: UsageOfDays.unique,
    Aggregation.AVERAGE: UsageOfDays.average,
}
