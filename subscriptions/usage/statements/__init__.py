"""The SQL of usage, by what it is for."""

from subscriptions.usage.statements.known import WHOSE
from subscriptions.usage.statements.releasing import MARK_OTHERS, RELEASE, RELEASE_LIMITED
from subscriptions.usage.statements.taking import DIFFERENT, LIMITED, NEXT_BATCH, TAKE
from subscriptions.usage.statements.totals import ADD_TO_TOTALS, MARK_LATE

__all__ = [
    "ADD_TO_TOTALS",
    "DIFFERENT",
    "LIMITED",
    "MARK_LATE",
    "NEXT_BATCH",
    "MARK_OTHERS",
    "RELEASE",
    "RELEASE_LIMITED",
    "TAKE",
    "WHOSE",
]
