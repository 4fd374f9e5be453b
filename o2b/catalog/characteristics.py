"""Whether a line's characteristics are what the product version asks for, and how they are shown.

Values are kept in one form: numbers without trailing zeros and without their unit, choices as the
version writes them, so that a price that is for one of them is found.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.rules.definitions import LONGEST_TEXT, number_of
from o2b.charging.terms import plain
from o2b.errors import Invalid


class CharacteristicInvalid(Invalid):
    code = "characteristic_invalid"


def check_characteristics(
    specs: Sequence[Mapping[str, Any]], given: Mapping[str, Any], *, field: str
) -> dict[str, Any]:
    """The characteristics with defaults filled in; refuses what the version does not allow."""
    if not isinstance(given, Mapping):
        raise CharacteristicInvalid(_("Characteristics are names with values."), field=field)
    unknown = set(given) - {s["name"] for s in specs}
    if unknown:
        message = _("It has no characteristic “%(name)s”.") % {"name": min(map(str, unknown))[:60]}
        raise CharacteristicInvalid(message, field=field)
    chosen: dict[str, Any] = {}
    for spec in specs:
        name = spec["name"]
        value = given.get(name, spec.get("default"))
        if value in (None, ""):
            if spec.get("required"):
                raise CharacteristicInvalid(
                    _("%(name)s is missing.") % {"name": label_of(spec)}, field=f"{field}.{name}"
                )
            continue
        chosen[name] = _checked(spec, value, field=f"{field}.{name}")
    return chosen


def label_of(spec: Mapping[str, Any]) -> str:
    """What people call it."""
    return str(spec.get("label") or spec["name"])


def with_unit(spec: Mapping[str, Any], value: Any) -> str:
    """A value as people read it: 150 Mbps."""
    return f"{value} {spec['unit']}" if spec.get("unit") else str(value)


def _checked(spec: Mapping[str, Any], value: Any, *, field: str) -> Any:
    name, kind = label_of(spec), spec.get("type", "text")
    if kind == "choice":
        return _choice(spec, value, field=field)
    if kind == "boolean":
        if not (isinstance(value, bool) or value in ("true", "false")):
            message = _("%(name)s is true or false.") % {"name": name}
            raise CharacteristicInvalid(message, field=field)
        return value in (True, "true")
    if kind in ("integer", "decimal"):
        return _number(spec, value, field=field)
    # Postgres refuses text with a NUL in it.
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
        message = _("%(name)s is a text of up to %(longest)s characters.") % {
            "name": name,
            "longest": LONGEST_TEXT,
        }
        raise CharacteristicInvalid(message, field=field)
    return value


def _choice(spec: Mapping[str, Any], value: Any, *, field: str) -> Any:
    """The choice as the version writes it; a form sends text, perhaps with the unit behind."""
    choices = list(spec.get("choices", []))
    wanted = (value, _without_unit(spec, value)) if isinstance(value, str) else ()
    for choice in choices:
        if str(choice) in wanted or (type(choice) is type(value) and choice == value):
            return choice
    shown = {"name": label_of(spec), "choices": ", ".join(map(str, choices))}
    raise CharacteristicInvalid(_("%(name)s is one of: %(choices)s.") % shown, field=field)


def _without_unit(spec: Mapping[str, Any], value: Any) -> Any:
    """What was sent, less the version's unit: “150 Mbps” is 150 where Mbps are asked for."""
    unit = spec.get("unit")
    if not unit or not isinstance(value, str) or not value.strip().endswith(unit):
        return value
    return value.strip().removesuffix(unit).strip()


def _number(spec: Mapping[str, Any], value: Any, *, field: str) -> str | int:
    name, whole = label_of(spec), spec["type"] == "integer"
    number = number_of(_without_unit(spec, value))
    if number is None:
        message = _("%(name)s is a number.") % {"name": name}
        if spec.get("unit"):
            message = _("%(name)s is a number of %(unit)s.") % {"name": name, "unit": spec["unit"]}
        raise CharacteristicInvalid(message, field=field)
    if whole and number != int(number):
        raise CharacteristicInvalid(_("%(name)s is a whole number.") % {"name": name}, field=field)
    low, high = spec.get("minimum"), spec.get("maximum")
    if low is not None and number < Decimal(str(low)):
        limit = with_unit(spec, low)
        message = _("%(name)s is at least %(limit)s.") % {"name": name, "limit": limit}
        raise CharacteristicInvalid(message, field=field)
    if high is not None and number > Decimal(str(high)):
        limit = with_unit(spec, high)
        message = _("%(name)s is at most %(limit)s.") % {"name": name, "limit": limit}
        raise CharacteristicInvalid(message, field=field)
    return int(number) if whole else plain(number)
