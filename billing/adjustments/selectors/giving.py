"""Up to which day a coupon has given something, by the days of service that it was given for."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from billing.models import CouponGrant
from billing.rules.adjustments import COUPON
from o2b.money import sum_of

# Lines of the periods that a coupon gave something for, drafts included; a period without lines of
# its own charge comes alone.
GIVEN_FOR = """
WITH given AS (
    SELECT charge_id, period_start, NULL::bigint AS shard_id FROM billing_invoiceadjustment
        WHERE account_id = %(account)s AND kind = %(kind)s AND source_id = %(grant)s
    UNION
    SELECT charge_id, period_start, shard_id FROM billing_draftadjustment
        WHERE account_id = %(account)s AND kind = %(kind)s AND source_id = %(grant)s
)
SELECT given.charge_id, given.period_start, line.segment, line.revision, line.served_from,
       line.amount
    FROM given LEFT JOIN billing_invoiceline AS line
        ON line.charge_id = given.charge_id AND line.period_start = given.period_start
UNION ALL
SELECT given.charge_id, given.period_start, line.segment, line.revision, line.served_from,
       line.amount
    FROM given JOIN billing_draftline AS line
        ON line.shard_id = given.shard_id AND line.account_id = %(account)s
        AND line.charge_id = given.charge_id AND line.period_start = given.period_start
        AND line.invoice_id IS NOT NULL
"""


def last_given(granted: CouponGrant) -> date | None:
    """The last first day of service of a period that it gave something for, drafts included."""
    segments: dict[tuple[int, date], dict[int, dict[int, tuple[date, Decimal]]]]
    segments = defaultdict(lambda: defaultdict(dict))
    values: dict[str, Any] = {"account": granted.account_id, "kind": COUPON, "grant": granted.pk}
    with connection.cursor() as cursor:
        cursor.execute(GIVEN_FOR, values)
        for charge, day, segment, revision, since, amount in cursor.fetchall():
            own = segments[charge, day]
            if segment is not None:
                own[segment][revision] = since, amount
    days = [_begins(day, own.values()) for (_, day), own in segments.items()]
    return max(days, default=None)


def _begins(day: date, segments: Iterable[dict[int, tuple[date, Decimal]]]) -> date:
    """The first day of service in what stands of a period, or the last told if nothing does."""
    newest = [
        (rows[max(rows)][0], sum_of(amount for _, amount in rows.values())) for rows in segments
    ]
    stands = [since for since, left in newest if left]
    return min(stands) if stands else max((since for since, _ in newest), default=day)
