"""Keys of tasks before the tasks are written, so that each can name those that come before it."""

from o2b.copying import new_keys
from orders.models import Task


def new_task_keys(count: int) -> list[int]:
    """So many keys, ascending."""
    return new_keys(Task, count)
