"""What subscriptions does when an order has news."""

from o2b import clock, events
from subscriptions import selectors, services


@events.reaction("subscriptions.start_items")
def start_items(order_id: int) -> None:
    """Lines were completed: put them into service."""
    account = selectors.account_of_order(order_id=order_id)
    services.start_items(order_id=order_id, at=clock.now(account))
