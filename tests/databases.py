"""Test databases: migrated once a run into a template, cloned for each process and after each mess.

The groups of people stand in it too, as in every house that was set up.

A clone is exact: rows of data migrations, sequences and partitions are as the migrations left them.
A flush is not, and the frozen tables refuse its TRUNCATE.
"""

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg2
from django.core.management import call_command
from django.db import connection, connections
from psycopg2 import sql
from psycopg2.extensions import cursor, make_dsn

from o2b.servers.programs import postgres_programs


def make(suffix: str) -> None:
    """Let the default connection speak to a database of this process's own."""
    with _one_at_a_time():
        if not _exists(template()):
            _migrate_template()
    _point_at(f"o2b_test_{os.environ['O2B_TEST_RUN']}_{suffix}")
    restore()


def restore() -> None:
    """Throw this process's database away and clone a new one."""
    connections.close_all()
    name = str(connection.settings_dict["NAME"])
    _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
    _run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template())


def drop() -> None:
    """The end of this process's tests."""
    connections.close_all()
    _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(connection.settings_dict["NAME"]))


def drop_template() -> None:
    """The end of the run."""
    _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", template())


def template() -> str:
    """The name of the migrated database; it is copied, and nobody stays connected to it."""
    return f"o2b_template_{os.environ['O2B_TEST_RUN']}"


def template_as_sql() -> Path:
    """What the template is made of, for psql: for a test with a Postgres of its own."""
    told = Path(os.environ["O2B_HOME"]) / "template.sql"
    with _one_at_a_time():
        if not told.exists():
            making = told.with_suffix(".making")
            there = make_dsn(os.environ["DATABASE_URL"], dbname=template())
            programs = postgres_programs()
            subprocess.run([programs / "pg_dump", "-d", there, "-f", making], check=True)
            making.rename(told)
    return told


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (Path(os.environ["O2B_HOME"]) / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _migrate_template() -> None:
    making = f"{template()}_making"
    _run("DROP DATABASE IF EXISTS {} WITH (FORCE)", making)
    connection.settings_dict["TEST"]["NAME"] = making
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    call_command("ensure_groups", stdout=StringIO())
    connections.close_all()
    _run("ALTER DATABASE {} RENAME TO {}", making, template())


def _point_at(name: str) -> None:
    connection.settings_dict["NAME"] = name
    connection.settings_dict["TEST"]["NAME"] = name


def _exists(name: str) -> bool:
    return bool(_ask("SELECT 1 FROM pg_database WHERE datname = %s", name))


def _run(statement: str, *names: str) -> None:
    with _maintenance() as at:
        at.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _ask(question: str, *values: str) -> list[tuple[object, ...]]:
    with _maintenance() as at:
        at.execute(question, values)
        return at.fetchall()


@contextlib.contextmanager
def _maintenance() -> Iterator[cursor]:
    """A connection that stands in no test database and in no transaction."""
    there = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        there.autocommit = True
        with there.cursor() as open_cursor:
            yield open_cursor
    finally:
        there.close()
