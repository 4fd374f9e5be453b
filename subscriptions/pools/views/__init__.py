"""Pages of pools: the list, one pool with its statement, and what one may do with it."""
