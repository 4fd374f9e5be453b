"""What drafting remembers of the charges of a process: bounded, forgotten as a whole when full."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

SIZE = 32_768

NOBODY = None, None, None  # has asked of this usage

Memo = dict[tuple[Hashable, ...], Any]

# Charges of other prices but equal dates still share their periods (`walks`). Of what was changed,
# and what has an end, only those that are equal in all that is told share their outcome; of what is
# metered or shared, those that are equal but for that share their periods (`schedules`). What was
# used is each charge's own: while a shard is billed (`keeping_usage`) its outcome is kept for who
# asks of the very same usage next, as the check asks after the draft.
outcomes: Memo = {}
walks: Memo = {}
changes: Memo = {}
schedules: Memo = {}
rated: list[dict[int, tuple[Any, ...]]] = []


def keep(memo: Memo, key: tuple[Hashable, ...], value: object) -> None:
    """Remember, and forget everything when full: cheaper than to know what is used least."""
    if len(memo) >= SIZE:
        memo.clear()
    memo[key] = value


@contextmanager
def keeping_usage() -> Iterator[None]:
    """While somebody holds all usage that is asked of; nothing of it is kept after that."""
    rated.append({})
    try:
        yield
    finally:
        rated.pop()


def keep_rated(usage: object, key: tuple[Hashable, ...], value: object) -> None:
    """Remember the outcome of this very object, which is held so that it stays the one it is."""
    if rated:
        rated[-1][id(usage)] = usage, key, value


def take_rated(usage: object, key: tuple[Hashable, ...]) -> Any:
    """The outcome of this very object if all else is equal, once; None if nobody keeps it."""
    held, known, value = rated[-1].pop(id(usage), NOBODY) if rated else NOBODY
    return value if held is usage and known == key else None


def forget() -> None:
    """For whoever has changed a rule: what was computed by the old one is not asked again."""
    for memo in (outcomes, walks, changes, schedules):
        memo.clear()
    for kept in rated:
        kept.clear()
