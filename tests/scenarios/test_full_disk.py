"""The disk of Postgres is full in the middle of a bill run: it stops, says why, and goes on.

The database lies on a disk of its own (a small tmpfs), which somebody else's file fills.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import psycopg2
import pytest

from tests.scenarios.ownhouse import OwnHouse
from tests.scenarios.test_run_faults import (
    A_MINUTE_PASSES,
    APPROVE,
    BUILD,
    COUNTED,
    LEFT,
    OPEN,
    POSTED,
    STANDING,
    state_of,
)

WHOLE = os.environ.get("O2B_FAULTS") == "whole"
pytestmark = [
    pytest.mark.workers,
    pytest.mark.skipif(
        not (WHOLE or os.environ.get("CI")),
        reason="servers and a disk of its own take a minute: in CI, and by make test-faults",
    ),
]
ACCOUNTS, LINES, SHARD = (2000, 4, 100) if WHOLE else (400, 2, 100)
ROOM = 64 * 1024 * 1024 + ACCOUNTS * 20_000
SECONDS = 600 if WHOLE else 90
# What a page and an API say of the run that stands still.
SAID = """
import json, sys
from billing.runs.selectors import troubles_of
print(json.dumps(troubles_of(run_id=int(sys.argv[1]))))
"""


@pytest.fixture
def house(django_db_setup: None) -> Iterator[OwnHouse]:
    own = OwnHouse()
    try:
        own.migrate()
        yield own
    finally:
        own.close()


class Disk:
    """A disk of so many bytes, and the file of somebody else that fills it."""

    def __init__(self, path: Path) -> None:
        self.path, self.filler = path, path / "somebody-elses-file"

    def fill(self) -> None:
        with self.filler.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                while True:
                    try:
                        file.write(b"\0" * size)
                    except OSError:
                        break

    def free(self) -> None:
        self.filler.unlink(missing_ok=True)


@contextmanager
def a_disk(house: OwnHouse, size: int) -> Iterator[Disk]:
    path = house.home.path / "disk"
    path.mkdir()
    asked = ["mount", "-t", "tmpfs", "-o", f"size={size}", "o2b-test", str(path)]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("a full disk needs a disk of its own, and only root may mount one")
    try:
        yield Disk(path)
    finally:
        house.close()
        subprocess.run(["umount", str(path)], check=True)


def database_on(house: OwnHouse, disk: Disk) -> None:
    """A copy of the world whose tables lie on the disk."""
    tables = disk.path / "tables"
    tables.mkdir()
    owner = (house.home.path / "postgres").stat()
    os.chown(tables, owner.st_uid, owner.st_gid)
    there = psycopg2.connect(house.addresses.database_url.replace("/o2b?", "/postgres?"))
    there.autocommit = True
    with there.cursor() as cursor:
        # Autovacuum rewrites the catalogue, and whoever connects next must then write a file of
        # Postgres' own: on a full disk nobody could ask what the run says.
        cursor.execute("ALTER SYSTEM SET autovacuum = off")
        cursor.execute("SELECT pg_reload_conf()")
        cursor.execute(f"CREATE TABLESPACE small LOCATION '{tables}'")
        cursor.execute("CREATE DATABASE disturbed TEMPLATE o2b TABLESPACE small STRATEGY file_copy")
    there.close()


def test_a_full_disk_stops_the_run_until_there_is_room(house: OwnHouse) -> None:
    house.python(BUILD, ACCOUNTS, LINES)
    size = house.sql("SELECT pg_database_size('o2b')")[0][0]
    with a_disk(house, size + ROOM) as disk:
        database_on(house, disk)
        calm = billed(house, lambda _: None)
        house.database = "disturbed"
        full: list[str] = []

        def full_for_a_while(state: str) -> None:
            """Before the drafts, and again before the invoices."""
            disk.fill()
            run = house.sql("SELECT max(id) FROM billing_billrun")[0][0]
            house.start("worker")
            until = time.monotonic() + SECONDS
            while not (said := house.python(SAID, run)):
                assert time.monotonic() < until, f"nothing is said\n{house.words()}"
                time.sleep(0.2)
            assert "No space left on device" in " ".join(said)
            assert state_of(house) == state
            assert house.sql("SELECT count(*) FROM billing_parkedaccount")[0][0] in (0, 1)
            full.append(state)
            disk.free()

        assert billed(house, full_for_a_while) == calm
        assert full == ["drafting", "finalising"]


def billed(house: OwnHouse, before: Callable[[str], None]) -> dict[str, str]:
    """Bill the world of the database at hand; the digests of everything that is left."""
    run = house.python(OPEN, SHARD)
    before("drafting")
    house.start("worker")
    go_on(house, "to_approve")
    house.stop_processes()
    house.python(APPROVE + FINALISE, run)
    before("finalising")
    house.start("worker")
    go_on(house, "finalised")
    house.wait_until(lambda: not house.sql("SELECT FROM billing_draftline LIMIT 1"), seconds=60)
    house.stop_processes()
    rows = {
        "lines": house.sql(LEFT),
        "postings": house.sql(POSTED),
        "standing": house.sql(STANDING),
        "shards": house.sql(f"{COUNTED} FROM billing_shard ORDER BY n"),
        "parked": house.sql("SELECT account_id, code, reason FROM billing_parkedaccount"),
    }
    assert (len(rows["lines"]), len(rows["parked"])) == ((ACCOUNTS - 1) * LINES, 1)
    return {name: sha256(repr(found).encode()).hexdigest() for name, found in rows.items()}


SWEEP = """
import o2b.celery
from o2b import events
events.sweep()
"""
FINALISE = """
from billing.runs.services import finalise_run
finalise_run(run_id=int(sys.argv[1]), at=clock.now())
"""


def go_on(house: OwnHouse, state: str) -> None:
    until, looked = time.monotonic() + SECONDS, time.monotonic()
    while state_of(house) != state:
        assert time.monotonic() < until, f"{state_of(house)}\n{house.words()}"
        time.sleep(0.2)
        if time.monotonic() - looked > 5:  # what failed is owed still, and nobody sweeps here
            house.sql(A_MINUTE_PASSES)
            house.python(SWEEP)
            looked = time.monotonic()
