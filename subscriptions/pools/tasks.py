"""Work by the clock for pools: those that run low are topped up, as on days of a test clock."""

from o2b import events
from o2b.asks import held_by
from subscriptions.pools.services import refill_pools as refill


@events.periodic("subscriptions.refill_pools")
def refill_pools() -> int:
    """Order for pools whose refill is switched on and that run low."""
    return refill(already_of=held_by)
