"""Sheets of orders for the tests of bulk orders."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

from orders import services
from orders.models import BulkOrder, BulkRow
from tests.factories import NOON

HEADER = "order,account,product,quantity"


def sheet(*rows: str, header: str = HEADER) -> bytes:
    """A CSV file."""
    return "\r\n".join([header, *rows, ""]).encode()


def taken(
    body: bytes, *, dry_run: bool = True, name: str = "orders.csv", **given: Any
) -> BulkOrder:
    """The sheet as it was taken, worked through to its end."""
    fields: dict[str, Any] = {
        "stream": BytesIO(body),
        "file_name": name,
        "dry_run": dry_run,
        "at": NOON,
        "by_id": None,
        "already_of": nothing,
    }
    bulk = services.take_sheet(**fields | given)
    while services.work_on_bulk(bulk_id=bulk.pk, machine_now=NOON, already_of=nothing):
        pass
    bulk.refresh_from_db()
    return bulk


def nothing(account_id: int) -> frozenset[str]:
    return frozenset()


def results(bulk: BulkOrder) -> list[tuple[int, str, str]]:
    """Row, outcome and column of every row."""
    rows = BulkRow.objects.filter(bulk=bulk).order_by("number")
    return [(row.number, row.outcome, row.field) for row in rows]


def problems(bulk: BulkOrder) -> list[str]:
    return [row.problem for row in BulkRow.objects.filter(bulk=bulk).order_by("number")]


def many(count: int, accounts: Sequence[str], products: Sequence[str]) -> Iterable[str]:
    """Rows of orders with five lines each."""
    for n in range(count):
        account = accounts[n // 5 % len(accounts)]
        yield f"PO-{n // 5},{account},{products[n % len(products)]},1"
