"""Beat by its own scheduler: a clock that was set back does not keep it waiting."""

import time
from datetime import timedelta
from pathlib import Path

from celery import Celery
from celery.beat import PersistentScheduler
from django.conf import settings

from o2b.steady import SteadyScheduler


def ran(kind: type[PersistentScheduler], folder: Path) -> list[int]:
    """How often each of two tasks is sent in a second, five hours after they last ran, by now."""
    app = Celery("beat-of-a-test", broker="memory://", set_as_current=False)
    each = {name: {"task": name, "schedule": 0.2} for name in ("first", "second")}
    app.conf.beat_schedule = each
    beat = kind(app=app, schedule_filename=str(folder / "schedule"))
    beat.tick()
    for name in each:
        beat.schedule[name].last_run_at = app.now() + timedelta(hours=5)
        beat.schedule[name].total_run_count = 0
    until = time.monotonic() + 1
    while time.monotonic() < until:
        time.sleep(min(max(beat.tick(), 0), 0.05))
    counts = [beat.schedule[name].total_run_count for name in each]
    beat.close()
    return counts


def test_a_clock_set_back_does_not_keep_beat_waiting(tmp_path: Path) -> None:
    assert min(ran(SteadyScheduler, tmp_path)) >= 2


def test_celerys_own_would_wait(tmp_path: Path) -> None:
    """If this fails, `o2b/steady.py` can go."""
    assert max(ran(PersistentScheduler, tmp_path)) == 0


def test_it_is_the_one_that_runs() -> None:
    assert settings.CELERY_BEAT_SCHEDULER == "o2b.steady:SteadyScheduler"
