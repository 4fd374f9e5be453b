"""How long to wait before another attempt, and when to stop, by why the last one failed.

Classes of failure are named as `orders.models.FailureClass` has them.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds before the second attempt, doubled each time up to the longest; then fallout."""

    first: int
    longest: int
    attempts: int


USUAL = Patience(first=2, longest=300, attempts=6)
BY_CLASS: dict[str, Patience] = {
    "unreachable": USUAL,
    "timeout": Patience(first=5, longest=300, attempts=6),
    "overloaded": Patience(first=10, longest=600, attempts=8),
    "server_error": USUAL,
    "garbage": Patience(first=5, longest=60, attempts=3),
    "broken": Patience(first=2, longest=60, attempts=4),
    "lost": USUAL,
}
MOST_ATTEMPTS = max(patience.attempts for patience in BY_CLASS.values())


def is_hopeless(kind: str, attempt: int) -> bool:
    """Whether people look at it now instead of another attempt (the first is number 1)."""
    return attempt >= BY_CLASS.get(kind, USUAL).attempts


def wait_before(kind: str, attempt: int) -> timedelta:
    """The wait after attempt number n: first · 2^(n−1) seconds, at most the longest.

    >>> [int(wait_before("unreachable", n).total_seconds()) for n in (1, 2, 3, 20)]
    [2, 4, 8, 300]
    """
    said = BY_CLASS.get(kind, USUAL)
    return timedelta(seconds=min(said.first * 2 ** min(attempt - 1, 16), said.longest))
