"""Keys of tasks before the tasks are written, so that each can name those that come before it."""

from django.db import connection

NEXT = """
SELECT nextval(pg_get_serial_sequence('orders_task', 'id')) FROM generate_series(1, %s)
"""


def new_task_keys(count: int) -> list[int]:
    """So many keys, ascending."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(NEXT, [count])
        return [key for (key,) in cursor.fetchall()]
