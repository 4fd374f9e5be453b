"""What subscriptions does when an order has news."""

from o2b import clock, events
from subscriptions import parts, selectors, services
from subscriptions.commitments import tasks as commitments
from subscriptions.pools import tasks as pools
from subscriptions.timelines.turning import turn_due
from subscriptions.usage import tasks as usage
from subscriptions.usage.alerts import tasks as usage_alerts
from subscriptions.usage.files import tasks as usage_files

# Celery looks for an app's tasks here; those of its rooms are found by it too.
__all__ = [
    "commitments",
    "pools",
    "start_items",
    "take_parts",
    "turn_items",
    "usage",
    "usage_alerts",
    "usage_files",
]

AT_ONCE = 50


@events.batch_reaction("subscriptions.start_items", at_once=AT_ONCE)
def start_items(order_ids: list[int]) -> None:
    """Lines were completed: put them into service."""
    for moment, orders in clock.by_moment(selectors.accounts_of_orders(order_ids)).items():
        services.start_items_of(order_ids=orders, at=moment)


@events.batch_reaction("subscriptions.take_parts", at_once=AT_ONCE)
def take_parts(order_ids: list[int]) -> None:
    """Parts of lines were delivered: let each cost from its day on, where that was agreed."""
    for moment, orders in clock.by_moment(selectors.accounts_of_orders(order_ids)).items():
        parts.take_parts_of(order_ids=orders, at=moment)


@events.periodic("subscriptions.turn_items")
def turn_items() -> int:
    """Items whose day has come where they live: begin, pause, go on, end."""
    turned = 0
    while some := turn_due(machine_now=clock.now()):
        turned += some
    return turned
