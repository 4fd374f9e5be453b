"""Calls rated by their seconds: increments, connect fee, slots of the call, windows of the day."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from math import lcm
from typing import NamedTuple

from o2b.charging.models.blocks import quotient, started_blocks
from o2b.charging.terms import CallRates, Slot, Started, Window
from o2b.money import EXACT

_ZERO = Decimal(0)
_DAY = 86_400
_MICRO = Decimal("0.000001")


class Leg(NamedTuple):
    """A part of a call at one rate: `billed` seconds at rate ÷ per_seconds."""

    slot: Slot
    billed: Decimal


class RatedCall(NamedTuple):
    """What a call costs, its connect fee included, and the seconds that were billed."""

    amount: Decimal
    billed_seconds: Decimal
    connect_fee: Decimal = _ZERO
    legs: tuple[Leg, ...] = ()


def billed_seconds(seconds: Decimal | int, first: int, then: int) -> Decimal:
    """The first increment whole, then further started ones: 60/1, 60/60, 30/6, 1/1.

    first + then × ⌈(seconds − first) ÷ then⌉; a call of no seconds has none.

    >>> [str(billed_seconds(s, 60, 1)) for s in (0, 45, 75)]
    ['0', '60', '75']
    """
    told = Decimal(seconds)
    if told <= 0:
        return _ZERO
    if told <= first:
        return Decimal(first)
    more = started_blocks(EXACT.subtract(told, first), Decimal(then))
    return EXACT.fma(more, then, first)


def seconds_between(begins: datetime, ends: datetime) -> Decimal:
    """The seconds of a call; microseconds count.

    >>> seconds_between(datetime(2026, 1, 1, 17, 30), datetime(2026, 1, 1, 18, 30))
    Decimal('3600')
    """
    if ends < begins:
        raise ValueError(f"a call ends after it begins: {begins} to {ends}")
    told = ends - begins
    whole = EXACT.fma(Decimal(told.days), _DAY, told.seconds)
    return EXACT.fma(Decimal(told.microseconds), _MICRO, whole) if told.microseconds else whole


def rate_call(
    rates: CallRates,
    seconds: Decimal | int,
    at: datetime | None = None,
    *,
    started: Started = Started.WHOLE,
) -> RatedCall:
    """Connect fee + Σ over the parts: rate × billed seconds ÷ per_seconds.

    Each part ends where a slot of the call or a window of the local day `at` (wall clock) begins;
    a started increment is charged whole and the next part begins behind it. The connect fee is
    due once, by the window the call begins in. A call whose moment is not told is rated by the
    first window alone; one of no seconds costs nothing. Source: CGRateS, rating of intervals.
    """
    told = Decimal(seconds)
    if told <= 0:
        return RatedCall(_ZERO, _ZERO)
    legs = tuple(_legs(rates, told, at, started))
    fee = _window(rates, _second_of_day(at)).connect_fee
    # One division over the common denominator: seconds of a minute rarely divide evenly.
    below = lcm(*(leg.slot.per_seconds for leg in legs)) if legs else 1
    above = billed = _ZERO
    for slot, length in legs:
        weighted = EXACT.multiply(length, below // slot.per_seconds)
        above = EXACT.fma(slot.rate, weighted, above)
        billed = EXACT.add(billed, length)
    return RatedCall(EXACT.add(fee, quotient(above, below)), billed, fee, legs)


def unpaid(call: RatedCall, covered: Decimal) -> Decimal:
    """What a call costs beyond prepaid seconds: connect fee + the rest × open ÷ billed seconds.

    A call that is covered whole costs nothing; any second left open brings the connect fee.

    >>> unpaid(RatedCall(Decimal("2.5"), Decimal(120), Decimal("0.5")), Decimal(60))
    Decimal('1.5')
    """
    if not covered:
        return call.amount
    left = EXACT.subtract(call.billed_seconds, covered)
    if left <= 0:
        return _ZERO
    rest = EXACT.multiply(EXACT.subtract(call.amount, call.connect_fee), left)
    return EXACT.add(call.connect_fee, quotient(rest, call.billed_seconds))


def _legs(
    rates: CallRates, seconds: Decimal, at: datetime | None, started: Started
) -> Iterator[Leg]:
    begins = _second_of_day(at)
    now = _ZERO
    while now < seconds:
        time = None if begins is None else EXACT.add(begins, now)
        window = _window(rates, time)
        slot, slot_ends = _slot(window, now)
        ends = seconds if slot_ends is None else min(seconds, Decimal(slot_ends))
        if time is not None and len(rates.windows) > 1:
            ends = min(ends, EXACT.add(now, _seconds_until_next(rates, time)))
        length = EXACT.subtract(ends, now)
        step = Decimal(slot.increment_seconds)
        if started is Started.SHARE:
            billed = length
        else:
            billed = EXACT.multiply(started_blocks(length, step, started), step)
        yield Leg(slot, billed)
        now = max(ends, EXACT.add(now, billed))


def _second_of_day(at: datetime | None) -> Decimal | None:
    if at is None:
        return None
    whole = at.hour * 3600 + at.minute * 60 + at.second
    return EXACT.fma(Decimal(at.microsecond), _MICRO, whole)


def _window(rates: CallRates, time: Decimal | None) -> Window:
    """The window of a second since the midnight of the day the call began on."""
    if time is None:
        return rates.windows[0]
    of_day = EXACT.remainder(time, _DAY)
    return [w for w in rates.windows if w.from_minute * 60 <= of_day][-1]


def _seconds_until_next(rates: CallRates, time: Decimal) -> Decimal:
    of_day = EXACT.remainder(time, _DAY)
    starts = [w.from_minute * 60 for w in rates.windows] + [_DAY]
    return EXACT.subtract(min(start for start in starts if start > of_day), of_day)


def _slot(window: Window, now: Decimal) -> tuple[Slot, int | None]:
    """The slot of a second of the call, and where the next one begins."""
    later = [slot.from_second for slot in window.slots if slot.from_second > now]
    slot = [slot for slot in window.slots if slot.from_second <= now][-1]
    return slot, later[0] if later else None
