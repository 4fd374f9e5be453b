"""What a line was promised: its charges, their validation, and the digest that names them."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any

from o2b.money import is_currency
from o2b.periods import Interval

SCHEMA = 1

LARGEST = Decimal(10) ** 15
DECIMALS = 12
PERCENT_DECIMALS = 6
LONGEST_INTERVAL = 366
MOST_DISCOUNTS = 8  # with the limits above every price fits into money.PRECISION digits


class Kind(StrEnum):
    ONE_TIME = "one_time"
    RECURRING = "recurring"
    USAGE = "usage"


class Model(StrEnum):
    FLAT = "flat"
    PER_UNIT = "per_unit"


class Timing(StrEnum):
    ADVANCE = "advance"
    ARREARS = "arrears"


class Alignment(StrEnum):
    ANNIVERSARY = "anniversary"
    BILL_DAY = "bill_day"


class Proration(StrEnum):
    DAY = "day"
    NONE = "none"


class StartRule(StrEnum):
    ON_DELIVERY = "on_delivery"
    EACH_PART = "each_part"
    ON_DATE = "on_date"


class DiscountKind(StrEnum):
    PERCENT = "percent"
    AMOUNT = "amount"


class TermsInvalid(ValueError):
    """Terms that could not be billed; `field` names the culprit."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Discount:
    """Off the price of a full period of the whole line; below zero it is a surcharge."""

    kind: DiscountKind
    value: Decimal

    def __post_init__(self) -> None:
        _known(self, "kind", DiscountKind, "discount.kind")
        _check_decimal("discount.value", self.value)
        if self.kind is DiscountKind.PERCENT:
            if not -100 <= self.value <= 100:
                raise TermsInvalid("discount.value", "a percentage lies between -100 and 100")
            if _decimals(self.value) > PERCENT_DECIMALS:
                raise TermsInvalid(
                    "discount.value", f"a percentage has at most {PERCENT_DECIMALS} decimals"
                )


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """One charge: what it costs per full period, when it is billed and how it is shared."""

    key: str
    kind: Kind
    model: Model
    unit_price: Decimal
    currency: str
    interval: Interval | None
    timing: Timing
    alignment: Alignment
    proration: Proration
    discounts: tuple[Discount, ...] = ()
    tax_code: str = ""
    revenue_rule: str = ""

    def __post_init__(self) -> None:
        if not self.key:
            raise TermsInvalid("key", "a charge needs a key")
        for name, enum in _CHARGE_ENUMS.items():
            _known(self, name, enum, name)
        _check_decimal("unit_price", self.unit_price)
        if not is_currency(self.currency):
            raise TermsInvalid("currency", f"{self.currency!r} is not a currency")
        if len(self.discounts) > MOST_DISCOUNTS:
            raise TermsInvalid("discounts", f"at most {MOST_DISCOUNTS} discounts on a charge")
        self._check_kind()

    def _check_kind(self) -> None:
        if self.kind is Kind.USAGE:
            raise TermsInvalid("kind", "usage cannot be priced yet")
        if self.kind is Kind.RECURRING and self.interval is None:
            raise TermsInvalid("interval", "a recurring charge needs an interval")
        if self.interval is not None and self.interval.count > LONGEST_INTERVAL:
            raise TermsInvalid("interval", f"at most {LONGEST_INTERVAL} units long")
        if self.kind is Kind.ONE_TIME and self.interval is not None:
            raise TermsInvalid("interval", "a one-time charge has no interval")


_CHARGE_ENUMS: dict[str, type[StrEnum]] = {
    "kind": Kind,
    "model": Model,
    "timing": Timing,
    "alignment": Alignment,
    "proration": Proration,
}


@dataclass(frozen=True, slots=True)
class LineTerms:
    """The whole promise of one line: a product's version and 1..n charges."""

    product: str
    version: int
    currency: str
    start_rule: StartRule
    charges: tuple[ChargeTerms, ...] = field(default=())

    def __post_init__(self) -> None:
        _known(self, "start_rule", StartRule, "start_rule")
        validate(self)


