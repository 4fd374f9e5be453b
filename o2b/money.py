"""Money: an exact amount in a currency, rounded half up to the currency's minor unit."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
)
from functools import lru_cache
from math import lcm
from typing import Self

from babel.numbers import get_currency_precision, list_currencies

PRECISION = 120

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


def quantise(amount: Decimal, currency: str) -> Decimal:
    """Round half up, away from zero at a tie, to the minor unit; never a negative zero.

    >>> quantise(Decimal("2.675"), "EUR"), quantise(Decimal("-0.5"), "JPY")
    (Decimal('2.68'), Decimal('-1'))
    """
    rounded = amount.quantize(minor_unit(currency), context=ROUNDING)
    return rounded if rounded else rounded.copy_abs()


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
        units = int(self.amount.scaleb(-int(unit.as_tuple().exponent), context=ROUNDING))
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
