"""Which lots have ended where their accounts live, with all billed that they could pay for."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from o2b.sql import ask

# What was used, or served in arrears, before a lot ended is billed after: it waits for that bill.
LAPSED = """
SELECT wallet.account_id, lot.id
    FROM billing_walletlot AS lot
    JOIN billing_wallet AS wallet ON wallet.id = lot.wallet_id
    JOIN customers_account AS account ON account.id = wallet.account_id
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    WHERE lot."left" > 0 AND lot.ends_on IS NOT NULL
        AND lot.ends_on <= (COALESCE(clock.now, %(now)s) AT TIME ZONE account.time_zone)::date
        AND (%(accounts)s::bigint[] IS NULL OR wallet.account_id = ANY(%(accounts)s))
        AND NOT EXISTS (
            SELECT FROM billing_charge AS charge
                JOIN billing_chargestate AS standing ON standing.charge_id = charge.id
                JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
                WHERE charge.account_id = wallet.account_id AND NOT charge.brings_money
                AND (priced.kind = 'usage' OR wallet.covers = 'all' AND priced.kind <> 'one_time')
                AND charge.started_on < lot.ends_on AND standing.next_due_on IS NOT NULL
                AND (standing.billed_through IS NULL OR standing.billed_through < lot.ends_on)
        )
    ORDER BY wallet.account_id, lot.id LIMIT %(limit)s
"""


class Lapsed(NamedTuple):
    """A lot whose money is gone."""

    account: int
    lot: int


def lapsed_lots(
    *, machine_now: datetime, limit: int, accounts: Collection[int] | None = None
) -> list[Lapsed]:
    """At most so many lots, of all accounts or some."""
    values: dict[str, Any] = {
        "now": machine_now,
        "limit": limit,
        "accounts": None if accounts is None else sorted(accounts),
    }
    return [Lapsed(*row) for row in ask(LAPSED, values)]
