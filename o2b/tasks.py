"""The ground's own work by the clock: send again what was lost, make partitions ahead."""

from celery import shared_task

from o2b import clock, events
from o2b.partitions import MONTHLY, ensure_months
from o2b.periods import add_months


@shared_task(name="o2b.sweep_outbox")
def sweep_outbox() -> int:
    """Whatever waited too long was lost between the commit and its effect."""
    return events.sweep()


@shared_task(name="o2b.make_partitions")
def make_partitions() -> list[str]:
    """The next three months of every big table."""
    today = clock.today()
    return [name for table in MONTHLY for name in ensure_months(table, today, add_months(today, 3))]
