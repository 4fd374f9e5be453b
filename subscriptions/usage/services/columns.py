"""Columns of usage as the literals of arrays that the statement which takes them is told."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from o2b.prepared import array_of, numbers_of, quoted
from subscriptions.usage.rules.sorting import Columns

T = TypeVar("T")


def columns_of(told: Columns, places: Sequence[int] | None = None) -> dict[str, object]:
    """The values of `statements.TOLD`: of all events, or of those at these places."""
    sources, numbers = _at(told.sources, places), _at(told.numbers, places)
    source = sources[0] if sources else ""
    kinds = list(told.known)
    return {
        "count": len(numbers),
        "source": source,
        "sources": None if sources.count(source) == len(sources) else array_of(sources),
        "keys": array_of(_at(told.keys, places)),
        "kinds": numbers_of(_at(told.kinds, places)),
        "subjects": array_of(_at(told.subjects, places)),
        "accounts": _texts(told.accounts, numbers),
        "moments": numbers_of(_at(told.moments, places)),
        "values": numbers_of(_at(told.values, places)),
        "parts": _texts(told.parts, numbers),
        "properties": _json(told.properties, numbers),
        "meter_ids": numbers_of(kind.meter_id for kind in kinds),
        "meters": array_of(kind.meter for kind in kinds),
        "hows": numbers_of(kind.how for kind in kinds),
        "timed": numbers_of(kind.timed for kind in kinds),
        "counts": numbers_of(kind.counts for kind in kinds),
    }


def _at(column: Sequence[T], places: Sequence[int] | None) -> Sequence[T]:
    return column if places is None else [column[place] for place in places]


def _texts(said: Mapping[int, str], numbers: Sequence[int]) -> str | None:
    """A column that most events leave empty."""
    return array_of(said.get(number, "") for number in numbers) if said else None


def _json(said: Mapping[int, object], numbers: Sequence[int]) -> str | None:
    """A column of JSON; what is not said is NULL."""
    if not said:
        return None
    texts = {number: quoted(json.dumps(value)) for number, value in said.items()}
    return f"{{{','.join(texts.get(number, 'NULL') for number in numbers)}}}"
