"""What makes a meter's version sound, and a price of usage one that something is measured for."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from o2b.catalog.rules.books import BookRow, RowFault
from o2b.catalog.rules.faults import Fault
from o2b.catalog.rules.faults import gettext_noop as _
from o2b.charging import Aggregation
from o2b.charging.decks import MOST_DIGITS
from o2b.charging.terms import DIMENSION, Kind, Where, decimals

MOST_DECIMALS = 12
MOST_DIMENSIONS = 8
MOST_CHOICES = 200
LONGEST_CHOICE = 100
LARGEST = Decimal(10) ** 15
# What an event says in places of its own, and what a total keeps beside the dimensions.
RESERVED = frozenset({"id", "source", "subject", "time", "type", "unit", "value"})
PARTS = frozenset({"name", "required", "choices", "digits"})
_BAD = re.compile(r"[\x00-\x1f\x7f]")

UNKNOWN = _(
    "There is no published meter “%(meter)s”: publish it first, or leave the meter empty to measure"
    " by the charge's own key."
)
NO_DIMENSION = _("Meter %(meter)s has no dimension “%(name)s”: add it to the meter first.")
NO_CHOICE = _("Dimension %(name)s of meter %(meter)s has no choice “%(value)s”.")
UNMEASURED = _(
    "%(product)s, %(key)s: no published meter has the code “%(meter)s”, so no usage can come in."
)
STILL_HANGING = _(
    "Prices hang on the time of each event (%(prices)s): keep it, and sell what does not by another"
    " meter."
)
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """What the draft of a meter's version says, beside what is fixed and what runs."""

    aggregation: str
    starts_on: date
    decimals: int
    least: Decimal
    most: Decimal
    dimensions: Sequence[Mapping[str, Any]]
    timed: bool
    running_from: date | None = None
    # Dimensions that are published, with the digits that totals keep of a number.
    kept: Mapping[str, int] = field(default_factory=dict)
    # Keys of prices that hang on the time of each event, published, signed or promised.
    hanging: Sequence[str] = ()


def faults_of_measure(said: Measure) -> Iterator[Fault]:
    """Everything that is wrong with it, by field."""
    if said.running_from and said.starts_on < said.running_from:
        yield _fault(
            "starts_on",
            _("It begins before the running version, which counts from %(day)s."),
            day=said.running_from,
        )
    if not 0 <= said.decimals <= MOST_DECIMALS:
        message = _("A value has 0 to %(most)s decimals.")
        yield _fault("decimals", message, most=MOST_DECIMALS)
    for name in ("least", "most"):
        value: Decimal = getattr(said, name)
        if not value.is_finite() or abs(value) > LARGEST or decimals(value) > MOST_DECIMALS:
            message = _("At most 15 digits before the point and 12 after it.")
            yield _fault(name, message)
            return
    if said.most < said.least:
        yield _fault("most", _("The highest value lies below the lowest."))
    if said.timed and said.aggregation != Aggregation.EACH:
        message = _("Only where each event counts by itself does a total keep its time.")
        yield _fault("timed", message)
    if said.hanging and not said.timed:
        yield _fault("timed", STILL_HANGING, prices=", ".join(said.hanging[:MOST_NAMED]))
    yield from _of_dimensions(said)


def _of_dimensions(said: Measure) -> Iterator[Fault]:
    if len(said.dimensions) > MOST_DIMENSIONS:
        message = _("At most %(most)s dimensions.")
        yield _fault("dimensions", message, most=MOST_DIMENSIONS)
        return
    names: list[str] = []
    for n, each in enumerate(said.dimensions):
        at = f"dimensions[{n}]"
        if not isinstance(each, Mapping) or set(each) - PARTS:
            message = _("A dimension says name, required, choices and digits, and nothing else.")
            yield _fault(at, message)
            continue
        yield from _of_dimension(each, at, names)
        yield from _of_digits(each, at, said.kept)
        names.append(str(each.get("name")))
    for name in sorted(set(said.kept) - set(names)):
        message = _("Dimension “%(name)s” is published: prices and totals use it, so it stays.")
        yield _fault("dimensions", message, name=name)


