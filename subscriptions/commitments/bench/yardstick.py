"""The yardstick: the rows that a night left, taken out and written again by bare SQL."""

import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

# In the order in which rows refer to each other.
WRITTEN = (
    "orders_order",
    "orders_orderline",
    "subscriptions_commitment",
    "subscriptions_itemchange",
    "o2b_event",
    "o2b_outbox",
)
VERSIONS = "subscriptions_itemversion"
# table → its key, and what a night changes of a row
CHANGED = {
    "subscriptions_item": ("id", ("revision", "next_turn_on", "ended_on", "started_on")),
    "subscriptions_renewaldue": (
        "item_id",
        ("commitment_id", "due_on", "remind_on", "waits", "tried_on", "fault"),
    ),
    VERSIONS: ("id", ("recorded",)),
}


@dataclass(slots=True)
class Before:
    """What was there before the night: the highest keys, and copies of what changes."""

    highest: dict[str, int] = field(default_factory=dict)


def remember() -> Before:
    """Call it before the night."""
    before = Before()
    with connection.cursor() as cursor:
        for table in (*WRITTEN, VERSIONS):
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            before.highest[table] = cursor.fetchone()[0]
        for table in CHANGED:
            cursor.execute(f"CREATE TABLE bench_old_{table} AS TABLE {table}")
    return before


def put_back_and_time(before: Before) -> tuple[float, dict[str, int]]:
    """The seconds of writing the night's rows again, and how many of each table there are."""
    rows: dict[str, int] = {}
    with connection.cursor() as cursor:
        for table in (*WRITTEN, VERSIONS):
            cursor.execute(
                f"CREATE TABLE bench_new_{table} AS"
                f" SELECT * FROM {table} WHERE id > %s ORDER BY id",
                [before.highest[table]],
            )
            rows[table] = cursor.rowcount
        for table, (key, names) in CHANGED.items():
            cursor.execute(f"CREATE TABLE bench_set_{table} AS {_changed(table, key, names)}")
            rows[f"{table} changed"] = cursor.rowcount
        _take_out(cursor, before)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        began = time.perf_counter()
        cursor.execute("BEGIN")
        for table in WRITTEN:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM bench_new_{table}")
        # What is not believed any more is closed before what is takes its days.
        for table in reversed(CHANGED):
            key, names = CHANGED[table]
            cursor.execute(_set(table, key, names, source=f"bench_set_{table}"))
        cursor.execute(f"INSERT INTO {VERSIONS} SELECT * FROM bench_new_{VERSIONS}")
        cursor.execute("COMMIT")
        return time.perf_counter() - began, rows


def _changed(table: str, key: str, names: tuple[str, ...]) -> str:
    columns = ", ".join(f"now_.{name}" for name in (key, *names))
    differ = ", ".join(f"now_.{name}" for name in names)
    were = ", ".join(f"was.{name}" for name in names)
    return (
        f"SELECT {columns} FROM {table} AS now_ JOIN bench_old_{table} AS was USING ({key})"
        f" WHERE ({differ}) IS DISTINCT FROM ({were})"
        if len(names) > 1
        else f"SELECT {columns} FROM {table} AS now_ JOIN bench_old_{table} AS was USING ({key})"
        f" WHERE {differ} IS DISTINCT FROM {were}"
    )


def _set(table: str, key: str, names: tuple[str, ...], *, source: str) -> str:
    told = ", ".join(f"{name} = told.{name}" for name in names)
    return f"UPDATE {table} AS row_ SET {told} FROM {source} AS told WHERE row_.{key} = told.{key}"


def _take_out(cursor: Any, before: Before) -> None:
    """As it was before the night; the triggers that keep everything stand aside for it."""
    cursor.execute("SET session_replication_role = replica")
    cursor.execute(f"DELETE FROM {VERSIONS} WHERE id > %s", [before.highest[VERSIONS]])
    for table, (key, names) in CHANGED.items():
        cursor.execute(_set(table, key, names, source=f"bench_old_{table}"))
    for table in reversed(WRITTEN):
        cursor.execute(f"DELETE FROM {table} WHERE id > %s", [before.highest[table]])
    cursor.execute("SET session_replication_role = DEFAULT")
