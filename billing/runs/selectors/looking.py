"""Which bills of a run advocates look at before approval, and what they have said of them.

A first bill is a draft without a variance; a changed one has a variance that says so. Nothing is
stored for them while drafting: only when somebody says a word.
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from o2b.sql import ask

FIRST, CHANGED = "first", "changed"

# A look counts for the bill as it was: drafted otherwise since, it is to be looked at again. What
# takes back bills is no bill to look at.
TO_LOOK_AT = """
SELECT account.id, account.advocate_id, account.name, account.reference, draft.currency, draft.net,
       draft.total, variance.before, variance.before_on, word.at, draft.shard_id
    FROM (
        SELECT shard_id, account_id, min(currency) AS currency, sum(net) AS net,
               sum(total) AS total
            FROM billing_draftinvoice
            WHERE shard_id IN (SELECT id FROM billing_shard WHERE run_id = %(run)s) AND {draft}
            GROUP BY shard_id, account_id
    ) AS draft
    JOIN customers_account AS account ON account.id = draft.account_id
    LEFT JOIN billing_variance AS variance
        ON variance.run_id = %(run)s AND variance.account_id = draft.account_id
    LEFT JOIN (
        SELECT account_id, net, max(at) AS at FROM billing_billword
            WHERE run_id = %(run)s AND kind = 'fine' GROUP BY account_id, net
    ) AS word ON word.account_id = draft.account_id AND word.net = draft.net
    WHERE (variance.id IS NULL OR variance.is_changed) AND {account}
        AND EXISTS (SELECT FROM billing_billrun WHERE id = %(run)s
            AND reverses_invoice_id IS NULL AND reverses_run_id IS NULL)
"""


class ToLookAt(NamedTuple):
    """A bill that its advocate should see; `before` is None for a first one."""

    account_id: int
    advocate_id: int
    name: str
    reference: str
    currency: str
    net: Decimal
    total: Decimal
    before: Decimal | None
    before_on: Any
    looked_at: datetime | None
    shard_id: int

    @property
    def why(self) -> str:
        return FIRST if self.before is None else CHANGED


class Looked(NamedTuple):
    """How far an advocate is with a run."""

    advocate_id: int
    bills: int
    looked: int


def bills_to_look_at(
    *, run_id: int, advocate_id: int | None = None, account_ids: Collection[int] | None = None
) -> list[ToLookAt]:
    """The first bills and those after a change, those not looked at first."""
    draft, account = "true", "true"
    if advocate_id is not None:
        draft = "account_id IN (SELECT id FROM customers_account WHERE advocate_id = %(advocate)s)"
    if account_ids is not None:
        draft += " AND account_id = ANY(%(accounts)s)"
    rows = ask(
        TO_LOOK_AT.format(draft=draft, account=account)
        + " ORDER BY word.at IS NOT NULL, account.name, account.id",
        {"run": run_id, "advocate": advocate_id, "accounts": list(account_ids or ())},
    )
    return [ToLookAt(*row) for row in rows]


def looks_of(*, run_id: int) -> list[Looked]:
    """By advocate: how many bills there are to look at, and how many were."""
    own = TO_LOOK_AT.format(draft="true", account="true")
    rows = ask(
        f"SELECT advocate_id, count(*), count(at) FROM ({own}) AS bill"
        " GROUP BY advocate_id ORDER BY count(*) - count(at) DESC, advocate_id",
        {"run": run_id},
    )
    return [Looked(*row) for row in rows]


def unlooked(*, run_id: int) -> int:
    """How many bills nobody has looked at."""
    return sum(each.bills - each.looked for each in looks_of(run_id=run_id))
