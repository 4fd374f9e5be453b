"""A telecom's real subscribers: each goes the whole way and is billed as the file says."""

import csv
import os
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from billing.desk.importing.reader import HELD
from billing.models import Invoice, InvoiceLine
from o2b import clock
from o2b.models import Outbox
from orders.models import OrderLine
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item
from tests.scenarios.house import FILE, an_approver, run, until
from tests.scenarios.recomputed import Service, Told, month_net
from tests.workers import Workers

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.workers,
    pytest.mark.real_file,
    pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside this checkout"),
]
SLICE, CHANGES = 500, 200
SEED = int(os.environ.get("O2B_SEED", "7"))
ACTS = (Act.QUANTITY, Act.TERMS, Act.END, Act.SUSPEND)
JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


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

    the_second_month_with_changes(workers)


def the_second_month_with_changes(workers: Workers) -> None:
    """200 services change in the middle of two months; a recomputation that knows nothing of us."""
    prices = monthly_prices()
    told = change_some(random.Random(SEED), prices)
    until(lambda: not Outbox.objects.exists())
    billed = run(workers, "bill_month", "2026-02", "--finalise", "--json")
    assert (billed["mismatches"], billed["parked"]) == (0, 0)
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for month in (JANUARY, FEBRUARY):
        for (reference, _), amount in month_net(prices, told, month).items():
            expected[reference] += amount
    nets = dict(Invoice.objects.values_list("account__reference").annotate(Sum("net")))
    assert nets == expected
    assert numbers_have_no_gap()


def monthly_prices() -> dict[Service, Decimal]:
    """What each service cost in January, which was billed whole and adds up to the file."""
    lines = InvoiceLine.objects.values_list(
        "charge__account__reference", "charge__item__product_version__product__code", "amount"
    )
    return {(reference, code): amount for reference, code, amount in lines}


def change_some(chance: random.Random, prices: dict[Service, Decimal]) -> list[Told]:
    """Services that end, pause, multiply or become others, each from a day of their own."""
    told: list[Told] = []
    items = {
        (item.account.reference, item.product_version.product.code): item
        for item in Item.objects.select_related("account", "product_version__product")
    }
    for service in chance.sample(sorted(prices), CHANGES):
        wishes = some_wishes(chance, service, items[service].pk, told)
        account = items[service].account_id
        for wish in wishes:
            change_services(account_id=account, wishes=[wish], at=clock.now(), actor_id=None)
    return told


def numbers_have_no_gap() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(serial) = 1 AND max(serial) = count(*)"
            " AND count(DISTINCT serial) = count(*) FROM billing_invoice"
        )
        return bool(cursor.fetchone()[0])


def some_wishes(
    chance: random.Random, service: Service, item: int, told: list[Told]
) -> Iterator[Wish]:
    """A change of one service, or a pause with its end; each is `told` as well."""
    on = JANUARY + timedelta(days=chance.randrange(1, 57))
    wish = Wish(item_id=item, act=chance.choice(ACTS), when=When.ON, on=on)
    if wish.act is Act.QUANTITY:
        quantity = chance.randrange(2, 5)
        told.append(Told(service, on, quantity=quantity))
        yield replace(wish, quantity=quantity)
    elif wish.act is Act.TERMS:
        other = "dsl" if service[1] == "fibre" else "fibre"
        told.append(Told(service, on, product=other))
        yield replace(wish, product=other)
    elif wish.act is Act.END:
        told.append(Told(service, on, quantity=0))
        yield wish
    else:
        back = on + timedelta(days=chance.randrange(1, 20))
        told += [Told(service, on, quantity=0), Told(service, back, quantity=1)]
        yield replace(wish, billing="none")
        yield replace(wish, act=Act.RESUME, on=back)
