"""Rows of prices into Postgres by COPY, a batch at a time."""

import json
from collections.abc import Iterable
from functools import lru_cache
from io import StringIO
from typing import Any

from django.db import connection

from o2b.catalog.exchange.charges import Shape

NULL = r"\N"

PRICES = """
COPY catalog_price (version_id, product_id, key, unit_price, from_version, to_version,
    discount_limit, match, kind, model, tiers, details, interval_unit, interval_count, timing,
    alignment, proration, tax_code, revenue_rule)
FROM STDIN
"""


def copy_prices(lines: Iterable[str]) -> None:
    """Lines as `price_line` writes them."""
    rows = StringIO()
    rows.writelines(lines)
    rows.seek(0)
    # COPY is psycopg's own; let its refusals look like all others.
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(PRICES, rows)


def price_line(head: str, match: dict[str, str], shape: Shape) -> str:
    """One price; `head` holds the columns up to the discount limit, each with its tab."""
    return f"{head}{as_json(match) if match else '{}'}\t{_tail(shape)}"


@lru_cache(maxsize=4096)
def _tail(shape: Shape) -> str:
    """Rendered once for all rows of a shape; none of its words holds a tab or a backslash."""
    columns = (
        shape.kind,
        shape.model,
        as_json(shape.tiers),
        as_json(shape.details),
        shape.interval_unit,
        str(shape.interval_count),
        shape.timing,
        shape.alignment,
        shape.proration,
        shape.tax_code,
        shape.revenue_rule,
    )
    return "\t".join(columns) + "\n"


def as_json(value: Any) -> str:
    r"""JSON as COPY wants it: its backslashes doubled; tabs and lines JSON escapes itself.

    >>> print(as_json({"a": "1\t"}))
    {"a": "1\\t"}
    """
    return json.dumps(value, ensure_ascii=False).replace("\\", "\\\\")
