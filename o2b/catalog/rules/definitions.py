"""Whether the typed characteristics that a product version declares make sense."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from o2b.catalog.rules.faults import Fault
from o2b.catalog.rules.faults import gettext_noop as _

TYPES = ("text", "integer", "decimal", "boolean", "choice")
NUMBERS = ("integer", "decimal")
KEYS = frozenset(
    ("name", "label", "type", "choices", "unit", "minimum", "maximum", "required", "default")
)
MOST = 100
MOST_CHOICES = 1000
LONGEST_NAME = 60
LONGEST_UNIT = 30
LONGEST_TEXT = 500
LONGEST_NUMBER = 18
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def faults_of_characteristics(specs: Any, *, field: str = "characteristics") -> list[Fault]:
    """Every fault of the list, each naming its place, such as `characteristics[2].maximum`."""
    if not isinstance(specs, list | tuple):
        return [Fault(field, _("Characteristics are a list."))]
    if len(specs) > MOST:
        return [Fault(field, _("At most %(most)s characteristics."), {"most": MOST})]
    faults: list[Fault] = []
    seen: set[str] = set()
    for i, spec in enumerate(specs):
        at = f"{field}[{i}]"
        if not isinstance(spec, Mapping):
            faults.append(Fault(at, _("A characteristic has a name and a type.")))
            continue
        faults += _of_name(spec, seen, at)
        faults += _of_shape(spec, at)
    return faults


def number_of(value: Any) -> Decimal | None:
    """The number that is written there, if it is one that fits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER:
        return None
    return number


def _of_name(spec: Mapping[str, Any], seen: set[str], at: str) -> Iterator[Fault]:
    name = spec.get("name")
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        yield Fault(
            f"{at}.name",
            _("A name begins with a letter; letters, digits, - and _ follow, %(most)s in all."),
            {"most": LONGEST_NAME},
        )
    elif name in seen:
        yield Fault(f"{at}.name", _("“%(name)s” is there twice."), {"name": name})
    else:
        seen.add(name)


def _of_shape(spec: Mapping[str, Any], at: str) -> Iterator[Fault]:
    for key in sorted(set(map(str, spec)) - KEYS):
        yield Fault(f"{at}.{key[:60]}", _("A characteristic knows no such setting."))
    kind = spec.get("type", "text")
    if kind not in TYPES:
        yield Fault(f"{at}.type", _("The type is one of: %(types)s."), {"types": ", ".join(TYPES)})
        return
    yield from _of_words(spec, kind, at)
    if kind == "choice":
        yield from _of_choices(spec, at)
    elif spec.get("choices"):
        yield Fault(f"{at}.choices", _("Only a choice has choices."))
    yield from _of_range(spec, kind, at)
    if spec.get("default") not in (None, ""):
        yield from _of_default(spec, kind, at)


def _of_words(spec: Mapping[str, Any], kind: str, at: str) -> Iterator[Fault]:
    """The label, the unit, and whether it must be given."""
    label, unit = spec.get("label", ""), spec.get("unit", "")
    if not _is_text(label, LONGEST_TEXT):
        yield Fault(
            f"{at}.label",
            _("A text of up to %(longest)s characters."),
            {"longest": LONGEST_TEXT},
        )
    if not _is_text(unit, LONGEST_UNIT):
        yield Fault(
            f"{at}.unit", _("A text of up to %(longest)s characters."), {"longest": LONGEST_UNIT}
        )
    elif unit and kind not in (*NUMBERS, "choice"):
        yield Fault(f"{at}.unit", _("Only numbers and choices have a unit."))
    if spec.get("required", False) not in (True, False):
        yield Fault(f"{at}.required", _("It is required or not: true or false."))


def _of_choices(spec: Mapping[str, Any], at: str) -> Iterator[Fault]:
    choices = spec.get("choices")
    if not isinstance(choices, list | tuple) or not choices:
        yield Fault(f"{at}.choices", _("A choice needs something to choose from."))
        return
    if len(choices) > MOST_CHOICES:
        yield Fault(f"{at}.choices", _("At most %(most)s choices."), {"most": MOST_CHOICES})
        return
    seen: set[str] = set()
    for i, choice in enumerate(choices):
        whole = isinstance(choice, int) and not isinstance(choice, bool)
        if not whole and not (_is_text(choice, LONGEST_TEXT) and choice.strip()):
            yield Fault(f"{at}.choices[{i}]", _("A choice is a text or a whole number."))
        elif str(choice) in seen:
            yield Fault(
                f"{at}.choices[{i}]", _("“%(name)s” is there twice."), {"name": str(choice)}
            )
        seen.add(str(choice))


def _of_range(spec: Mapping[str, Any], kind: str, at: str) -> Iterator[Fault]:
    limits: dict[str, Decimal] = {}
    for name in ("minimum", "maximum"):
        value = spec.get(name)
        if value in (None, ""):
            continue
        if kind not in NUMBERS:
            yield Fault(f"{at}.{name}", _("Only numbers have a least and a largest value."))
        elif (number := number_of(value)) is None:
            yield Fault(f"{at}.{name}", _("This is no number."))
        elif kind == "integer" and number != int(number):
            yield Fault(f"{at}.{name}", _("This is no whole number."))
        else:
            limits[name] = number
    if len(limits) == 2 and limits["minimum"] > limits["maximum"]:
        yield Fault(
            f"{at}.maximum",
            _("The largest value, %(maximum)s, is less than the least, %(minimum)s."),
            limits,
        )


def _of_default(spec: Mapping[str, Any], kind: str, at: str) -> Iterator[Fault]:
    value, field = spec["default"], f"{at}.default"
    if kind == "choice":
        choices = spec.get("choices")
        if isinstance(choices, Sequence) and str(value) not in map(str, choices):
            yield Fault(field, _("The default is none of the choices."))
    elif kind == "boolean":
        if not (isinstance(value, bool) or value in ("true", "false")):
            yield Fault(field, _("The default is true or false."))
    elif kind == "text":
        if not _is_text(value, LONGEST_TEXT):
            yield Fault(
                field, _("A text of up to %(longest)s characters."), {"longest": LONGEST_TEXT}
            )
    else:
        yield from _of_number(spec, value, kind, field)


def _of_number(spec: Mapping[str, Any], value: Any, kind: str, field: str) -> Iterator[Fault]:
    number = number_of(value)
    if number is None or (kind == "integer" and number != int(number)):
        yield Fault(
            field,
            _("This is no whole number.") if kind == "integer" else _("This is no number."),
        )
        return
    low, high = number_of(spec.get("minimum")), number_of(spec.get("maximum"))
    if (low is not None and number < low) or (high is not None and number > high):
        yield Fault(field, _("The default lies outside of what is allowed."))


def _is_text(value: Any, longest: int) -> bool:
    # Postgres refuses text with a NUL in it.
    return isinstance(value, str) and len(value) <= longest and "\0" not in value
