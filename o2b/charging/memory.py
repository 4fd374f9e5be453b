"""What drafting remembers of the charges of a process: bounded, forgotten as a whole when full."""

from collections.abc import Hashable
from typing import Any

SIZE = 32_768
SEVERAL = 4_096  # of what is each charge's own

Memo = dict[tuple[Hashable, ...], Any]

# Charges of other prices but equal dates still share their periods (`walks`). Of what was changed,
# and what has an end, only those that are equal in all that is told share their outcome; of what is
# metered or shared, those that are equal but for that share their periods (`schedules`). What was
# used is each charge's own: its outcome is kept (`rated`) for who asks of the very same usage next,
# as the check asks after the draft.
outcomes: Memo = {}
walks: Memo = {}
changes: Memo = {}
schedules: Memo = {}
rated: dict[int, tuple[Any, ...]] = {}


def keep(memo: Memo, key: tuple[Hashable, ...], value: object) -> None:
    """Remember, and forget everything when full: cheaper than to know what is used least."""
    if len(memo) >= SIZE:
        memo.clear()
    memo[key] = value


def keep_rated(usage: object, key: tuple[Hashable, ...], value: object) -> None:
    """Remember the outcome of this very object, which is held so that it stays the one it is."""
    if len(rated) >= SEVERAL:
        rated.clear()
    rated[id(usage)] = usage, key, value


def take_rated(usage: object, key: tuple[Hashable, ...]) -> Any:
    """The outcome of this very object if all else is equal, once; None if nobody has asked."""
    held, known, value = rated.pop(id(usage), (None, None, None))
    return value if held is usage and known == key else None


def forget() -> None:
    """For whoever has changed a rule: what was computed by the old one is not asked again."""
    for memo in (outcomes, walks, changes, schedules, rated):
        memo.clear()
