"""The yardstick: COPY the very rows that a run has left into the same tables, emptied."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg2
from django.db import connection

# In this order: a line refers to its invoice.
TABLES = {
    "billing_invoice": "account_id",
    "billing_invoiceline": "account_id",
    "billing_posting": "account_id",
    "billing_chargestate": "account_id",
}

CONSTRAINTS = (
    "row foreign keys invoice→account, line→invoice, line→charge, posting→invoice, posting→payment,"
    " charge state→charge; none to run, legal entity, ledger account; unique (charge, period,"
    " segment, revision), number; checks, freeze and lines-add-up triggers on"
)


def count_rows() -> int:
    """All rows that the run has left in these tables."""
    with connection.cursor() as cursor:
        total = 0
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            total += cursor.fetchone()[0]
        return total


def take_out(folder: Path, *, parts: int) -> None:
    """Write the rows to files, a part of the accounts each, in the order of their keys."""
    with connection.cursor() as cursor:
        for table, column in TABLES.items():
            key = "charge_id" if table == "billing_chargestate" else "id"
            for part in range(parts):
                with (folder / f"{table}.{part}").open("wb") as file:
                    cursor.copy_expert(
                        f"""COPY (SELECT * FROM {table} WHERE {column} BETWEEN
                            (SELECT min(id) + (max(id) - min(id) + 1) * {part} / {parts}
                                FROM customers_account)
                            AND (SELECT min(id) + (max(id) - min(id) + 1) * {part + 1} / {parts} - 1
                                FROM customers_account)
                            ORDER BY {key}) TO STDOUT""",
                        file,
                    )
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {', '.join(TABLES)} CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("CHECKPOINT")


def put_back(folder: Path, *, parts: int) -> float:
    """COPY all files in, each part over a connection of its own; return the seconds it took.

    Nobody counts invoices meanwhile: whoever counts before they are committed finds none, and then
    each line's invoice is looked for in an index that begins with the account (half an hour where
    it takes a minute and a half, of a million).
    """
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE billing_invoice SET (autovacuum_enabled = false)")
    connections = [_connect() for _ in range(parts)]
    began = time.perf_counter()
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(lambda part: _copy_in(connections[part], folder, part), range(parts)))
    seconds = time.perf_counter() - began
    for each in connections:
        each.close()
    return seconds


def _copy_in(there: Any, folder: Path, part: int) -> None:
    with there, there.cursor() as cursor:
        for table in TABLES:
            with (folder / f"{table}.{part}").open("rb") as file:
                cursor.copy_expert(f"COPY {table} FROM STDIN", file)


def _connect() -> Any:
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    return psycopg2.connect(**parameters)
