"""manage.py bench_bill_run in small: it measures, leaves no database, and names what it counts."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from tests.workers import database_url


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_the_bench_measures_and_cleans_up() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "bench_bill_run", "--accounts", "1000", "--json"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database_url()},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["accounts"], told["invoices"], told["parked"]) == (1000, 990, 10)
    assert told["rows"] == 990 + 4 * 990 + 990 + 4000
    assert told["ratio_to_copy"] > 0
    assert len(told["peak_rss_mb"]) == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'o2b\\_bench\\_%'")
        assert cursor.fetchone() == (0,)
