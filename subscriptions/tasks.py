"""What subscriptions does when an order has news."""

from o2b import clock, events
from subscriptions import selectors, services

AT_ONCE = 50


@events.batch_reaction("subscriptions.start_items", at_once=AT_ONCE)
def start_items(order_ids: list[int]) -> None:
    """Lines were completed: put them into service."""
    for moment, orders in clock.by_moment(selectors.accounts_of_orders(order_ids)).items():
        services.start_items_of(order_ids=orders, at=moment)
