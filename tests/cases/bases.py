"""The base of a seller, thousands of subscribers, in one real bill run.

One of them is sold and delivered by the product, and copied as the benches do it; then each copy
was promised, ordered and delivered as many units at 1 as it pays. The run compares all that.
"""

from collections.abc import Mapping

from django.db import connection
from psycopg2.extras import execute_values

from billing.models import InvoiceLine
from billing.runs.bench.multiplying import COPIED, multiply
from o2b.charging import DraftLine
from o2b.customers.models import Account
from tests.billing.worlds import START, finalised, in_service
from tests.cases.asking import Drafts
from tests.cases.lives import QUANTITY_PLACES
from tests.cases.market import Found, as_drafted
from tests.factories import a_product, monthly

# Each table with a quantity, and by which of its tables a row hangs on its account.
BY_ACCOUNT = ("orders_orderline", "billing_promise")
BY_OTHERS = (
    ("quotes_quoteline", "quote_id", "quotes_quote"),
    ("orders_evidence", "line_id", "orders_orderline"),
    ("subscriptions_itemversion", "item_id", "subscriptions_item"),
    ("subscriptions_itemchange", "item_id", "subscriptions_item"),
)


def bill_bases(asked: Mapping[str, Drafts]) -> dict[str, Found]:
    """The lines of each case's subscribers, in the order of its charges; none were before."""
    price = monthly("1.00", alignment="anniversary")
    in_service([a_product(charges=[price], quantity_places=QUANTITY_PLACES)])
    prices = [charge.terms.unit_price for each in asked.values() for charge in each.charges]
    multiply(len(prices))
    accounts = list(Account.objects.order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE told (account bigint PRIMARY KEY, quantity numeric)")
        pairs = list(zip(accounts, prices, strict=True))
        execute_values(cursor, "INSERT INTO told VALUES %s", pairs)
        cursor.execute("SET session_replication_role = replica")
        for table in BY_ACCOUNT:
            cursor.execute(
                f"UPDATE {table} AS row SET quantity = told.quantity FROM told"
                " WHERE row.account_id = told.account"
            )
        for table, column, other in BY_OTHERS:
            cursor.execute(
                f"UPDATE {table} AS row SET quantity = told.quantity FROM {other} AS mine"
                f" JOIN told ON told.account = mine.account_id WHERE row.{column} = mine.id"
            )
        cursor.execute("SET session_replication_role = DEFAULT")
        # Else the run is planned for one account; tables that it fills are not looked at empty.
        cursor.execute(f"ANALYZE {', '.join(COPIED)}")
    run = finalised(START)
    assert not run.parked_accounts.exists()
    lines = iter(_lines(run.pk, accounts))
    return {case: ([next(lines) for _ in each.charges], ()) for case, each in asked.items()}


def _lines(run: int, accounts: list[int]) -> list[list[DraftLine]]:
    """What the run billed each account, as a draft would say it."""
    found: dict[int, list[DraftLine]] = {pk: [] for pk in accounts}
    rows = InvoiceLine.objects.filter(invoice__run=run).select_related("charge__terms_charge")
    for row in rows.iterator(chunk_size=2000):
        found[row.account_id].append(as_drafted(row, amount=row.amount, target=row.amount))
    return list(found.values())
