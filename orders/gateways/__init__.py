"""The outside world, as orders needs it; never called with a transaction open."""
