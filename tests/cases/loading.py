"""Reads a file of published cases: O2B_CASES, or the shared file beside the repository."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = "o2b-worked-case/1"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "cases" / "cases_shared.json"

_KEYS = {
    *("id", "system", "topic", "source", "source_exact", "given", "conventions", "expect"),
    *("note", "verified", "verified_how", "recomputed"),
}


class NotCases(ValueError):
    """The file is not a list of cases in the schema that is known here."""


@dataclass(frozen=True)
class PublishedCase:
    """One case; the adapter is told its topic, inputs and conventions, never who published it."""

    name: str
    topic: str
    given: Mapping[str, Any]
    conventions: Mapping[str, Any]
    expect: Mapping[str, Any]
    verified: bool
    stray: tuple[str, ...] = ()


def path_of_cases() -> Path | None:
    """The file that O2B_CASES names, else the shared one, else None."""
    named = os.environ.get("O2B_CASES")
    if named:
        return Path(named).resolve()
    return SHARED if SHARED.exists() else None


def load(path: Path) -> list[PublishedCase]:
    """All cases of a file, in its order; one that is not of the schema refuses the file."""
    # A number that stands bare in the file keeps its digits: money is never a float.
    document = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise NotCases(f"{path} is not of schema {SCHEMA}")
    return [_case(raw, n) for n, raw in enumerate(document.get("cases", ()))]


def _case(raw: Mapping[str, Any], n: int) -> PublishedCase:
    for key in ("id", "topic", "expect"):
        if key not in raw:
            raise NotCases(f"case {n} has no {key}")
    return PublishedCase(
        name=raw["id"],
        topic=raw["topic"],
        given=raw.get("given") or {},
        conventions=raw.get("conventions") or {},
        expect=raw["expect"],
        verified=raw.get("verified") is True,
        stray=tuple(sorted(set(raw) - _KEYS)),
    )
