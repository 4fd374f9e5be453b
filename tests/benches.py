"""A bench in small, as a process of its own."""

import json
import os
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.db import connection

from o2b import benching
from tests.databases import template
from tests.workers import database_url

LONGEST_SECONDS = 300


def measured(*command: str) -> dict[str, Any]:
    """What a bench tells; it has left no database behind."""
    before = databases()
    done = subprocess.run(
        [sys.executable, "manage.py", *command, "--json"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url(), benching.TEMPLATE: template()},
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Those of benches that run beside it go in their time; one of its own would stay.
    left, until = databases() - before, time.monotonic() + LONGEST_SECONDS
    while left & databases() and time.monotonic() < until:
        time.sleep(1)
    assert not left & databases()
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'o2b\\_bench\\_%'")
        return {name for (name,) in cursor.fetchall()}
