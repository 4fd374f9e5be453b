"""What the clock brings: forecasts, tasks that turn amber and red, and who hears of it."""

from o2b import clock, events
from orders.timing import services

AT_ONCE = 200


@events.batch_reaction("orders.forecast_orders", at_once=AT_ONCE)
def forecast_orders(keys: list[int]) -> None:
    """When these orders will be delivered, and whether that is as promised."""
    services.forecast_orders(order_ids=keys, machine_now=clock.now())


@events.batch_reaction("orders.tell_jeopardy", at_once=AT_ONCE)
def tell_jeopardy(keys: list[int]) -> None:
    """The owner and the advocate of each of these tasks hear that it is in danger or late."""
    services.tell_jeopardy(task_ids=keys)


@events.batch_reaction("orders.tell_order_jeopardy", at_once=AT_ONCE)
def tell_order_jeopardy(keys: list[int]) -> None:
    """The advocate of each of these orders hears that its promise is in danger."""
    services.tell_order_jeopardy(order_ids=keys)


@events.reaction("orders.restart_clocks")
def restart_clocks(key: int) -> None:
    """A line goes on: if it stood for the customer, its clocks move."""
    services.restart_clocks(line_id=key)


@events.periodic("orders.watch_time")
def watch_time() -> int:
    """Tasks that have passed amber or red, and rules of escalation that have come true."""
    machine_now = clock.now()
    turned = services.watch_tasks(machine_now=machine_now)
    return turned + services.escalate(machine_now=machine_now)


@events.periodic("orders.renew_forecasts")
def renew_forecasts() -> int:
    """Forecasts of orders in which something has happened since."""
    return services.renew_forecasts(machine_now=clock.now())
