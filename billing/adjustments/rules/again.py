"""An adjustment computed again from its basis and its source: steps, target, difference."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

from o2b.charging import Step
from o2b.charging.pricing.explained import told
from o2b.charging.terms import plain
from o2b.money import EXACT, minor_units, of_minor_units, part_of, quantise, to_decimal

_ZERO = Decimal(0)


class BasisBroken(ValueError):
    """The basis is none that drafting wrote."""


class Off(NamedTuple):
    """A coupon: a percentage, or a fixed amount of each of its periods."""

    percent: bool
    value: Decimal


class AtLeast(NamedTuple):
    """A minimum: its minimum, and whether it is shared by days."""

    minimum: Decimal
    prorated: bool


class Again(NamedTuple):
    """`amount` is the target less what was given before; `agrees`: the basis says the same of it.

    `corrects`: its tax is a difference, too.
    """

    steps: tuple[Step, ...]
    target: Decimal
    before: Decimal
    amount: Decimal
    agrees: bool
    corrects: bool


def again(source: Off | AtLeast, basis: Any, *, before: Decimal, currency: str) -> Again:
    """`before` is the sum of the earlier revisions, as their rows say. Raises BasisBroken."""
    try:
        if isinstance(source, Off):
            steps, target = _off(source, basis, currency)
        else:
            steps, target = _at_least(source, basis, currency)
        said, corrects = Decimal(basis["before"]), bool(basis["corrects"])
    except (ArithmeticError, KeyError, TypeError, ValueError) as exc:
        raise BasisBroken(f"{type(exc).__name__}: {exc}") from exc
    amount = EXACT.subtract(target, before)
    if before:
        text = f"{_signed(target)} − {_signed(before)}"
        steps = (*steps, Step("given before", text, amount))
    return Again(tuple(steps), target, before, amount, said == before, corrects)


_Told = tuple[tuple[Step, ...], Decimal]


def _off(source: Off, basis: Mapping[str, Any], currency: str) -> _Told:
    left = Decimal(basis["left"])
    if not left:
        nothing = quantise(_ZERO, currency)
        return (Step("nothing left to reduce", "0", nothing),), nothing
    if source.percent:
        exact = to_decimal(Fraction(left) * Fraction(source.value) / 100)
        target = -min(quantise(exact, currency), left)
        return (Step("discount", f"− {told(left)} × {plain(source.value)} %", target),), target
    of = Decimal(basis["of"])
    whole = min(source.value, of)
    units = floor(Fraction(minor_units(whole, currency)) * Fraction(left) / Fraction(of))
    target = -of_minor_units(units + _unit(basis["more"]), currency)
    text = f"− {told(whole)} × {told(left)} / {told(of)}"
    return (Step("share of the discount", text, target),), target


def _unit(told_: Any) -> int:
    """One minor unit more or none: where it lies among the largest remainders."""
    if told_ not in (0, 1):
        raise BasisBroken(f"{told_!r} is not a remainder")
    return int(told_)


def _at_least(source: AtLeast, basis: Mapping[str, Any], currency: str) -> _Told:
    if basis["billed"] is None:
        nothing = quantise(_ZERO, currency)
        return (Step("no minimum", "0", nothing),), nothing
    billed, days, of_days = Decimal(basis["billed"]), int(basis["days"]), int(basis["of_days"])
    minimum = quantise(source.minimum, currency)
    steps: list[Step] = []
    if source.prorated and days != of_days:
        minimum = quantise(part_of(source.minimum, Fraction(days, of_days)), currency)
        steps.append(Step("minimum", f"{told(source.minimum)} × {days} / {of_days}", minimum))
    target = max(EXACT.subtract(minimum, billed), quantise(_ZERO, currency))
    steps.append(Step("missing", f"max({told(minimum)} − {_signed(billed)}, 0)", target))
    return tuple(steps), target


def _signed(amount: Decimal) -> str:
    return f"({told(amount)})" if amount < 0 else told(amount)
