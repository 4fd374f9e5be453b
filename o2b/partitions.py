"""Big tables in monthly partitions: how a migration makes one, and how months are made ahead."""

from collections.abc import Iterator
from datetime import date

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

from o2b.periods import add_months

# table -> the column that it is partitioned by (a date or a moment)
MONTHLY = {
    "o2b_event": "recorded_at",
    "billing_invoiceline": "period_start",
    "billing_posting": "on",
    "billing_invoicedocument": "issued_on",
    "subscriptions_usageevent": "recorded_at",
    "subscriptions_usagetotal": "day",
}
# Room for rows that are written again and again: they stay on their page.
STORAGE = {"subscriptions_usagetotal": "WITH (fillfactor = 70)"}

# CREATE TRIGGER for what a partition lacks of its table's statement triggers.
STATEMENT_TRIGGERS = """
SELECT replace(
        replace(pg_get_triggerdef(told.oid), format(' %%I ', told.tgname),
            format(' %%I ', replace(told.tgname, 'pgtrigger_', 'part_'))),
        format(' ON %%I.%%I ', space.nspname, parent.relname),
        format(' ON %%s ', to_regclass(%(partition)s))
    )
    FROM pg_trigger AS told
    JOIN pg_class AS parent ON parent.oid = told.tgrelid
    JOIN pg_namespace AS space ON space.oid = parent.relnamespace
    WHERE told.tgrelid = to_regclass(%(table)s) AND NOT told.tgisinternal
        AND told.tgtype & 1 = 0
        AND NOT EXISTS (
            SELECT FROM pg_trigger AS own
                WHERE own.tgrelid = to_regclass(%(partition)s) AND own.tgfoid = told.tgfoid
        )
    ORDER BY told.tgname
"""


def months(start: date, end: date) -> Iterator[date]:
    """First days of the months from start's to end's, both included."""
    month = start.replace(day=1)
    while month <= end:
        yield month
        month = add_months(month, 1)


def lacks_a_month(table: str, start: date, end: date) -> bool:
    """Whether `ensure_months` would have to make one."""
    with connection.cursor() as cursor:
        for month in months(start, end):
            cursor.execute("SELECT to_regclass(%s) IS NULL", [f"{table}_{month:%Y_%m}"])
            if cursor.fetchone()[0]:
                return True
    return False


def ensure_months(table: str, start: date, end: date) -> list[str]:
    """Make the missing monthly partitions of a table; return the names of those made.

    A month whose rows already lie in the default partition is left there; they are found as well.
    """
    made = []
    column = MONTHLY[table]
    with connection.cursor() as cursor:
        for month in months(start, end):
            name = f"{table}_{month:%Y_%m}"
            following = add_months(month, 1)
            cursor.execute("SELECT to_regclass(%s)", [name])
            if cursor.fetchone()[0] is not None:
                continue
            cursor.execute(
                sql.SQL("SELECT EXISTS (SELECT 1 FROM {} WHERE {} >= %s AND {} < %s)").format(
                    sql.Identifier(f"{table}_default"), *[sql.Identifier(column)] * 2
                ),
                [month, following],
            )
            if cursor.fetchone()[0]:
                continue
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {} PARTITION OF {} FOR VALUES FROM (%s) TO (%s) {}"
                ).format(
                    sql.Identifier(name), sql.Identifier(table), sql.SQL(STORAGE.get(table, ""))
                ),
                [month, following],
            )
            guard_partition(cursor, table, name)
            made.append(name)
    return made


def guard_partition(cursor: CursorWrapper, table: str, partition: str) -> None:
    """Give a partition the statement triggers of its table: Postgres hands down those of rows only.

    Without them whoever names the partition itself may truncate it or add to it unseen. They share
    the functions of the table's, and have names of their own, so that pgtrigger takes no notice.
    """
    cursor.execute(STATEMENT_TRIGGERS, {"table": table, "partition": partition})
    for (statement,) in cursor.fetchall():
        cursor.execute(statement)


def guard_partitions(table: str) -> None:
    """For migrations that give a partitioned table its triggers: those it has partitions of."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(%s)",
            [table],
        )
        for (partition,) in cursor.fetchall():
            guard_partition(cursor, table, partition)


def partition_sql(table: str, *, by: str, key: str = "") -> str:
    """Turn the empty table that Django has just made into a partitioned one, keys and all.

    Postgres wants the partition key in every unique key, so the primary key becomes (id, `by`);
    Django goes on to know it as `id`, which one sequence keeps unique. A `key` that contains `by`
    stays as it is. Triggers come later: `guard_partitions` then hands them down.
    """
    key = key or f'id, "{by}"'
    return f"""
    ALTER TABLE {table} RENAME TO {table}_plain;
    ALTER TABLE {table}_plain DROP CONSTRAINT {table}_pkey;
    CREATE TABLE {table} (
        LIKE {table}_plain INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING CONSTRAINTS
    ) PARTITION BY RANGE ("{by}");
    DROP TABLE {table}_plain;
    ALTER TABLE {table} ADD PRIMARY KEY ({key});
    CREATE TABLE {table}_default PARTITION OF {table} DEFAULT {STORAGE.get(table, "")};
    """


def hash_partition_sql(table: str, *, key: str, parts: int) -> str:
    """Turn the empty table that Django has just made into one of so many parts by its key."""
    made = "\n".join(
        f"CREATE TABLE {table}_{part} PARTITION OF {table}"
        f" FOR VALUES WITH (MODULUS {parts}, REMAINDER {part});"
        for part in range(parts)
    )
    return f"""
    ALTER TABLE {table} RENAME TO {table}_plain;
    ALTER TABLE {table}_plain DROP CONSTRAINT {table}_pkey;
    CREATE TABLE {table} (LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
        PARTITION BY HASH ({key});
    DROP TABLE {table}_plain;
    ALTER TABLE {table} ADD PRIMARY KEY ({key});
    {made}
    """
