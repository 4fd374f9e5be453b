"""Units that cost nothing: what a period includes, carries on, shares with others, and exceeds."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from o2b.charging.terms import DECIMALS, Allowance
from o2b.money import EXACT, Exact, part_of, rounded, sum_of

_ZERO = Decimal(0)
_ONE = Decimal(1)


class DrawOrder(StrEnum):
    """Which units are used first: AT&T takes the plan's own, Zuora lets the seller choose."""

    OWN_FIRST = "own_first"
    CARRIED_FIRST = "carried_first"


class ChargeAt(StrEnum):
    """When a window of several periods is charged for what goes beyond its pool.

    running: in the period in which the pool is used up. end: in the window's last period.
    rolling: in the last period too, but a window without overage moves on by one period instead
    of starting anew. Source: Zuora, overage smoothing, "as soon as it occurs" and "at the end of
    smoothing period".
    """

    RUNNING = "running"
    END = "end"
    ROLLING = "rolling"


class Part(NamedTuple):
    """A share of a period that one quantity was served."""

    quantity: Decimal = _ONE
    share: Exact = _ONE


class PoolPeriod(NamedTuple):
    """One full period: what was used, the share of it that was served, and at which quantity.

    `parts` instead of share and quantity where the quantity changes in the middle.
    """

    used: Decimal
    share: Exact = _ONE
    quantity: Decimal = _ONE
    parts: tuple[Part, ...] = ()


class Settled(NamedTuple):
    """One period: rolled_in + included − drawn − drawn_rollover is what is left.

    Of that, `rolled_out` stays for the next period. `drawn` are units of the period itself. A
    window adds its whole pool in its first period; later ones add only what a change of quantity
    brings or, below zero, takes. used = drawn + drawn_rollover + overage, but that a window which
    is charged at its end owes the difference until then.
    """

    included: Decimal
    rolled_in: Decimal
    drawn: Decimal
    drawn_rollover: Decimal
    overage: Decimal
    rolled_out: Decimal

    @property
    def available(self) -> Decimal:
        """What could be used without charge when the period began."""
        return EXACT.add(self.rolled_in, self.included)

    @property
    def rollover_left(self) -> Decimal:
        """What is left of the units that came from earlier periods."""
        return EXACT.subtract(self.rolled_in, self.drawn_rollover)


def included_units(allowance: Allowance, parts: Sequence[Part]) -> Decimal:
    """The units of one period: units [× quantity] [× share], summed over its parts.

    Prorated, 100 units in 15 of 30 days are 50 (Rogers); 10 seats of 100 units and 5 more for
    half the month are 1,250 (Salesforce, grants): rounded half up to 12 decimals, as quantities
    are. Not prorated, the largest quantity counts.
    """
    if not allowance.prorated:
        largest = max((part.quantity for part in parts), default=_ZERO)
        return EXACT.multiply(allowance.units, largest) if allowance.per_unit else allowance.units
    served = Fraction(0)
    for quantity, share in parts:
        served += Fraction(share) * (Fraction(quantity) if allowance.per_unit else 1)
    return rounded(part_of(allowance.units, served), DECIMALS)


def beyond(free: Decimal, used: Decimal, already: Decimal = _ZERO) -> Decimal:
    """Units to charge of `used`, after `already` units of the same free ones were used.

    max(already + used − free, 0) − max(already − free, 0). Source: OpenMeter, usage discounts.
    """
    before = max(EXACT.subtract(already, free), _ZERO)
    return EXACT.subtract(max(EXACT.subtract(EXACT.add(already, used), free), _ZERO), before)


def settle(
    allowance: Allowance,
    periods: Sequence[PoolPeriod],
    *,
    carried: Decimal = _ZERO,
    order: DrawOrder = DrawOrder.OWN_FIRST,
    lasts: int | None = None,
) -> list[Settled]:
    """Each period in order: its own units, those carried on, and what goes beyond both.

    overage = max(used − included − rolled_in, 0); rolled_out = min(what is left, rollover).
    `carried` are units from before the first period. With `lasts`, units that are still unused
    that many periods after their own expire (AT&T: 12, Zuora: Rollover Periods); the oldest are
    drawn first. Without it the order of drawing never changes what is charged.
    An allowance with a window is settled as its pool is used up.
    """
    if allowance.window > 1:
        return settle_window(allowance, periods, charge_at=ChargeAt.RUNNING)
    found: list[Settled] = []
    held = [carried] if carried else []  # carried units by the period they stem from, oldest first
    for period in periods:
        included = included_units(allowance, _parts(period))
        rolled_in = sum_of(held)
        drawn, drawn_rollover, overage = _draw(period.used, included, rolled_in, order)
        held = _taken(held, drawn_rollover)
        held.append(EXACT.subtract(included, drawn))
        held = _kept(held, allowance.rollover, lasts)
        found.append(Settled(included, rolled_in, drawn, drawn_rollover, overage, sum_of(held)))
    return found


