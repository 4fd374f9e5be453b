"""Whether a line's characteristics are what the product version asks for."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from o2b.errors import Invalid

LONGEST_TEXT = 500
LONGEST_NUMBER = 18


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


def _checked(spec: Mapping[str, Any], value: Any, *, field: str) -> Any:
    name, kind = label_of(spec), spec.get("type", "text")
    if kind == "choice":
        if value not in spec.get("choices", []):
            choices = ", ".join(map(str, spec.get("choices", [])))
            message = _("%(name)s is one of: %(choices)s.")
            raise CharacteristicInvalid(message % {"name": name, "choices": choices}, field=field)
        return value
    if kind == "boolean":
        if value not in (True, False, "true", "false"):
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


def _number(spec: Mapping[str, Any], value: Any, *, field: str) -> str | int:
    name, whole = label_of(spec), spec["type"] == "integer"
    try:
        number = Decimal(str(value))
    except InvalidOperation as exc:
        raise CharacteristicInvalid(
            _("%(name)s is a number.") % {"name": name}, field=field
        ) from exc
    # Before anything is computed with it: 1E+999999 as an integer fills the memory.
    if not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER:
        raise CharacteristicInvalid(_("%(name)s is a number.") % {"name": name}, field=field)
    if whole and number != int(number):
        raise CharacteristicInvalid(_("%(name)s is a whole number.") % {"name": name}, field=field)
    low, high = spec.get("minimum"), spec.get("maximum")
    if low is not None and number < Decimal(str(low)):
        message = _("%(name)s is at least %(limit)s.") % {"name": name, "limit": low}
        raise CharacteristicInvalid(message, field=field)
    if high is not None and number > Decimal(str(high)):
        message = _("%(name)s is at most %(limit)s.") % {"name": name, "limit": high}
        raise CharacteristicInvalid(message, field=field)
    return int(number) if whole else format(number, "f")
