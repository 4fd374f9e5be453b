"""Work by the clock for pools: those that run low are topped up."""

from celery import shared_task

from o2b.asks import held_by
from subscriptions.pools.services import refill_pools as refill


@shared_task(name="subscriptions.refill_pools")
def refill_pools() -> int:
    """Order for pools whose refill is switched on and that run low."""
    return refill(already_of=held_by)
