"""A telecom's real subscribers: each goes the whole way and is billed as the file says."""

import csv
import os
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from billing.desk.importing.reader import HELD
from billing.models import Invoice
from orders.models import OrderLine
from subscriptions.models import Item
from tests.scenarios.house import FILE, an_approver, run
from tests.workers import Workers

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.workers,
    pytest.mark.real_file,
    pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside this checkout"),
]
SLICE = 500


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The whole file in CI, its first 500 subscribers elsewhere (O2B_REAL_FILE=whole: all)."""
    if os.environ.get("CI") or os.environ.get("O2B_REAL_FILE") == "whole":
        return FILE
    lines = FILE.read_text().splitlines(keepends=True)
    part = tmp_path / "part.csv"
    part.write_text("".join(lines[: SLICE + 1]))
    return part


def test_every_subscriber_is_billed_as_the_file_says(file: Path, workers: Workers):
    an_approver()
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    monthly = {row["customerID"]: Decimal(row["MonthlyCharges"]) for row in rows}
    held = sum(row[column] == value for row in rows for column, value, _ in HELD)

    told = run(workers, "import_subscribers", str(file), "--period", "2026-01", "--json")

    expected = {"rows": len(rows), "imported": len(rows), "already": 0, "rejected": 0}
    assert {key: told[key] for key in expected} == expected
    assert (told["lines"], told["tasks_by_workers"]) == (held, held)
    assert set(told["worker_pids"]) == set(workers.pids)
    assert len(told["worker_pids"]) >= 2
    assert OrderLine.objects.filter(state=OrderLine.State.COMPLETED).count() == held
    assert Item.objects.count() == held

    again = run(workers, "import_subscribers", str(file), "--period", "2026-01", "--json")
    assert (again["imported"], again["already"], again["lines"]) == (0, len(rows), held)

    billed = run(workers, "bill_month", "2026-01", "--finalise", "--json")
    assert billed["invoices"] == len(rows)
    assert billed["billed"] == str(sum(monthly.values()))
    assert (billed["mismatches"], billed["parked"]) == (0, 0)
    assert dict(Invoice.objects.values_list("account__reference").annotate(Sum("net"))) == monthly
    assert numbers_have_no_gap()

    second = run(workers, "bill_month", "2026-01", "--finalise", "--json")
    assert (second["invoices"], second["billed"]) == (0, "0.00")


def numbers_have_no_gap() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(serial) = 1 AND max(serial) = count(*)"
            " AND count(DISTINCT serial) = count(*) FROM billing_invoice"
        )
        return bool(cursor.fetchone()[0])
