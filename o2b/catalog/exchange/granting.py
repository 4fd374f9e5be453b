"""The cell of a grant: 500 data; lasts 3 months; rollover 100 for 2 periods. Read and written."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.faults import CellInvalid
from o2b.charging.terms import DEFAULT_PRIORITY

# What stands in the place of a meter where money goes to the wallet.
MONEY = "money"
_HEAD = re.compile(r"(\S+)\s+(\S+)", re.ASCII)
_ROLLOVER = re.compile(r"(\S+)(?:\s+for\s+(\d{1,3})\s+periods?)?", re.ASCII)
_PRIORITY = re.compile(r"\d{1,4}", re.ASCII)
_LONGEST_METER = 40


def grant(text: str) -> dict[str, Any]:
    """Units and where they go, then what else holds; or the same as JSON.

    >>> grant("500 data; rollover 100 for 2 periods")
    {'units': '500', 'meter': 'data', 'rollover': '100', 'rollover_periods': 2}
    >>> grant("50 money; lasts 3 months; once")
    {'units': '50', 'lasts': ['month', 3], 'per_unit': False}
    """
    if text.startswith("{"):
        found: dict[str, Any] = cells.document(text, dict)
        return found
    head, *others = [part.strip() for part in text.split(";")]
    said = _head(head)
    seen: set[str] = set()
    for part in filter(None, others):
        word, _gap, rest = part.partition(" ")
        if word not in _PARTS:
            raise CellInvalid(
                _("“%(text)s” is not known of a grant: write one of %(known)s.")
                % {"text": part[:60], "known": ", ".join(_EXAMPLES)}
            )
        if word in seen:
            raise CellInvalid(_("“%(text)s” is there twice: say it once.") % {"text": word})
        seen.add(word)
        said |= _PARTS[word](rest.strip())
    return said


def grant_text(stored: Mapping[str, Any]) -> str:
    """The way back; as JSON what the short form cannot say.

    >>> grant_text({"units": "50", "lasts": ["month", 1], "prorated": True})
    '50 money; lasts 1 month; prorated'
    >>> grant_text({"units": "0.0000000001", "meter": "data"})
    '{"meter":"data","units":"0.0000000001"}'
    """
    if not stored:
        return ""
    text = _short(stored)
    try:
        if grant(text) == dict(stored):
            return text
    except CellInvalid:
        pass
    return cells.document_text(stored)


def _short(stored: Mapping[str, Any]) -> str:
    said = [f"{stored['units']} {stored.get('meter') or MONEY}"]
    if lasts := stored.get("lasts"):
        unit, count = lasts
        said.append(f"lasts {count} {unit}{'s' if count != 1 else ''}")
    if rollover := stored.get("rollover"):
        periods = stored.get("rollover_periods", 1)
        said.append(f"rollover {rollover}" + (f" for {periods} periods" if periods > 1 else ""))
    if "priority" in stored:
        said.append(f"priority {stored['priority']}")
    if stored.get("prorated"):
        said.append("prorated")
    if stored.get("per_unit") is False:
        said.append("once")
    return "; ".join(said)


def _head(text: str) -> dict[str, Any]:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise CellInvalid(
            _("“%(text)s” is no grant: write units and a meter, 500 data, or 50 money.")
            % {"text": text[:60]}
        )
    said = {"units": cells.number(found[1])}
    if found[2] != MONEY:
        said["meter"] = cells.word(found[2], longest=_LONGEST_METER)
    return said


def _lasts(text: str) -> dict[str, Any]:
    length = cells.interval(text)
    return {"lasts": [length.unit.value, length.count]}


def _rollover(text: str) -> dict[str, Any]:
    found = _ROLLOVER.fullmatch(text)
    if found is None:
        raise CellInvalid(
            _("“%(text)s”: write rollover 100, or rollover 100 for 2 periods.")
            % {"text": f"rollover {text}"[:60]}
        )
    said: dict[str, Any] = {"rollover": cells.number(found[1])}
    periods = int(found[2] or 1)
    return said if periods == 1 else said | {"rollover_periods": periods}


def _priority(text: str) -> dict[str, Any]:
    if not _PRIORITY.fullmatch(text):
        raise CellInvalid(
            _("“%(text)s”: write priority and a whole number, the lowest is drawn first.")
            % {"text": f"priority {text}"[:60]}
        )
    return {} if int(text) == DEFAULT_PRIORITY else {"priority": int(text)}


def _flag(word: str, said: Mapping[str, bool]) -> Callable[[str], dict[str, Any]]:
    def read(text: str) -> dict[str, Any]:
        if text:
            raise CellInvalid(
                _("“%(text)s”: write %(word)s alone, and the next part after a semicolon.")
                % {"text": f"{word} {text}"[:60], "word": word}
            )
        return dict(said)

    return read


_EXAMPLES = ("lasts 3 months", "rollover 100 for 2 periods", "priority 10", "prorated", "once")
_PARTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "lasts": _lasts,
    "rollover": _rollover,
    "priority": _priority,
    "prorated": _flag("prorated", {"prorated": True}),
    "once": _flag("once", {"per_unit": False}),
}
