"""Usage under faults: the same batch from twenty sides, a killed worker, a missing partition."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.conf import settings
from django.db import connection, connections

from subscriptions.models import Item, UsageKey, UsageTotal
from subscriptions.usage.rules.told import Told
from subscriptions.usage.services import recount_usage, take_usage
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service
from tests.workers import database_url

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)


def a_batch(items: list[Item], count: int, name: str = "e") -> list[Told]:
    return [
        Told(
            id=f"{name}{n}",
            source="pbx",
            meter="minutes",
            subject=items[n % len(items)].number,
            time=datetime(2026, 1, 1 + n % 31, 12, tzinfo=UTC),
            value=Decimal(1),
        )
        for n in range(count)
    ]


def total() -> int:
    return sum(int(row.quantity) for row in UsageTotal.objects.all())


def test_the_same_batch_from_twenty_clients_counts_once(world: World) -> None:
    a_meter()
    items = [a_metered_service(world) for _ in range(3)]
    batch = a_batch(items, 500)
    gone = Told(id="gone", source="pbx", retracts="e7")
    answers: list[dict[str, int]] = []
    failures: list[BaseException] = []

    def client(n: int) -> None:
        # Some send it the other way round: batches that meet must not stop each other.
        mine = [*batch, gone] if n % 2 else [gone, *reversed(batch)]
        try:
            answers.append(take_usage(mine, at=NOW).counts())
        except BaseException as exc:
            failures.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sum(each["accepted"] + each["pending"] for each in answers) == 501
    assert sum(each["duplicate"] for each in answers) == 19 * 501
    assert (total(), UsageKey.objects.count()) in ((499, 501), (500, 501))
    assert recount_usage(write=False).holds


SENDER = """
import django; django.setup()
from django.db import connection
from tests.scenarios.test_usage_faults import NOW, a_batch
from subscriptions.models import Item
from subscriptions.usage.services import take_usage
items = list(Item.objects.order_by("pk"))
print("ready", flush=True)
for n in range(400):
    take_usage(a_batch(items, 200, f"k{n}-"), at=NOW)
"""


def test_a_worker_killed_in_the_middle_of_a_batch_loses_nothing(world: World) -> None:
    a_meter()
    items = [a_metered_service(world) for _ in range(3)]
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    environment |= {"DJANGO_SETTINGS_MODULE": "o2b.settings"}
    for wait in (0.03, 0.11, 0.2):
        sender = subprocess.Popen(
            [sys.executable, "-c", SENDER], stdout=subprocess.PIPE, env=environment, text=True
        )
        assert sender.stdout is not None
        assert sender.stdout.readline() == "ready\n"
        time.sleep(wait)
        sender.send_signal(signal.SIGKILL)
        sender.communicate()
        _wait_until_gone()
        found = recount_usage(write=False)
        assert found.holds
        assert found.events % 200 == 0
    # Whoever sends everything again ends with everything, once.
    for n in range(5):
        take_usage(a_batch(items, 200, f"k{n}-"), at=NOW)
    assert UsageKey.objects.filter(key__startswith="k0-").count() == 200
    assert total() == UsageKey.objects.count() >= 1000
    assert recount_usage(write=False).holds


def _wait_until_gone() -> None:
    """Postgres rolls back what a dead client had not committed."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state <> 'idle' AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            if not cursor.fetchone()[0]:
                return
        time.sleep(0.05)


def test_a_partition_that_is_missing_stops_nobody(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE subscriptions_usageevent_" + f"{datetime.now(UTC):%Y_%m}")
    old = a_batch([item], 1, "old")[0]
    assert take_usage([old], at=NOW).answers[0].status == "accepted"
    assert recount_usage(write=False).holds


def test_what_was_changed_behind_its_back_is_found_and_mended(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    take_usage(a_batch([item], 40), at=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subscriptions_usagetotal SET quantity = quantity + 1 WHERE day < '2026-01-03'"
        )
        cursor.execute("DELETE FROM subscriptions_usagetotal WHERE day = '2026-01-04'")
    found = recount_usage(write=False)
    assert (found.holds, len(found.differences)) == (False, 3)
    assert not recount_usage(write=True).holds
    assert recount_usage(write=False).holds
    assert total() == 40
