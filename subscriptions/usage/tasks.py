"""Work by the clock for usage: what waited is counted when it can be, days when they are over."""

from celery import shared_task

from o2b import clock
from subscriptions.usage.services import count_days, release_waiting

ROUNDS = 20


@shared_task(name="subscriptions.release_usage")
def release_usage() -> int:
    """Subjects that have appeared, corrections whose event is counted by now."""
    released = 0
    for _ in range(ROUNDS):
        some = release_waiting(machine_now=clock.now())
        released += some
        if not some:
            break
    return released


@shared_task(name="subscriptions.count_usage_days")
def count_usage_days() -> int:
    """Days that are over, so that the desk need not count them each time it is looked at."""
    return count_days()
