"""Small worlds for the tests of bill runs: accounts with services in use, and runs over them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from billing.models import BillRun, Invoice, InvoiceLine, ParkedAccount
from billing.runs.services import approve_run, open_run
from o2b import events
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from orders.acceptance.services import place_order
from orders.models import Order
from tests.factories import a_sent_quote, a_user, an_account, an_entity

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
START = date(2026, 1, 1)
JANUARY, FEBRUARY, MARCH = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)


def ordered(
    products: Sequence[ProductVersion],
    *,
    account: Account | None = None,
    quantity: str = "1",
    start_on: date = START,
) -> Order:
    """A quote sent and accepted; nothing has been done about it yet.

    It is ordered on the day after `start_on`: so it is a service that was there already, and in
    use from that day on, whatever day it is when it is delivered.
    """
    quote = a_sent_quote(
        account=account or an_account(),
        products=products,
        quantity=quantity,
        at=AT,
        start_on=start_on,
    )
    return place_order(quote_id=quote.pk, by="the customer", at=taken_over(start_on))


def taken_over(start_on: date) -> datetime:
    """A moment on the day after: what is ordered then was there already on `start_on`."""
    return datetime.combine(start_on + timedelta(days=1), AT.timetz())


def in_service(products: Sequence[ProductVersion], **given: Any) -> Account:
    """An account whose services run and are billed from `start_on` on."""
    order = ordered(products, **given)
    events.drain()
    return order.account


def drafted(on: date = JANUARY, *, account_ids: Sequence[int] | None = None) -> BillRun:
    """A run that waits for its approval."""
    run = open_run(
        legal_entity_id=an_entity().pk,
        on=on,
        opened_by_id=a_user().pk,
        at=AT,
        account_ids=account_ids,
    )
    events.drain()
    run.refresh_from_db()
    return run


def finalised(on: date = JANUARY, *, account_ids: Sequence[int] | None = None) -> BillRun:
    """A run approved by a second person and carried through."""
    run = drafted(on, account_ids=account_ids)
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    run.refresh_from_db()
    return run


def bills(account: Account) -> list[tuple[str, str, str]]:
    """(first day, first day outside, amount) of every line, in the order of their numbers."""
    lines = InvoiceLine.objects.filter(invoice__account=account)
    return [
        (str(line.served_from), str(line.served_to), f"{line.amount:.2f}")
        for line in lines.order_by("invoice__serial", "position")
    ]


def parked(run: BillRun) -> dict[int, str]:
    """account → the code of the reason."""
    return dict(ParkedAccount.objects.filter(run=run).values_list("account_id", "code"))


def numbers() -> list[str]:
    """All numbers, in order."""
    return list(Invoice.objects.order_by("serial").values_list("number", flat=True))


def by_hand(statement: str, values: Sequence[Any], *, rows: int = 1) -> None:
    """Change a row behind every trigger's back, as somebody with a superuser's key could."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        assert cursor.rowcount == rows
        cursor.execute("SET session_replication_role = DEFAULT")
