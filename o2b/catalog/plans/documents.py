"""A plan as a JSON document: read with care, written for people, and told apart from another."""

import json
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any, NoReturn

from django.utils.translation import gettext as _

from o2b.catalog.plans.faults import PlanBroken

FORMAT = "o2b.delivery-plan/1"
MOST_BYTES = 500_000
DEEPEST = 12
LARGEST = 2**63


class DocumentInvalid(PlanBroken):
    """A text that is no plan at all."""

    code = "plan_document_invalid"


def read_document(text: str | bytes) -> tuple[list[Any], list[Any]]:
    """Steps and components of an exported plan; refuses what is no such document."""
    if len(text) > MOST_BYTES:
        raise DocumentInvalid(_("The document is larger than 500 kB."), field="file")
    try:
        said = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        raise DocumentInvalid(_("This is no JSON document."), field="file") from exc
    if not isinstance(said, Mapping) or not isinstance(said.get("tasks"), list):
        raise DocumentInvalid(_("The document has no list of “tasks”."), field="file")
    components = said.get("components") or []
    if not isinstance(components, list) or said.get("format", FORMAT) != FORMAT:
        raise DocumentInvalid(_("The document is of another kind."), field="file")
    check_storable([said["tasks"], components])
    return said["tasks"], components


def write_document(product: str, number: int, tasks: Any, components: Any) -> str:
    """The plan as a file, with what it is of."""
    document = {
        "format": FORMAT,
        "product": product,
        "number": number,
        "components": components,
        "tasks": tasks,
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def digest_of(tasks: Any, components: Any) -> str:
    """What tells whether somebody else wrote into a draft since it was read."""
    text = json.dumps([tasks, components], sort_keys=True, default=str)
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:20]


def check_storable(value: Any) -> None:
    """Refuse what Postgres cannot keep as JSON, and what no plan is as deep or large as."""
    _look_at(value, 0)
    if len(json.dumps(value)) > MOST_BYTES:
        raise DocumentInvalid(_("The plan is larger than 500 kB."), field="tasks")


def _look_at(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise DocumentInvalid(_("The plan is nested too deep."), field="tasks")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _look_at(name, depth + 1)
            _look_at(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _look_at(inner, depth + 1)
    elif not _is_sound(value):
        raise DocumentInvalid(_("The plan holds a value that cannot be kept."), field="tasks")


def _is_sound(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, float):
        return isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < LARGEST)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
