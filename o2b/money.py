"""Money: an exact amount in a currency, rounded half up to the minor unit if not told how."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Self

from babel.numbers import get_currency_precision, list_currencies

PRECISION = 200

# Sums and products are exact or raise; only a quotient and a rounding may lose digits.
EXACT = Context(
    prec=PRECISION,
    rounding=ROUND_HALF_UP,
    traps=[Inexact, InvalidOperation, Overflow, DivisionByZero],
)
ROUNDING = Context(
    prec=PRECISION,
    rounding=ROUND_HALF_UP,
    traps=[InvalidOperation, Overflow, DivisionByZero],
)


class Rounding(StrEnum):
    """What becomes of less than a minor unit; half up is away from zero at a tie."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


_MODES = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.UP: ROUND_UP,
    Rounding.DOWN: ROUND_DOWN,
}

# A number without error: thirds and sevenths stay fractions until an amount is rounded.
Exact = Decimal | Fraction | int

_NOT_MONEY = frozenset({"XXX", "XTS"})  # "no currency" and "for testing" in ISO 4217


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum or comparison."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"{left} and {right} cannot be mixed")
        self.left = left
        self.right = right


class UnknownCurrency(ValueError):
    """The code names no currency."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code!r} is not a currency")
        self.code = code


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies()) - _NOT_MONEY


def is_currency(code: str) -> bool:
    """Whether the Unicode CLDR knows `code` (upper case) as a currency."""
    return code in _currencies()


@lru_cache(maxsize=512)
def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency, by Unicode CLDR.

    >>> minor_unit("EUR"), minor_unit("JPY"), minor_unit("KWD")
    (Decimal('0.01'), Decimal('1'), Decimal('0.001'))
    """
    if not is_currency(currency):
        raise UnknownCurrency(currency)
    return Decimal(1).scaleb(-get_currency_precision(currency))


def quantise(amount: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP) -> Decimal:
    """Round to the minor unit, half up (away from zero at a tie) if not told; no negative zero.

    >>> quantise(Decimal("2.675"), "EUR"), quantise(Decimal("-0.5"), "JPY")
    (Decimal('2.68'), Decimal('-1'))
    """
    return _to_step(amount, minor_unit(currency), rounding)


def rounded(amount: Exact, places: int, rounding: Rounding = Rounding.HALF_UP) -> Decimal:
    """Round to a number of decimals: units of one's own (tokens, points) and unit prices.

    >>> rounded(Decimal("12.31245"), 4), rounded(Fraction(2, 3), 2, Rounding.DOWN)
    (Decimal('12.3125'), Decimal('0.66'))
    """
    return _to_step(to_decimal(amount), Decimal(1).scaleb(-places), rounding)


def round_cash(
    amount: Decimal, increment: Decimal, rounding: Rounding = Rounding.HALF_UP
) -> Decimal:
    """The nearest amount that coins can pay: a multiple of the smallest coin.

    Rounded once, on the total, not on its lines (Invoice Ninja; Swiss francs to 0.05).

    >>> round_cash(Decimal("20.18"), Decimal("0.05"))
    Decimal('20.20')
    """
    if increment <= 0:
        raise ValueError(f"a coin of {increment} does not exist")
    coins = _to_step(ROUNDING.divide(amount, increment), Decimal(1), rounding)
    return EXACT.multiply(coins, increment)


def minor_units(amount: Decimal, currency: str, rounding: Rounding = Rounding.HALF_UP) -> int:
    """An amount in whole minor units, as payment providers want it.

    >>> minor_units(Decimal("12.34"), "EUR"), minor_units(Decimal("12"), "JPY")
    (1234, 12)
    """
    return int(ROUNDING.divide(quantise(amount, currency, rounding), minor_unit(currency)))


def of_minor_units(units: int | Decimal, currency: str) -> Decimal:
    """The amount that so many minor units are; a fraction of one is kept.

    >>> of_minor_units(1234, "EUR"), of_minor_units(1234, "KWD")
    (Decimal('12.34'), Decimal('1.234'))
    """
    return EXACT.multiply(Decimal(units), minor_unit(currency))


