"""Which accounts hold money whose last day is over, where they live."""

from datetime import datetime

from django.db import connection

LAPSED = """
SELECT DISTINCT wallet.account_id
    FROM billing_walletlot AS lot
    JOIN billing_wallet AS wallet ON wallet.id = lot.wallet_id
    JOIN customers_account AS account ON account.id = wallet.account_id
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    WHERE lot."left" > 0 AND lot.ends_on IS NOT NULL
        AND lot.ends_on <= (COALESCE(clock.now, %(now)s) AT TIME ZONE account.time_zone)::date
    ORDER BY wallet.account_id LIMIT %(limit)s
"""


def accounts_with_lapsed_money(*, machine_now: datetime, limit: int) -> list[int]:
    """At most so many accounts with something to lapse."""
    with connection.cursor() as cursor:
        cursor.execute(LAPSED, {"now": machine_now, "limit": limit})
        return [row[0] for row in cursor.fetchall()]
