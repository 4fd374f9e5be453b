"""Questions in SQL of our own, answered as rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

Values = Sequence[Any] | Mapping[str, Any] | None


def ask(question: str, values: Values = None) -> list[tuple[Any, ...]]:
    """All rows of one statement, in its order."""
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()
