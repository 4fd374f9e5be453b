"""Promises are opened when an order is placed, and every fact about them is appended."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from billing.models import Breach
from billing.promises.selectors import Broken, broken
from o2b import events
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.models import Order

OPEN = """
INSERT INTO billing_promise (order_line_id, order_id, account_id, legal_entity_id, product,
                             version, product_version_id, quantity, terms_digest, book_version_id,
                             contract_id, opened_at)
SELECT line.id, line.order_id, line.account_id, account.legal_entity_id, product.code,
       is_.number, is_.id, line.quantity, terms.digest, line.book_version_id,
       line.contract_id, %(at)s
    FROM orders_orderline AS line
    JOIN customers_account AS account ON account.id = line.account_id
    JOIN catalog_productversion AS is_ ON is_.id = line.product_version_id
    JOIN catalog_product AS product ON product.id = is_.product_id
    JOIN catalog_terms AS terms ON terms.id = line.terms_id
    WHERE line.order_id = ANY(%(orders)s)
    ORDER BY line.id
ON CONFLICT DO NOTHING
RETURNING order_id
"""

QUOTED_AND_ORDERED = """
INSERT INTO billing_promisefact (promise_id, kind, source_id, at, product, version, quantity,
                                 terms_digest)
SELECT promise.id, said.kind, said.source_id, %(at)s, product.code, is_.number, said.quantity,
       terms.digest
    FROM billing_promise AS promise
    JOIN LATERAL (
        SELECT 'ordered' AS kind, line.id AS source_id, line.product_version_id, line.quantity,
               line.terms_id
            FROM orders_orderline AS line WHERE line.id = promise.order_line_id
        UNION ALL
        SELECT 'quoted', quoted.id, quoted.product_version_id, quoted.quantity, quoted.terms_id
            FROM orders_orderline AS line
            JOIN quotes_quoteline AS quoted ON quoted.id = line.quote_line_id
            WHERE line.id = promise.order_line_id
    ) AS said ON true
    JOIN catalog_productversion AS is_ ON is_.id = said.product_version_id
    JOIN catalog_product AS product ON product.id = is_.product_id
    JOIN catalog_terms AS terms ON terms.id = said.terms_id
    WHERE promise.order_id = ANY(%(orders)s)
    ORDER BY promise.id
ON CONFLICT DO NOTHING
"""

DELIVERED = """
INSERT INTO billing_promisefact (promise_id, kind, source_id, at, product, version, quantity,
                                 terms_digest)
SELECT promise.id, 'delivered', shown.id, shown.at, product.code, is_.number, shown.quantity, ''
    FROM billing_promise AS promise
    JOIN orders_evidence AS shown ON shown.line_id = promise.order_line_id
    JOIN catalog_productversion AS is_ ON is_.id = shown.product_version_id
    JOIN catalog_product AS product ON product.id = is_.product_id
    WHERE promise.order_id = ANY(%(orders)s)
    ORDER BY shown.id
ON CONFLICT DO NOTHING
"""


class BreachNotOpen(Refused):
    code = "breach_not_open"


def open_promises(*, order_id: int, at: datetime) -> int:
    """Write down what each line of an order was promised, and who said so; return how many."""
    return open_promises_of(order_ids=[order_id], at=at)


@transaction.atomic
def open_promises_of(*, order_ids: Sequence[int], at: datetime) -> int:
    """The promises of many orders at the price of one; those that are open stay as they are."""
    values: dict[str, Any] = {"orders": list(order_ids), "at": at}
    with connection.cursor() as cursor:
        cursor.execute(OPEN, values)
        opened = [row[0] for row in cursor.fetchall()]
        if not opened:
            return 0
        cursor.execute(QUOTED_AND_ORDERED, values)
    orders = Order.objects.only("account_id").filter(pk__in=set(opened)).order_by("pk")
    events.record_many("promise.opened", list(orders), at=at)
    return len(opened)


def note_deliveries(*, order_id: int, at: datetime) -> int:
    """Append what was delivered for an order; a difference is a breach at once."""
    return note_deliveries_of(order_ids=[order_id], at=at)


@transaction.atomic
def note_deliveries_of(*, order_ids: Sequence[int], at: datetime) -> int:
    """The same for many orders."""
    # The news of an order may come after that of its delivery; a promise comes first.
    open_promises_of(order_ids=order_ids, at=at)
    with connection.cursor() as cursor:
        cursor.execute(DELIVERED, {"orders": list(order_ids)})
        noted = cursor.rowcount
    if noted:
        found = broken(which="promise.order_id = ANY(%s)", values=[list(order_ids)])
        record_breaches(found, stage=Breach.Stage.DELIVERY, at=at)
    return noted


def record_breaches(
    found: Iterable[Broken], *, stage: Breach.Stage, at: datetime, run_id: int | None = None
) -> list[Breach]:
    """Write what was found to those who answer for the accounts; the known is not repeated."""
    by_place = {(each.promise_id, each.account_id, each.field): each for each in found}
    if not by_place:
        return []
    accounts = sorted({account_id for _, account_id, _ in by_place})
    known = set(
        Breach.objects.filter(account_id__in=accounts, resolved_at=None, run_id=run_id).values_list(
            "promise_id", "account_id", "field"
        )
    )
    owners = dict(Account.objects.filter(pk__in=accounts).values_list("pk", "advocate_id"))
    made = Breach.objects.bulk_create(
        Breach(
            promise_id=each.promise_id or None,
            account_id=each.account_id,
            field=each.field,
            promised=each.promised,
            actual=f"{each.source} {each.actual}",
            stage=stage,
            found_at=at,
            run_id=run_id,
            owner_id=owners[each.account_id],
        )
        for place, each in sorted(by_place.items())
        if (place[0] or None, *place[1:]) not in known
    )
    if made:
        events.record_many(
            "breach.found", made, at=at, facts_of=lambda breach: {"field": breach.field}
        )
    return made


@transaction.atomic
def resolve_breach(*, breach_id: int, resolution: str, at: datetime, actor_id: int) -> Breach:
    """Close a breach with the words of who looked into it."""
    breach = Breach.objects.select_for_update().get(pk=breach_id)
    if breach.resolved_at is not None:
        raise BreachNotOpen(f"{breach} was resolved before")
    breach.resolved_at, breach.resolution = at, resolution
    breach.save(update_fields=["resolved_at", "resolution"])
    events.record("breach.resolved", breach, at=at, actor_id=actor_id, resolution=resolution)
    return breach
