"""Parameters of a task as people type them: names and values, each of the kind that it was."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from o2b.errors import Invalid
from orders.fulfilment import handlers

MOST = 50
LONGEST_NAME = 60
LONGEST_VALUE = 10_000
LARGEST = 16 * 1024
# What Postgres cannot keep: NUL, and halves of characters.
UNKEPT = re.compile("[\0\ud800-\udfff]")


class ParametersWrong(Invalid):
    """A handler could do nothing with these."""

    code = "parameters_wrong"


def check_parameters(handler: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as they can be kept; refuses what the handler says is wrong with them."""
    parameters = dict(said)
    text = json.dumps(parameters, default=str, ensure_ascii=False)
    if len(parameters) > MOST or len(text) > LARGEST:
        raise ParametersWrong(_("These are too many or too long."), field="parameters")
    if _is_unkept(parameters):
        raise ParametersWrong(_("A character in them cannot be kept."), field="parameters")
    found = handlers.find(handler)
    if found and (faults := found.faults(parameters)):
        raise ParametersWrong(" ".join(faults), field="parameters")
    return parameters


def _is_unkept(value: Any) -> bool:
    """Whether a text within cannot be kept: names and values, however deep they lie."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str) and UNKEPT.search(one):
            return True
        if isinstance(one, Mapping):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple):
            left += one
    return False


def as_text(value: Any) -> str:
    """A value as a person edits it: texts as they are, all else as JSON.

    >>> as_text("on"), as_text(3), as_text([1, "a"])
    ('on', '3', '[1, "a"]')
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def from_text(text: str, before: Any = None) -> Any:
    """The value that a person typed: a text stays one; all else is JSON where it can be read.

    >>> from_text("12", "11"), from_text("12", 11), from_text("on", True), from_text("true")
    ('12', 12, 'on', True)
    """
    if isinstance(before, str):
        return text
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def _no_number(name: str) -> Any:
    raise ValueError(name)
