"""Where what was quoted, ordered, delivered and put into service differs from the promise."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from billing.models import Breach
from o2b.promise import Promise, compare

# What each source says, beside the promise; rows that agree never leave Postgres.
KEPT = """
    ordered.product_version_id = promise.product_version_id
    AND ordered.quantity = promise.quantity
    AND terms.digest = promise.terms_digest
    AND (quoted.id IS NULL OR (quoted.product_version_id = promise.product_version_id
        AND quoted.quantity = promise.quantity AND quoted.terms_id = ordered.terms_id))
    AND (item.id IS NULL OR item.revision > 1
        OR item.product_version_id = promise.product_version_id)
    AND (version.id IS NULL OR (version.product_version_id = promise.product_version_id
        AND version.quantity = promise.quantity AND version.terms_id = ordered.terms_id))
"""

# An item that was changed since (revision > 1) answers to its change, not to its first order.
SOURCES = """
    billing_promise AS promise
    JOIN orders_orderline AS ordered ON ordered.id = promise.order_line_id
    JOIN catalog_terms AS terms ON terms.id = ordered.terms_id
    LEFT JOIN quotes_quoteline AS quoted ON quoted.id = ordered.quote_line_id
    LEFT JOIN subscriptions_item AS item ON item.order_line_id = ordered.id
    LEFT JOIN subscriptions_itemversion AS version
        ON version.item_id = item.id AND item.revision = 1 AND upper_inf(version.recorded)
"""

SAID = f"""
SELECT promise.id, promise.account_id, promise.product, promise.version, promise.quantity,
       promise.terms_digest,
       ordered_is.number, ordered.quantity, terms.digest,
       quoted_is.number, quoted.quantity, quoted_terms.digest,
       item_is.number, version_is.number, version.quantity, version_terms.digest
    FROM {SOURCES}
    JOIN catalog_productversion AS ordered_is ON ordered_is.id = ordered.product_version_id
    LEFT JOIN catalog_productversion AS quoted_is ON quoted_is.id = quoted.product_version_id
    LEFT JOIN catalog_terms AS quoted_terms ON quoted_terms.id = quoted.terms_id
    LEFT JOIN catalog_productversion AS item_is ON item_is.id = item.product_version_id
        AND item.revision = 1
    LEFT JOIN catalog_productversion AS version_is ON version_is.id = version.product_version_id
    LEFT JOIN catalog_terms AS version_terms ON version_terms.id = version.terms_id
    WHERE {{which}} AND ({KEPT}) IS NOT TRUE
"""

# Only what differs is looked at closer: evidence is read by the ids of its lines, sorted for it.
# The newest evidence of a task counts, for a correction is written after what it corrects; parts
# count together; and only of what is in use: a line in fallout is being mended. A version that the
# advocate approved stands for the promised one.
SHOWN = """
WITH mine AS MATERIALIZED (
    SELECT id, order_line_id, product_version_id, quantity
        FROM billing_promise AS promise WHERE {which}
), shown AS MATERIALIZED (
    SELECT mine.id AS promise_id, evidence.*
        FROM mine
        JOIN (
            SELECT * FROM orders_evidence
                WHERE line_id = ANY(ARRAY(SELECT order_line_id FROM mine))
                OFFSET 0
        ) AS evidence ON evidence.line_id = mine.order_line_id
        WHERE evidence.product_version_id <> mine.product_version_id
            OR evidence.quantity <> mine.quantity
)
SELECT promise.id, promise.account_id, promise.product, promise.version, promise.quantity,
       promise.terms_digest, product.code,
       CASE WHEN EXISTS (SELECT 1 FROM orders_approval AS instead
                         WHERE instead.line_id = shown.line_id AND instead.kind = 'substitution'
                           AND instead.state = 'granted'
                           AND instead.to_version_id = shown.product_version_id)
            THEN promise.version ELSE shown_is.number END,
       CASE WHEN shown.is_part
            THEN (SELECT sum(part.quantity) FROM orders_evidence AS part
                  WHERE part.task_id = shown.task_id AND part.is_part)
            ELSE shown.quantity END
    FROM shown
    JOIN billing_promise AS promise ON promise.id = shown.promise_id
    JOIN orders_orderline AS ordered ON ordered.id = shown.line_id
        AND ordered.state IN ('delivered', 'completed')
    JOIN catalog_productversion AS shown_is ON shown_is.id = shown.product_version_id
    JOIN catalog_product AS product ON product.id = shown_is.product_id
    WHERE NOT EXISTS (SELECT 1 FROM orders_evidence AS newer
                      WHERE newer.task_id = shown.task_id AND newer.id > shown.id
                        AND NOT (newer.is_part AND shown.is_part))
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """One field on which a source (quoted, ordered, delivered, in service) breaks a promise."""

    promise_id: int
    account_id: int
    field: str
    promised: str
    actual: str
    source: str

    @property
    def message(self) -> str:
        return f"{self.field}: promised {self.promised}, {self.source} {self.actual}"


def broken(*, which: str, values: Any, doubtful: Collection[int] | None = None) -> list[Broken]:
    """Every difference of the promises chosen by `which` (SQL over promise).

    `doubtful` are those of them that quote, order or item break, where the caller knows.
    """
    found: list[Broken] = []
    with connection.cursor() as cursor:
        cursor.execute(SHOWN.format(which=which), values)
        for row in cursor.fetchall():
            found.extend(_compare(row[:6], "delivered", (row[6], *row[7:9], None)))
        if doubtful is None:
            cursor.execute(SAID.format(which=which), values)
        elif doubtful:
            cursor.execute(SAID.format(which="promise.id = ANY(%s)"), [sorted(doubtful)])
        else:
            return found
        for row in cursor.fetchall():
            found.extend(_said(row))
    return found


def _said(row: tuple[Any, ...]) -> Iterator[Broken]:
    promised, product = row[:6], row[2]
    yield from _compare(promised, "quoted", (product, *row[9:12]))
    yield from _compare(promised, "ordered", (product, *row[6:9]))
    yield from _compare(promised, "in service", (product, row[12], None, None))
    yield from _compare(promised, "in service", (product, *row[13:16]))


def _compare(
    promised: tuple[Any, ...], source: str, actual: tuple[Any, Any, Any, Any]
) -> Iterator[Broken]:
    promise_id, account_id, *is_promised = promised
    for each in compare(Promise(*is_promised), Promise(*actual)):
        yield Broken(
            promise_id, account_id, each.field, _text(each.promised), _text(each.actual), source
        )


def _text(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def open_breaches() -> QuerySet[Breach]:
    """What somebody must still look into, oldest first."""
    return (
        Breach.objects.filter(resolved_at=None)
        .select_related("account", "owner", "promise")
        .order_by("pk")
    )
