"""Work for pools: those that run low are topped up; new rates of past days are looked at."""

from o2b import events
from o2b.asks import held_by
from subscriptions.pools.services import refill_pools as refill
from subscriptions.pools.services import revise_of_deck


@events.periodic("subscriptions.refill_pools")
def refill_pools() -> int:
    """Order for pools whose refill is switched on and that run low."""
    return refill(already_of=held_by)


@events.reaction("subscriptions.revise_pools_of_deck")
def revise_pools_of_deck(version_id: int) -> None:
    """A deck's version was published: what calls of days that are over draw may be other now."""
    revise_of_deck(version_id=version_id)
