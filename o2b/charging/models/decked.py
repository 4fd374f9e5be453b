"""Calls rated by a deck: each by the rate of its prefix, summed before anything is divided."""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter

from o2b.charging.decks import RATE_DECIMALS, DeckRate, NoRate, RateMissing
from o2b.charging.models.blocks import quotient
from o2b.charging.models.calls import RatedCall, rate_call, unpaid
from o2b.charging.terms import CallRates, DeckRates, Slot, Started, Window
from o2b.charging.usage import Event
from o2b.money import EXACT

DAY_SECONDS = 86_400
_ZERO = Decimal(0)
_ONE = Decimal(1)
_WHOLE = attrgetter("whole")


def rates_of(terms: DeckRates, rate: DeckRate) -> CallRates:
    """The rates of one prefix as those of any call: its increments, its share in each window."""
    return CallRates(tuple(_window(each.from_minute, each.percent, rate) for each in terms.windows))


def _window(from_minute: int, percent: Decimal, rate: DeckRate) -> Window:
    price, fee = _share(rate.rate, percent), _share(rate.connect_fee, percent)
    slots = [Slot(0, price, rate.per_seconds, rate.first_seconds)]
    if rate.next_seconds != rate.first_seconds:
        slots.append(Slot(rate.first_seconds, price, rate.per_seconds, rate.next_seconds))
    return Window(from_minute, tuple(slots), fee)


def _share(amount: Decimal, percent: Decimal) -> Decimal:
    return EXACT.multiply(amount, percent).scaleb(-2, context=EXACT)


def rate_decked(
    terms: DeckRates, event: Event, *, started: Started = Started.WHOLE
) -> tuple[DeckRate, RatedCall]:
    """One call with the rate that it was told with; RateMissing where it has none."""
    rate = event.rate
    if not isinstance(rate, DeckRate):
        raise RateMissing(rate)
    return rate, rate_call(rates_of(terms, rate), event.value, event.at, started=started)


def price_decked(
    terms: DeckRates, events: Sequence[Event], *, started: Started = Started.WHOLE
) -> Decimal:
    """Σ over the calls: connect fee + rate × billed seconds ÷ per_seconds, by their windows.

    What `rate_call` says of each call, added up: of calls of whole seconds that lie in one window
    the products are summed as whole millionths and divided once. RateMissing where a call has no
    rate. Source: CGRateS, rating by destination.
    """
    sums = _Sums(terms, started)
    if started is Started.WHOLE and len(terms.windows) == 1:
        sums.add_all(events)
    else:
        for event in events:
            sums.add(event)
    return sums.total()


class _Sums:
    """Fees, and rate × seconds, in millionths by window; calls that are cut stand alone."""

    def __init__(self, terms: DeckRates, started: Started) -> None:
        self.terms, self.started = terms, started
        self.starts = [each.from_minute * 60 for each in terms.windows]
        self.fees = [0] * len(self.starts)
        # By window and the seconds that a rate is for.
        self.weighted: dict[tuple[int, int], int] = {}
        self.alone = _ZERO

    def add_all(self, events: Sequence[Event]) -> None:
        """Calls of one window for the whole day: a million of them must not take long.

        What is asked of every call is asked of all of them at once, as that is not Python's work.
        """
        values, _, rates, covered = zip(*events, strict=True) if events else ((),) * 4
        if any(covered) or not all(map(_ONE.same_quantum, values)):
            for event in events:
                self.add(event)
            return
        wholes = _wholes(rates)
        fees, weighted, per_now = 0, 0, 0  # a deck has one `per_seconds` for all of its rates
        for seconds, (price, fee, per, first, then) in zip(map(int, values), wholes, strict=True):
            if seconds > 0:
                if seconds <= first:
                    billed = first
                elif then > 1 or first > 1:
                    billed = first - (first - seconds) // then * then
                else:
                    billed = seconds
                fees += fee
                if per != per_now:
                    self._weigh(per_now, weighted)
                    weighted, per_now = 0, per
                weighted += price * billed
        self.fees[0] += fees
        self._weigh(per_now, weighted)

    def add(self, event: Event) -> None:
        """A call by the window that holds it; one that windows cut is rated as such."""
        value, at, rate, covered = event
        if not isinstance(rate, DeckRate):
            raise RateMissing(rate)
        if covered or self.started is not Started.WHOLE or not _ONE.same_quantum(value):
            self._add_alone(event)
            return
        price, fee, per, first, then = rate.whole
        seconds = int(value)
        if seconds <= 0:
            return
        billed = first if seconds <= first else first - (first - seconds) // then * then
        n = 0
        if at is not None:
            begins = at.hour * 3600 + at.minute * 60 + at.second
            n = bisect_right(self.starts, begins) - 1
            ends = self.starts[n + 1] if n + 1 < len(self.starts) else DAY_SECONDS
            if begins + billed + (1 if at.microsecond else 0) > ends:
                self._add_alone(event)
                return
        self.fees[n] += fee
        self._weigh(per, price * billed, n)

    def _weigh(self, per: int, weighted: int, window: int = 0) -> None:
        self.weighted[window, per] = self.weighted.get((window, per), 0) + weighted

    def _add_alone(self, event: Event) -> None:
        _, call = rate_decked(self.terms, event, started=self.started)
        self.alone = EXACT.add(self.alone, unpaid(call, event.covered))

    def total(self) -> Decimal:
        total = self.alone
        for fees, window in zip(self.fees, self.terms.windows, strict=True):
            total = EXACT.add(total, _share(_amount(fees), window.percent))
        for (n, per), weighted in self.weighted.items():
            if weighted:
                share = _share(_amount(weighted), self.terms.windows[n].percent)
                total = EXACT.add(total, quotient(share, per))
        return total


def _wholes(rates: Sequence[DeckRate | NoRate | None]) -> list[tuple[int, int, int, int, int]]:
    """What each rate says in millionths; RateMissing for the first call that has none."""
    try:
        return list(map(_WHOLE, rates))
    except AttributeError:  # cheaper than to ask a million times what it is
        raise RateMissing(next(rate for rate in rates if not isinstance(rate, DeckRate))) from None


def _amount(millionths: int) -> Decimal:
    return Decimal(millionths).scaleb(-RATE_DECIMALS, context=EXACT)
