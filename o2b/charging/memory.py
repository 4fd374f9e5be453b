"""What drafting remembers of the charges of a process: bounded, forgotten as a whole when full."""

from collections.abc import Hashable
from typing import Any

SIZE = 32_768

Memo = dict[tuple[Hashable, ...], Any]

# Charges of other prices but equal dates still share their periods (`walks`). Of what was changed,
# and what has an end, only those that are equal in all that is told share their outcome; of what is
# metered or shared, those that are equal but for that share their periods (`schedules`).
outcomes: Memo = {}
walks: Memo = {}
changes: Memo = {}
schedules: Memo = {}


def keep(memo: Memo, key: tuple[Hashable, ...], value: object) -> None:
    """Remember, and forget everything when full: cheaper than to know what is used least."""
    if len(memo) >= SIZE:
        memo.clear()
    memo[key] = value


def forget() -> None:
    """For whoever has changed a rule: what was computed by the old one is not asked again."""
    for memo in (outcomes, walks, changes, schedules):
        memo.clear()
