"""Whether a line's characteristics are what the product version asks for."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

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
        raise CharacteristicInvalid("characteristics are names with values", field=field)
    unknown = set(given) - {s["name"] for s in specs}
    if unknown:
        raise CharacteristicInvalid(f"{sorted(unknown)[0]} is no characteristic of it", field=field)
    chosen: dict[str, Any] = {}
    for spec in specs:
        name = spec["name"]
        value = given.get(name, spec.get("default"))
        if value in (None, ""):
            if spec.get("required"):
                raise CharacteristicInvalid(f"{name} is missing", field=f"{field}.{name}")
            continue
        chosen[name] = _checked(spec, value, field=f"{field}.{name}")
    return chosen


def _checked(spec: Mapping[str, Any], value: Any, *, field: str) -> Any:
    name, kind = spec["name"], spec.get("type", "text")
    if kind == "choice":
        if value not in spec.get("choices", []):
            raise CharacteristicInvalid(f"{name} is one of {spec.get('choices')}", field=field)
        return value
    if kind == "boolean":
        if value not in (True, False, "true", "false"):
            raise CharacteristicInvalid(f"{name} is true or false", field=field)
        return value in (True, "true")
    if kind in ("integer", "decimal"):
        return _number(spec, value, field=field)
    # Postgres refuses text with a NUL in it.
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or "\0" in value:
        message = f"{name} is a text of up to {LONGEST_TEXT} characters"
        raise CharacteristicInvalid(message, field=field)
    return value


def _number(spec: Mapping[str, Any], value: Any, *, field: str) -> str | int:
    name, whole = spec["name"], spec["type"] == "integer"
    try:
        number = Decimal(str(value))
    except InvalidOperation as exc:
        raise CharacteristicInvalid(f"{name} is a number", field=field) from exc
    # Before anything is computed with it: 1E+999999 as an integer fills the memory.
    if not number.is_finite() or abs(number.adjusted()) > LONGEST_NUMBER:
        raise CharacteristicInvalid(f"{name} is a number", field=field)
    if whole and number != int(number):
        raise CharacteristicInvalid(f"{name} is a whole number", field=field)
    low, high = spec.get("minimum"), spec.get("maximum")
    if low is not None and number < Decimal(str(low)):
        raise CharacteristicInvalid(f"{name} is at least {low}", field=field)
    if high is not None and number > Decimal(str(high)):
        raise CharacteristicInvalid(f"{name} is at most {high}", field=field)
    return int(number) if whole else format(number, "f")
