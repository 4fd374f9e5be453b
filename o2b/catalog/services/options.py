"""Read the options and rules that a form or a file sends, before anything looks at them closer."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.rules.compatibility import LARGEST_COUNT, Option, Rule
from o2b.catalog.services.refusals import ValueInvalid

GROUP = re.compile(r"[-a-zA-Z0-9_]{0,50}")


def options_of(said: Sequence[Mapping[str, Any]]) -> list[Option]:
    """Options as [{component, group, minimum, maximum, default}]; the default is the minimum."""
    return [_option(each, f"options[{i}]") for i, each in enumerate(_listed(said, "options"))]


def rules_of(said: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Rules as [{kind, other}]."""
    return [
        Rule(str(each.get("kind", "")), str(each.get("other", "")))
        for each in _listed(said, "rules")
    ]


def _listed(said: Any, field: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(said, list | tuple) or not all(isinstance(one, Mapping) for one in said):
        raise ValueInvalid(_("A list of entries is wanted here."), field=field)
    return said


def _option(said: Mapping[str, Any], at: str) -> Option:
    group = said.get("group") or ""
    if not isinstance(group, str) or not GROUP.fullmatch(group):
        raise ValueInvalid(_("A group is a word without blanks."), field=f"{at}.group")
    minimum = _count(said.get("minimum"), f"{at}.minimum") or 0
    maximum = _count(said.get("maximum"), f"{at}.maximum")
    default = _count(said.get("default"), f"{at}.default")
    return Option(
        component=str(said.get("component", "")),
        minimum=minimum,
        maximum=maximum,
        default=minimum if default is None else default,
        group=group,
    )


def _count(value: Any, field: str) -> int | None:
    if value in (None, ""):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= LARGEST_COUNT:
        raise ValueInvalid(_("How many is a whole number, not less than 0."), field=field)
    return value
