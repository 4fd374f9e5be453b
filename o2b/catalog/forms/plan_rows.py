"""Steps and components of a plan as text fields, and back: only what says something is kept."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NoReturn

from django.http import QueryDict

MINUTES = ("minutes", "estimate", "maximum")
MONEY = ("rate", "equipment", "vendor")
WORDS = ("skills", "evidence")
UNDO = ("name", "kind", "queue", "handler", "evidence", *MINUTES, *MONEY)
STEP = (
    *("key", "name", "kind", "component", "queue", "handler", "system", "skills", "when"),
    *("evidence", "checklist", *MINUTES, *MONEY, "weight", "beyond"),
)
PART = ("key", "name", "quantity")
MOST_PAIRS = 60
_WHOLE = re.compile(r"\d{1,15}")
Pairs = list[tuple[str, str]]


@dataclass
class StepRow:
    """One step as it is typed; `uid` is by what other rows of the form name it."""

    uid: int
    texts: dict[str, str] = field(default_factory=dict)
    after: list[int] = field(default_factory=list)
    parameters: Pairs = field(default_factory=list)
    is_point: bool = False
    undo: dict[str, str] = field(default_factory=dict)
    undo_parameters: Pairs = field(default_factory=list)
    has_undo: bool = False

    @classmethod
    def of(cls, uid: int, said: Mapping[str, Any], uids: Mapping[str, int]) -> "StepRow":
        after = said.get("after")
        refs = [ref for ref in after if isinstance(ref, str)] if isinstance(after, list) else []
        undoing = said.get("compensation")
        undoing = undoing if isinstance(undoing, Mapping) else {}
        away = [ref for ref in refs if ref not in uids]
        return cls(
            uid=uid,
            texts={name: _text(name, said.get(name)) for name in STEP}
            | {"beyond": ", ".join(away)},
            after=[uids[ref] for ref in refs if ref in uids],
            parameters=pairs_of(said.get("parameters")),
            is_point=bool(said.get("point_of_no_return")),
            undo={name: _text(name, undoing.get(name)) for name in UNDO},
            undo_parameters=pairs_of(undoing.get("parameters")),
            has_undo=bool(undoing),
        )

    @classmethod
    def read(cls, post: QueryDict, at: int) -> "StepRow":
        place = f"steps-{at}"
        after = (uid for uid in post.getlist(f"{place}-after") if _WHOLE.fullmatch(uid))
        return cls(
            uid=at,
            texts={name: _sent(post, f"{place}-{name}") for name in STEP},
            after=[int(uid) for uid in after],
            parameters=read_pairs(post, f"{place}-parameters"),
            is_point=bool(post.get(f"{place}-point")),
            undo={name: _sent(post, f"{place}-undo-{name}") for name in UNDO},
            undo_parameters=read_pairs(post, f"{place}-undo-parameters"),
            has_undo=bool(post.get(f"{place}-undo")),
        )

    def told(self, keys: Mapping[int, str]) -> dict[str, Any]:
        """The step as it is stored; `keys` are those of all rows, by uid."""
        said = _said(self.texts, [name for name in STEP if name != "beyond"])
        after = [keys[uid] for uid in self.after if uid in keys]
        after += _words(self.texts.get("beyond", ""))
        if after:
            said["after"] = after
        if parameters := told_pairs(self.parameters):
            said["parameters"] = parameters
        if self.is_point:
            said["point_of_no_return"] = True
        if self.has_undo:
            said["compensation"] = _said(self.undo, UNDO)
            if parameters := told_pairs(self.undo_parameters):
                said["compensation"]["parameters"] = parameters
        return said


@dataclass
class PartRow:
    """One technical component as it is typed."""

    texts: dict[str, str] = field(default_factory=dict)
    traits: Pairs = field(default_factory=list)

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "PartRow":
        texts = {name: _text(name, said.get(name)) for name in PART}
        return cls(texts, pairs_of(said.get("characteristics")))

    @classmethod
    def read(cls, post: QueryDict, at: int) -> "PartRow":
        texts = {name: _sent(post, f"parts-{at}-{name}") for name in PART}
        return cls(texts, read_pairs(post, f"parts-{at}-traits"))

    def told(self) -> dict[str, Any]:
        said = _said(self.texts, PART)
        if traits := told_pairs(self.traits):
            said["characteristics"] = traits
        return said


def pairs_of(values: Any) -> Pairs:
    """Names with values as text: an expression as it is, what would be mistaken in quotes."""
    if not isinstance(values, Mapping):
        return []
    return [(str(name), value_text(value)) for name, value in values.items()]


def read_pairs(post: QueryDict, place: str) -> Pairs:
    """As many as the form says, within reason."""
    count = min(count_of(post.get(place, "")), MOST_PAIRS)
    return [
        (_sent(post, f"{place}-{n}-name"), _sent(post, f"{place}-{n}-value")) for n in range(count)
    ]


def told_pairs(pairs: Pairs) -> dict[str, Any]:
    return {name: value_said(text) for name, text in pairs if name or text}


def value_text(value: Any) -> str:
    """How a value is typed: text as it is, unless it reads as a number or another JSON value."""
    if isinstance(value, str) and value_said(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def value_said(text: str) -> Any:
    """100, true, "100", [1, 2] and {…} as JSON says; everything else is a text."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, float) and not isfinite(value) else value


def count_of(text: str) -> int:
    """How many rows a form says it has."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _said(texts: Mapping[str, str], names: Sequence[str]) -> dict[str, Any]:
    """What the fields say; an empty one says nothing, whole numbers are numbers."""
    said: dict[str, Any] = {}
    for name in names:
        text = texts.get(name, "")
        if not text and name != "key":
            continue
        if name in WORDS:
            said[name] = _words(text)
        elif name == "checklist":
            said[name] = [line.strip() for line in text.splitlines() if line.strip()]
        elif name in (*MINUTES, *MONEY, "weight", "quantity") and _WHOLE.fullmatch(text):
            said[name] = int(text)
        else:
            said[name] = text
    return said


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ("\n" if name == "checklist" else ", ").join(map(str, value))
    return str(value)


def _sent(post: QueryDict, name: str) -> str:
    return post.get(name, "").replace("\r\n", "\n").strip()


def _words(text: str) -> list[str]:
    return [word for each in text.split(",") if (word := each.strip())]


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