def validate(terms: LineTerms) -> None:
    """Raise TermsInvalid where the header and its charges do not make one promise."""
    if not terms.product:
        raise TermsInvalid("product", "terms name a product")
    if terms.version < 1:
        raise TermsInvalid("version", "versions count from 1")
    if not is_currency(terms.currency):
        raise TermsInvalid("currency", f"{terms.currency!r} is not a currency")
    if not terms.charges:
        raise TermsInvalid("charges", "terms hold at least one charge")
    keys = [charge.key for charge in terms.charges]
    for i, charge in enumerate(terms.charges):
        if charge.currency != terms.currency:
            raise TermsInvalid(
                f"charges.{i}.currency", f"{charge.currency} in terms of {terms.currency}"
            )
        if charge.key in keys[:i]:
            raise TermsInvalid(f"charges.{i}.key", f"{charge.key!r} is there twice")


def canonical(terms: LineTerms) -> str:
    """The one way to write these terms: equal terms, equal text.

    A field that a later schema adds is written only where it says something, so that the digest
    of older terms stays what it was.
    """
    document = {
        "schema": SCHEMA,
        "product": terms.product,
        "version": terms.version,
        "currency": terms.currency,
        "start_rule": terms.start_rule.value,
        "charges": [_charge_document(charge) for charge in terms.charges],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(terms: LineTerms) -> str:
    """SHA-256 of the canonical text, in hexadecimal: the name of the terms."""
    return sha256(canonical(terms).encode()).hexdigest()


def from_canonical(text: str) -> LineTerms:
    """Read back what `canonical` wrote."""
    document = json.loads(text)
    if document["schema"] != SCHEMA:
        raise TermsInvalid("schema", f"schema {document['schema']} is unknown")
    return LineTerms(
        product=document["product"],
        version=document["version"],
        currency=document["currency"],
        start_rule=StartRule(document["start_rule"]),
        charges=tuple(_charge(each) for each in document["charges"]),
    )


def plain(value: Decimal) -> str:
    """A decimal without exponent, trailing zeros or a negative zero.

    >>> plain(Decimal("20.00")), plain(Decimal("2E+1")), plain(Decimal("-0.50"))
    ('20', '20', '-0.5')
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _charge_document(charge: ChargeTerms) -> dict[str, Any]:
    interval = charge.interval
    return {
        "key": charge.key,
        "kind": charge.kind.value,
        "model": charge.model.value,
        "unit_price": plain(charge.unit_price),
        "currency": charge.currency,
        "interval": None if interval is None else [interval.unit.value, interval.count],
        "timing": charge.timing.value,
        "alignment": charge.alignment.value,
        "proration": charge.proration.value,
        "discounts": [[each.kind.value, plain(each.value)] for each in charge.discounts],
        "tax_code": charge.tax_code,
        "revenue_rule": charge.revenue_rule,
    }


def _charge(document: dict[str, Any]) -> ChargeTerms:
    interval = document["interval"]
    discounts = tuple(
        Discount(DiscountKind(kind), Decimal(value)) for kind, value in document["discounts"]
    )
    return ChargeTerms(
        **document
        | {
            "unit_price": Decimal(document["unit_price"]),
            "interval": None if interval is None else Interval(*interval),
            "discounts": discounts,
        }
    )


def _known(target: object, name: str, enum: type[StrEnum], field: str) -> None:
    """Turn a plain string into its member, so that "flat" and Model.FLAT are one."""
    value = getattr(target, name)
    if type(value) is enum:
        return
    try:
        object.__setattr__(target, name, enum(value))
    except ValueError:
        raise TermsInvalid(field, f"{value!r} is not known") from None


def _check_decimal(field: str, value: Decimal) -> None:
    if not isinstance(value, Decimal):
        raise TermsInvalid(field, "not a decimal number")
    if not value.is_finite():
        raise TermsInvalid(field, f"{value} is not a number")
    if abs(value) >= LARGEST:
        raise TermsInvalid(field, "too large")
    if _decimals(value) > DECIMALS:
        raise TermsInvalid(field, f"at most {DECIMALS} decimals")


def _decimals(value: Decimal) -> int:
    """How many decimals a finite value needs, its trailing zeros aside."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= 0:
        return 0
    return len(plain(value).partition(".")[2])
