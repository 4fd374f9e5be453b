"""What one may do with pools."""

from subscriptions.pools.services.granting import end_grant, grant_units
from subscriptions.pools.services.keeping import (
    open_pool,
    rename_pool,
    revise_pools,
    set_hard,
    touch_pools,
)
from subscriptions.pools.services.sharing import end_sharing, share_pool

__all__ = [
    "end_grant",
    "end_sharing",
    "grant_units",
    "open_pool",
    "rename_pool",
    "revise_pools",
    "set_hard",
    "share_pool",
    "touch_pools",
]