def _of_dimension(each: Mapping[str, Any], at: str, before: Collection[str]) -> Iterator[Fault]:
    name = each.get("name")
    if not isinstance(name, str) or not DIMENSION.fullmatch(name):
        message = _("A name of small letters, digits and _, which begins with a letter.")
        yield _fault(f"{at}.name", message)
    elif name in RESERVED:
        message = _("“%(name)s” means something else in every event: choose another name.")
        yield _fault(f"{at}.name", message, name=name)
    elif name in before:
        yield _fault(f"{at}.name", _("The name is there twice."))
    if type(each.get("required", False)) is not bool:
        yield _fault(f"{at}.required", _("Say yes or no."))
    choices = each.get("choices", [])
    if not isinstance(choices, list | tuple) or not all(_is_choice(one) for one in choices):
        message = _("Choices are texts of 1 to %(longest)s characters.")
        yield _fault(f"{at}.choices", message, longest=LONGEST_CHOICE)
    elif len(choices) > MOST_CHOICES or len(set(choices)) < len(choices):
        message = _("At most %(most)s choices, each of them once.")
        yield _fault(f"{at}.choices", message, most=MOST_CHOICES)


def _of_digits(each: Mapping[str, Any], at: str, kept: Mapping[str, int]) -> Iterator[Fault]:
    """A number: as many digits for ever, said by every event, and none of a few choices."""
    digits = each.get("digits", 0)
    if type(digits) is not int or not 0 <= digits <= MOST_DIGITS:
        message = _("Of a number 1 to %(most)s digits are kept.")
        yield _fault(f"{at}.digits", message, most=MOST_DIGITS)
        return
    if digits and each.get("required") is not True:
        message = _("What a price is found by is said by every event: make it required.")
        yield _fault(f"{at}.required", message)
    if digits and each.get("choices"):
        yield _fault(f"{at}.choices", _("A number has no choices."))
    name = str(each.get("name"))
    if name in kept and kept[name] != digits:
        message = _("“%(name)s” is published with %(digits)s digits of a number: so it stays.")
        yield _fault(f"{at}.digits", message, name=name, digits=kept[name])


def _fault(field: str, message: str, **facts: object) -> Fault:
    return Fault(field, message, facts, "meter_invalid")


def _is_choice(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_CHOICE:
        return False
    return value == value.strip() and not _BAD.search(value)


# The dimensions of each published meter by its code, with the choices of each (none: any text).
Meters = Mapping[str, Mapping[str, Collection[str]]]


def faults_of_usage(rows: Sequence[BookRow], meters: Meters) -> Iterator[RowFault]:
    """Prices whose meter was named and is unknown, or that ask for usage which cannot come."""
    for row in rows:
        charge = row.charge
        if charge.kind is not Kind.USAGE:
            continue
        known = meters.get(charge.meter_code)
        if known is None:
            if charge.meter:
                yield row.fault("details.meter", UNKNOWN, meter=charge.meter)
            continue
        for each in charge.where:
            yield from _of_where(row, each, known.get(each.name))


def _of_where(row: BookRow, asked: Where, choices: Collection[str] | None) -> Iterator[RowFault]:
    told = {"meter": row.charge.meter_code, "name": asked.name}
    if choices is None:
        yield row.fault("details.where", NO_DIMENSION, **told)
        return
    for value in asked.values:
        if choices and value not in choices:
            yield row.fault("details.where", NO_CHOICE, **told, value=value)


def unmeasured(rows: Sequence[BookRow], meters: Meters) -> Iterator[RowFault]:
    """Prices of usage without a meter of their key: they may be published, but nothing comes."""
    for row in rows:
        charge = row.charge
        if charge.kind is Kind.USAGE and not charge.meter and charge.key not in meters:
            yield row.fault("details.meter", UNMEASURED, meter=charge.key)