def settle_window(
    allowance: Allowance,
    periods: Sequence[PoolPeriod],
    *,
    charge_at: ChargeAt = ChargeAt.RUNNING,
    ended: bool = False,
) -> list[Settled]:
    """Pools of `window` periods each, used in order; ChargeAt says when overage is charged.

    The pool is the sum of its periods' allowances; periods to come count as full ones at the
    present quantity, so a run month by month gives what one late run gives. `ended`: no more
    periods come, so that a window which is not full is charged in the last one.
    Source: Zuora, overage smoothing, rolling window.
    """
    running = charge_at is ChargeAt.RUNNING
    found: list[Settled] = []
    window: list[PoolPeriod] = []  # the periods that share the pool, the present one last
    charged = _ZERO
    before = _Window()
    for i, period in enumerate(periods):
        window.append(period)
        now = _Window.of(allowance, window, charged)
        last = len(window) == allowance.window or (ended and i == len(periods) - 1)
        overage = now.over if running or last else _ZERO
        included = EXACT.subtract(now.pool, before.pool)
        free = EXACT.subtract(min(now.used, now.pool), min(before.used, before.pool))
        drawn = min(free, max(included, _ZERO))
        rolled_in, drawn_rollover = before.left, EXACT.subtract(free, drawn)
        charged = EXACT.add(charged, overage)
        if last:
            moves = charge_at is ChargeAt.ROLLING and not overage
            window, charged = window[1:] if moves else [], _ZERO
        before = _Window.of(allowance, window, charged)
        found.append(Settled(included, rolled_in, drawn, drawn_rollover, overage, before.left))
    return found


class _Window(NamedTuple):
    """A window so far: its pool and what was used of it; units that were charged were not."""

    pool: Decimal = _ZERO
    used: Decimal = _ZERO

    @classmethod
    def of(cls, allowance: Allowance, window: Sequence[PoolPeriod], charged: Decimal) -> "_Window":
        if not window:
            return cls()
        parts = [_parts(period) for period in window]
        pool = sum_of(included_units(allowance, each) for each in parts)
        to_come = Decimal(allowance.window - len(window))
        full = included_units(allowance, (Part(parts[-1][-1].quantity),))
        used = EXACT.subtract(sum_of(period.used for period in window), charged)
        return cls(EXACT.fma(full, to_come, pool), used)

    @property
    def over(self) -> Decimal:
        return max(EXACT.subtract(self.used, self.pool), _ZERO)

    @property
    def left(self) -> Decimal:
        return max(EXACT.subtract(self.pool, self.used), _ZERO)


def _parts(period: PoolPeriod) -> tuple[Part, ...]:
    return period.parts or (Part(period.quantity, period.share),)


def _draw(
    used: Decimal, own: Decimal, carried: Decimal, order: DrawOrder
) -> tuple[Decimal, Decimal, Decimal]:
    """How much comes from the period's own units, from carried ones, and from neither."""
    first, second = (own, carried) if order is DrawOrder.OWN_FIRST else (carried, own)
    of_first = min(used, first)
    of_second = min(EXACT.subtract(used, of_first), second)
    overage = EXACT.subtract(EXACT.subtract(used, of_first), of_second)
    if order is DrawOrder.OWN_FIRST:
        return of_first, of_second, overage
    return of_second, of_first, overage


def _taken(held: list[Decimal], units: Decimal) -> list[Decimal]:
    """What stays of carried units when some are drawn, the oldest first."""
    kept: list[Decimal] = []
    for each in held:
        part = min(each, units)
        units = EXACT.subtract(units, part)
        kept.append(EXACT.subtract(each, part))
    return kept


def _kept(held: list[Decimal], most: Decimal | None, lasts: int | None) -> list[Decimal]:
    """What the next period gets: young enough, and the youngest first up to the most allowed."""
    if most is None:
        return []
    young = held if lasts is None else held[max(len(held) - lasts, 0) :]
    kept: list[Decimal] = []
    for each in reversed(young):
        part = min(each, most)
        most = EXACT.subtract(most, part)
        kept.append(part)
    return kept[::-1]
