"""The verbs of time: forecast, promise, watch, escalate, tell, and stand still for the customer."""

from orders.timing.services.escalations import escalate
from orders.timing.services.forecasts import forecast_orders, promise_day, renew_forecasts
from orders.timing.services.telling import tell_jeopardy, tell_order_jeopardy
from orders.timing.services.waiting import customer_answered, restart_clocks, wait_for_customer
from orders.timing.services.watch import watch_tasks

__all__ = [
    "customer_answered",
    "escalate",
    "forecast_orders",
    "promise_day",
    "renew_forecasts",
    "restart_clocks",
    "tell_jeopardy",
    "tell_order_jeopardy",
    "wait_for_customer",
    "watch_tasks",
]
