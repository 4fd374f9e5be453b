"""Whose next bill is after a change: of what was changed since, or is billed for the first time."""

from collections.abc import Collection

from billing.rules.drafting import DueRow

_THROUGH = 4  # of a key


def changed_accounts(rows: Collection[DueRow]) -> set[int]:
    """The accounts of changed items and of charges that were never billed.

    Most charges share a few keys, so that only those are taken apart.
    """
    never = {key for key in {row[5] for row in rows} if not key.split("|", _THROUGH + 1)[_THROUGH]}
    return {row[0] for row in rows if row[4] or row[5] in never}
