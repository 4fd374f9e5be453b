"""What describes a service on a day: every line changes only what it says, in the order of days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """What a line said from a day on, and what it found on that day when it was ordered.

    `found` is None of lines that were written before that was kept: they say all of it anew.
    """

    key: int
    on: date
    told: Mapping[str, Any]
    found: Mapping[str, Any] | None


def described_on(first: Mapping[str, Any], said: Iterable[Said], day: date) -> dict[str, Any]:
    """The characteristics on a day: the first ones, with what lines set and took away till then.

    >>> move = Said(2, date(2026, 3, 10), {"size": 1, "address": "B"}, {"size": 1})
    >>> more = Said(3, date(2026, 3, 1), {"size": 2}, {"size": 1})
    >>> described_on({"size": 1}, [move, more], date(2026, 3, 10))
    {'size': 2, 'address': 'B'}
    """
    held = dict(first)
    for each in sorted(said, key=lambda each: (each.on, each.key)):
        if each.on > day:
            break
        if each.found is None:
            held = dict(each.told)
            continue
        for name in each.found.keys() - each.told.keys():
            held.pop(name, None)
        held |= {
            name: value
            for name, value in each.told.items()
            if name not in each.found or each.found[name] != value
        }
    return held
