"""REST of subscriptions."""
