"""Compare two statements about one line; each difference is named."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

AmountKey = tuple[str, date, int]  # charge key, start of the full period, segment
Amounts = Mapping[AmountKey, Decimal]


@dataclass(frozen=True, slots=True)
class Promise:
    """What one side says about a line; None is what it does not speak about.

    No amounts (None) says nothing about amounts; an empty mapping says that there are none.
    """

    product: str | None = None
    version: int | None = None
    quantity: Decimal | None = None
    terms: str | None = None
    amounts: Amounts | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which the sides differ; `key` names the amount it is about."""

    field: str
    promised: object
    actual: object
    message: str
    key: AmountKey | None = None


def compare(promised: Promise, actual: Promise) -> list[Difference]:
    """Every difference: header fields first, then amounts joined both ways, in key order."""
    found = [
        Difference(field, said, is_, f"{field}: promised {said}, found {is_}")
        for field in ("product", "version", "quantity", "terms")
        if (said := getattr(promised, field)) is not None
        and (is_ := getattr(actual, field)) is not None
        and said != is_
    ]
    if promised.amounts is not None and actual.amounts is not None:
        found.extend(_amounts(promised.amounts, actual.amounts))
    return found


def _amounts(promised: Amounts, actual: Amounts) -> Iterator[Difference]:
    if promised == actual:
        return
    for key in sorted(promised.keys() | actual.keys()):
        said, is_ = promised.get(key), actual.get(key)
        if said == is_:
            continue
        what = f"{key[0]} from {key[1]}, segment {key[2]}"
        if is_ is None:
            yield Difference("missing", said, None, f"{what}: promised {said}, not found", key)
        elif said is None:
            yield Difference("unexpected", None, is_, f"{what}: {is_} was not promised", key)
        else:
            yield Difference("amount", said, is_, f"{what}: promised {said}, found {is_}", key)
