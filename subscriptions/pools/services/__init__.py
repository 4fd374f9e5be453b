"""What one may do with pools."""

from subscriptions.pools.services.granting import end_grant, grant_units
from subscriptions.pools.services.keeping import (
    open_pool,
    rename_pool,
    revise_pools,
    set_hard,
    touch_pools,
)
from subscriptions.pools.services.limiting import BeyondLimit, beyond_limits, hard_pools_hold
from subscriptions.pools.services.refilling import refill_pools
from subscriptions.pools.services.rerating import revise_of_deck
from subscriptions.pools.services.sharing import end_sharing, share_pool
from subscriptions.pools.services.standing import RefillRefused, set_refill, stop_refill

__all__ = [
    "BeyondLimit",
    "beyond_limits",
    "hard_pools_hold",
    "RefillRefused",
    "end_grant",
    "end_sharing",
    "grant_units",
    "open_pool",
    "refill_pools",
    "rename_pool",
    "revise_of_deck",
    "revise_pools",
    "set_hard",
    "set_refill",
    "share_pool",
    "stop_refill",
    "touch_pools",
]
