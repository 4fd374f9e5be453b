"""What an event says beside its value and is only kept: whether it can be."""

from collections.abc import Mapping

DEEPEST = 20  # lists and objects in each other


def kept_fault(said: Mapping[str, object]) -> str:
    """The code of what is wrong: a NUL, which Postgres cannot keep, or too many levels; or none."""
    for name, value in said.items():
        kind = type(value)
        if "\x00" in name or (kind is str and "\x00" in str(value)):
            return "unprintable"
        if (kind is dict or kind is list) and (fault := _inside(value, DEEPEST)):
            return fault
    return ""


def _inside(value: object, levels: int) -> str:
    if isinstance(value, str):
        return "unprintable" if "\x00" in value else ""
    if not isinstance(value, dict | list):
        return ""
    if not levels:
        return "too_deep"
    inside = [*value, *value.values()] if isinstance(value, dict) else value
    return next(filter(None, (_inside(each, levels - 1) for each in inside)), "")
