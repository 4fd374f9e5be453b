"""What the bills of a service follow from, before and after a change: the same arithmetic as runs.

A change quote asks of several services together which bill shows the change first, and what each
of the months ahead comes to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2b.charging import LineTerms
from o2b.periods import add_months
from subscriptions.rules.billing import BillLine, ChargeKey, Forecast, Grid, Standing, bill
from subscriptions.rules.timeline import Span

MONTHS = 36
MOST_BILLS = 60  # looked through until one shows the change
NOTHING = Forecast((), None)


@dataclass(frozen=True, slots=True)
class Month:
    """What a month of service brings to the bills before and after the change."""

    start: date
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Fee:
    """What leaving a commitment costs: a service of its own that lasts a day and is billed once."""

    span: Span
    grid: Grid
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Basis:
    """The days of a service before and after a change, its Terms, and what was billed so far.

    A service that is to be added has no days before.
    """

    before: Sequence[Span]
    after: Sequence[Span]
    grid: Grid
    terms: Mapping[int, LineTerms]
    standing: Mapping[ChargeKey, Standing]
    fee: Fee | None = None

    def unchanged(self, until: date) -> Forecast:
        """What a run for `until` would bill if nothing changed."""
        return self._bill(self.before, until)

    def changed(self, until: date) -> Forecast:
        """What a run for `until` bills after the change, a fee for leaving included."""
        found = self._bill(self.after, until)
        if self.fee is None:
            return found
        owed = bill([self.fee.span], grid=self.fee.grid, terms=self.terms, standing={}, until=until)
        return found + owed

    def months(self, *, since: date) -> tuple[Month, ...]:
        """What is due in each month, if nothing had been billed so far."""
        starts = [add_months(since, n) for n in range(MONTHS + 1)]
        before, after = (self._by_month(spans, starts) for spans in (self.before, self.after))
        if self.fee is not None:
            month = self.fee.span.period.start.replace(day=1)
            after[month] = after.get(month, Decimal(0)) + self.fee.amount
        return tuple(
            Month(start, before.get(start, Decimal(0)), after.get(start, Decimal(0)))
            for start in starts[:-1]
        )

    def _bill(self, spans: Sequence[Span], until: date) -> Forecast:
        return bill(spans, grid=self.grid, terms=self.terms, standing=self.standing, until=until)

    def _by_month(self, spans: Sequence[Span], starts: Sequence[date]) -> dict[date, Decimal]:
        """The month in which each line's days begin → their amounts, to the end of the last one."""
        found: dict[date, Decimal] = {}
        forecast = bill(spans, grid=self.grid, terms=self.terms, standing={}, until=starts[-1])
        for line in forecast.lines:
            month = line.period.start.replace(day=1)
            found[month] = found.get(month, Decimal(0)) + line.amount
        return found


def difference(before: Forecast, after: Forecast) -> tuple[BillLine, ...]:
    """The lines that come and, turned round, those that would have come without the change."""
    gone, come = _apart(before.lines, after.lines)
    return (*(line.turned() for line in gone), *come)


def _apart(
    had: Iterable[BillLine], has: Iterable[BillLine]
) -> tuple[list[BillLine], list[BillLine]]:
    """What only the first and what only the second holds; equal lines pair off one by one."""
    gone, come = list(had), []
    for line in has:
        if line in gone:
            gone.remove(line)
        else:
            come.append(line)
    return gone, come


def months_together(bases: Sequence[Basis], *, since: date) -> tuple[Month, ...]:
    """The months of several services as one table."""
    each = [basis.months(since=since) for basis in bases]
    return tuple(
        Month(
            several[0].start,
            sum((month.before for month in several), Decimal(0)),
            sum((month.after for month in several), Decimal(0)),
        )
        for several in zip(*each, strict=True)
    )


@dataclass(frozen=True, slots=True)
class FirstBill:
    """The first bill that the change is seen on: its day, and its lines by service.

    `besides` is what would have been on it without the change, so that the rest is the change's.
    """

    on: date
    lines: tuple[tuple[BillLine, ...], ...]
    besides: Decimal

    @property
    def total(self) -> Decimal:
        return sum((line.amount for lines in self.lines for line in lines), Decimal(0))


def first_bill(bases: Sequence[Basis], *, today: date) -> FirstBill | None:
    """The first bill from today on that is not what it would be without the changes."""
    done = [(NOTHING, NOTHING)] * len(bases)
    day: date | None = today
    for _turn in range(MOST_BILLS):
        if day is None:
            return None
        now = [(basis.unchanged(day), basis.changed(day)) for basis in bases]
        if any(difference(without, changed) for without, changed in now):
            lines = [
                _apart(was[1].lines, is_[1].lines)[1] for was, is_ in zip(done, now, strict=True)
            ]
            due = [
                _apart(was[0].lines, is_[0].lines)[1] for was, is_ in zip(done, now, strict=True)
            ]
            besides = sum((line.amount for several in due for line in several), Decimal(0))
            return FirstBill(day, tuple(tuple(several) for several in lines), besides)
        done = now
        days = [found.next_due_on for both in now for found in both if found.next_due_on]
        day = min((each for each in days if each > day), default=None)
    return None