def part_of(amount: Exact, share: Exact) -> Decimal:
    """amount × share, multiplied before it is divided, so that 30 × 1/3 is 10.

    >>> part_of(Decimal("30"), Fraction(1, 3)), part_of(Decimal("20"), Decimal("0.5"))
    (Decimal('10'), Decimal('10.0'))
    """
    if isinstance(amount, Decimal) and isinstance(share, Decimal):
        return EXACT.multiply(amount, share)
    return to_decimal(Fraction(amount) * Fraction(share))


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; what `sum` would round to 28 digits."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def to_decimal(value: Exact) -> Decimal:
    """A number as a Decimal of 200 digits: enough that a rounding of it is that of the fraction.

    What ends within those digits is exact, so a tie stays one.
    """
    if isinstance(value, Decimal):
        return value
    return ROUNDING.divide(Decimal(value.numerator), Decimal(value.denominator))


def _to_step(amount: Decimal, step: Decimal, rounding: Rounding) -> Decimal:
    found = amount.quantize(step, _MODES[rounding], context=ROUNDING)
    return found if found else found.copy_abs()


@dataclass(frozen=True, slots=True)
class Money:
    """An amount and its currency; exact until `rounded()` is asked for."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"an amount is a Decimal, not {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError(f"{self.amount} is not an amount")
        if not is_currency(self.currency):
            raise UnknownCurrency(self.currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        """Nothing, written with the currency's decimals."""
        return cls(quantise(Decimal(0), currency), currency)

    def _in_same(self, other: "Money") -> Decimal:
        if not isinstance(other, Money):
            raise TypeError(f"{self} and {other!r} cannot be mixed")
        if other.currency != self.currency:
            raise CurrencyMismatch(self.currency, other.currency)
        return other.amount

    def __add__(self, other: "Money") -> "Money":
        return Money(EXACT.add(self.amount, self._in_same(other)), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(EXACT.subtract(self.amount, self._in_same(other)), self.currency)

    def __mul__(self, factor: Decimal | int) -> "Money":
        if not isinstance(factor, Decimal | int):
            return NotImplemented
        return Money(EXACT.multiply(self.amount, Decimal(factor)), self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> "Money":
        return Money(self.amount.copy_negate() if self.amount else self.amount, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._in_same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._in_same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._in_same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._in_same(other)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    def rounded(self) -> "Money":
        """The amount at the currency's minor unit, half up."""
        return Money(quantise(self.amount, self.currency), self.currency)

    def allocate(self, weights: Sequence[Decimal | int]) -> list["Money"]:
        """Split a rounded amount by weight so that the parts add up to it.

        Largest remainder (Hamilton's method) in minor units; a tie goes to the earlier part.

        >>> [str(part) for part in Money(Decimal("10.00"), "EUR").allocate([1, 1, 1])]
        ['3.34 EUR', '3.33 EUR', '3.33 EUR']
        """
        if self.rounded().amount != self.amount:
            raise ValueError(f"{self} must be rounded before it is allocated")
        unit = minor_unit(self.currency)
        units = minor_units(self.amount, self.currency)
        shares = _largest_remainder(abs(units), _whole_weights(weights))
        sign = -1 if units < 0 else 1
        return [Money(EXACT.multiply(unit, Decimal(sign * s)), self.currency) for s in shares]


def zero(currency: str) -> Money:
    """Nothing, in a currency: the start of a sum."""
    return Money.zero(currency)


def _whole_weights(weights: Sequence[Decimal | int]) -> list[int]:
    """Weights as integers of the same proportion; all zero means equal."""
    fractions = [Decimal(weight).as_integer_ratio() for weight in weights]
    if not fractions:
        raise ValueError("an amount cannot be allocated to nobody")
    if any(numerator < 0 for numerator, _ in fractions):
        raise ValueError("a weight is negative")
    common = lcm(*(denominator for _, denominator in fractions))
    whole = [numerator * (common // denominator) for numerator, denominator in fractions]
    return whole if any(whole) else [1] * len(whole)


def _largest_remainder(units: int, weights: list[int]) -> list[int]:
    total = sum(weights)
    shares = [units * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(units * weights[i] % total), i))
    for i in by_remainder[: units - sum(shares)]:
        shares[i] += 1
    return shares
