"""Wait until nothing is owed any more: by the workers that are there, or in this process."""

import time

from billing.desk.workforce import answering
from o2b import events
from o2b.models import Outbox

LOOK_SECONDS = 0.05
SWEEP_SECONDS = 5.0


class StillOwed(RuntimeError):
    """Reactions are left that nobody gets done."""


def settle(*, patience_seconds: float = 120.0, workers: int | None = None) -> None:
    """Until the outbox is empty; raises StillOwed when it does not shrink for too long.

    Who knows how many `workers` are there spares the second that asking them takes.
    """
    if not (answering() if workers is None else workers):
        events.drain()
        return
    left, moved, swept = -1, time.monotonic(), time.monotonic()
    while owed := Outbox.objects.count():
        now = time.monotonic()
        if owed != left:
            left, moved = owed, now
        if now - moved > patience_seconds:
            row = Outbox.objects.exclude(last_error="").order_by("pk").first()
            raise StillOwed(f"{owed} reactions are still owed; {row}: {row and row.last_error}")
        if now - swept > SWEEP_SECONDS:
            events.sweep()
            swept = now
        time.sleep(LOOK_SECONDS)
