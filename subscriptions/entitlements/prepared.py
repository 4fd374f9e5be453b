"""A statement that each connection plans once, for what is asked at every log-in."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

# Which statements a connection of the driver knows. A pooler in front must keep sessions apart,
# as the server-side cursors of the CSV exports ask already.
_KNOWN: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class Prepared:
    """SQL with $1, $2, … of the types named; planned when a connection asks it first."""

    def __init__(self, name: str, types: str, sql: str) -> None:
        self.name, self.types, self.sql = name, types, sql
        self.execute = f"EXECUTE {name} ({', '.join(['%s'] * len(types.split(',')))})"

    def rows(self, *values: Any) -> Sequence[tuple[Any, ...]]:
        """All rows of the answer."""
        with connection.cursor() as cursor:
            known = _KNOWN.setdefault(connection.connection, set())
            if self.name not in known:
                cursor.execute(f"PREPARE {self.name} ({self.types}) AS {self.sql}")
                known.add(self.name)
            cursor.execute(self.execute, values)
            return cursor.fetchall()
