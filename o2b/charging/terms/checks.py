"""What every part of terms is checked with, and the error that names the culprit."""

from decimal import Decimal
from enum import StrEnum

LARGEST = Decimal(10) ** 15
DECIMALS = 12
PERCENT_DECIMALS = 6


class TermsInvalid(ValueError):
    """Terms that could not be billed; `field` names the culprit."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def check_decimal(field: str, value: Decimal) -> None:
    """A number that prices can be computed with exactly."""
    if not isinstance(value, Decimal):
        raise TermsInvalid(field, "not a decimal number")
    if not value.is_finite():
        raise TermsInvalid(field, f"{value} is not a number")
    if abs(value) >= LARGEST:
        raise TermsInvalid(field, "too large")
    if decimals(value) > DECIMALS:
        raise TermsInvalid(field, f"at most {DECIMALS} decimals")


def check_not_negative(field: str, value: Decimal) -> None:
    """A decimal of zero or more."""
    check_decimal(field, value)
    if value < 0:
        raise TermsInvalid(field, "is not negative")


def check_positive(field: str, value: Decimal) -> None:
    """A decimal above zero."""
    check_decimal(field, value)
    if value <= 0:
        raise TermsInvalid(field, "is more than zero")


def check_count(field: str, value: int, *, least: int = 0, most: int = 100_000) -> None:
    """A whole number within its limits; True is not one."""
    if type(value) is not int:
        raise TermsInvalid(field, "not a whole number")
    if not least <= value <= most:
        raise TermsInvalid(field, f"lies between {least} and {most}")


def check_truth(field: str, value: bool) -> None:
    """Yes or no, and nothing that merely counts as one."""
    if type(value) is not bool:
        raise TermsInvalid(field, "is true or false")


def check_percent(field: str, value: Decimal, *, least: int = -100, most: int = 100) -> None:
    """A percentage with few enough decimals that chains of them stay exact."""
    check_decimal(field, value)
    if not least <= value <= most:
        raise TermsInvalid(field, f"a percentage lies between {least} and {most}")
    if decimals(value) > PERCENT_DECIMALS:
        raise TermsInvalid(field, f"a percentage has at most {PERCENT_DECIMALS} decimals")


def known(target: object, name: str, enum: type[StrEnum], field: str) -> None:
    """Turn a plain string into its member, so that "flat" and Model.FLAT are one."""
    value = getattr(target, name)
    if type(value) is enum:
        return
    try:
        object.__setattr__(target, name, enum(value))
    except ValueError:
        raise TermsInvalid(field, f"{value!r} is not known") from None


def decimals(value: Decimal) -> int:
    """How many decimals a finite value needs, its trailing zeros aside.

    >>> [decimals(Decimal(each)) for each in ("1.50", "2E+3", "1E-999999999", "0E-999999999")]
    [1, 0, 999999999, 0]
    """
    _sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or exponent >= 0:
        return 0
    # Counted, not written: a value of two characters may have more decimals than memory holds.
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(-exponent - zeros, 0) if value else 0


def plain(value: Decimal) -> str:
    """A decimal without exponent, trailing zeros or a negative zero.

    >>> plain(Decimal("20.00")), plain(Decimal("2E+1")), plain(Decimal("-0.50"))
    ('20', '20', '-0.5')
    """
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
