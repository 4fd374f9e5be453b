"""Orders and their lines, the tasks of each line's plan, queues, and evidence."""

from orders.models.orders import Order, OrderLine
from orders.models.tasks import Evidence, Queue, QueueMember, Task

__all__ = ["Evidence", "Order", "OrderLine", "Queue", "QueueMember", "Task"]
