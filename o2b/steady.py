"""Beat on a machine whose clock may be set back: it goes on at once, by the new time."""

from datetime import timedelta
from typing import Any

from celery.beat import PersistentScheduler

JITTER = timedelta(seconds=2)  # a clock that is only being steered


class SteadyScheduler(PersistentScheduler):  # type: ignore[misc, unused-ignore]
    """What ran later than now counts as run now, instead of waiting until that time comes again."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        now = self.app.now()
        ahead = [
            entry
            for entry in self.schedule.values()
            if entry.last_run_at and entry.last_run_at > now + JITTER
        ]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            self._heap = None  # the turns were sorted by the old time
        return super().tick(*args, **kwargs)
