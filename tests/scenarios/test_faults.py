"""Workers die and Redis forgets, in the middle of an import and of a bill run: nothing is lost."""

import hashlib
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from billing.models import BillRun, Invoice
from o2b import events
from o2b.models import Outbox
from orders.models import OrderLine, Task
from tests import databases
from tests.scenarios.house import FILE, an_approver, answer, run, start, until
from tests.workers import Workers

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.workers,
    pytest.mark.real_file,
    pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside this checkout"),
]
ROWS = 150
THE_WHOLE_THREAD = """
SELECT account.reference, product.code, terms.digest, line.state, item.started_on,
       invoice.number, billed.period_start, billed.amount
    FROM orders_orderline AS line
    JOIN customers_account AS account ON account.id = line.account_id
    JOIN catalog_productversion AS version ON version.id = line.product_version_id
    JOIN catalog_product AS product ON product.id = version.product_id
    JOIN catalog_terms AS terms ON terms.id = line.terms_id
    LEFT JOIN subscriptions_item AS item ON item.order_line_id = line.id
    LEFT JOIN billing_charge AS charge ON charge.item_id = item.id
    LEFT JOIN billing_invoiceline AS billed ON billed.charge_id = charge.id
    LEFT JOIN billing_invoice AS invoice ON invoice.id = billed.invoice_id
    ORDER BY 1, 2, 3, 7
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    lines = FILE.read_text().splitlines(keepends=True)
    part = tmp_path / "part.csv"
    part.write_text("".join(lines[: ROWS + 1]))
    return str(part)


def digest() -> tuple[int, str]:
    """How many rows the whole thread left, and their SHA-256."""
    with connection.cursor() as cursor:
        cursor.execute(THE_WHOLE_THREAD)
        rows = cursor.fetchall()
    return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()


def time_passes(workers: Workers) -> None:
    """Leases of the dead run out, and the sweeper comes by.

    Not at once again: the leases of the living run out with them, and who loses his lease each few
    milliseconds never ends anything. Nor while messages wait: they would all be sent again each
    time, and the workers would be busy with nothing but doubles.
    """
    time.sleep(2)
    if workers.messages():
        return
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    Outbox.objects.exclude(leased_until=None).update(leased_until=long_ago)
    Task.objects.filter(state=Task.State.RUNNING).update(leased_until=long_ago)
    events.sweep(older_than=timedelta(0))


def lose_everything(workers: Workers) -> None:
    """Both workers die at once, Redis forgets; two others take their place."""
    dead = len(workers.processes)
    for index in range(dead - 2, dead):
        workers.kill9(index)
    workers.empty_redis()
    workers.add()
    workers.add()


def completed() -> int:
    return OrderLine.objects.filter(state=OrderLine.State.COMPLETED).count()


def test_killed_workers_and_an_empty_redis_change_nothing(file: str, workers: Workers):
    an_approver()
    run(workers, "import_subscribers", file, "--period", "2026-01", "--json")
    run(workers, "bill_month", "2026-01", "--finalise", "--json")
    undisturbed = digest()
    assert undisturbed[0] > ROWS
    databases.restore()

    an_approver()
    importing = start(workers, "import_subscribers", file, "--period", "2026-01", "--json")
    until(lambda: completed() > 20)
    lose_everything(workers)
    until(lambda: time_passes(workers) or importing.poll() is not None)
    told = answer(importing)
    assert (told["imported"], told["rejected"]) == (ROWS, 0)

    billing = start(workers, "bill_month", "2026-01", "--finalise", "--json")
    until(lambda: BillRun.objects.exists())
    lose_everything(workers)
    until(lambda: time_passes(workers) or billing.poll() is not None)
    assert answer(billing)["mismatches"] == 0

    assert Invoice.objects.count() == ROWS
    assert digest() == undisturbed
