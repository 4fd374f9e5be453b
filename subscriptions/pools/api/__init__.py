"""REST of pools: how they stand, what moved, who draws; share, give, rename, limit, top up."""
