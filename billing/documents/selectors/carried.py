"""What waits below a minimum: who may wait in a shard, and what a page says of it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet, Subquery, Sum

from billing.documents.rules.carrying import Waiting
from billing.models import BillRun, CarriedBill, Invoice

# Asked of accounts with small bills alone. What a draft bills is due no more, but for what comes
# after it; what it does not bill is due as it was. Corrections have no day on which they are due:
# they wait since the run that first carried them.
WAITING = """
SELECT account.id, account.state = 'open', COALESCE(stands.goes_on, false),
       least(stands.since, carried.since)
    FROM customers_account AS account
    LEFT JOIN LATERAL (
        SELECT bool_or(CASE WHEN draft.charge_id IS NULL THEN standing.next_due_on
                   ELSE draft.next_due_on END IS NOT NULL) AS goes_on,
               min(standing.next_due_on) FILTER (WHERE draft.charge_id IS NOT NULL
                   AND standing.next_due_on <= %(on)s) AS since
            FROM billing_chargestate AS standing
            LEFT JOIN billing_draftline AS draft
                ON draft.shard_id = %(shard)s AND draft.account_id = standing.account_id
                AND draft.charge_id = standing.charge_id AND draft.last
            WHERE standing.account_id = account.id
    ) AS stands ON true
    LEFT JOIN LATERAL (
        SELECT min(told.since) AS since FROM billing_carriedbill AS told
            JOIN billing_billrun AS run ON run.id = told.run_id
            WHERE told.account_id = account.id AND run.state = 'finalised'
                AND told.run_id > COALESCE((
                    SELECT max(bill.run_id) FROM billing_invoice AS bill
                        WHERE bill.account_id = account.id
                ), 0)
    ) AS carried ON true
    WHERE account.id = ANY(%(accounts)s)
"""


def waiting_of(run: BillRun, shard_id: int, account_ids: Sequence[int]) -> dict[int, Waiting]:
    """What is known of accounts whose drafts of a shard are small."""
    values: dict[str, Any] = {"on": run.on, "shard": shard_id, "accounts": list(account_ids)}
    with connection.cursor() as cursor:
        cursor.execute(WAITING, values)
        return {
            account: Waiting(since, goes_on, is_open)
            for account, is_open, goes_on, since in cursor.fetchall()
        }


def carried_for(*, account_id: int) -> CarriedBill | None:
    """What waits of an account: as the last run found it, if none has billed since."""
    billed = Invoice.objects.filter(account_id=account_id).order_by("-pk").values("run_id")[:1]
    last = (
        CarriedBill.objects.filter(account_id=account_id, run__state=BillRun.State.FINALISED)
        .annotate(billed_by=Subquery(billed))
        .order_by("-pk")
        .first()
    )
    if last is None or (last.billed_by or 0) > last.run_id:
        return None
    return last


def carried_in(*, run_id: int) -> list[tuple[str, int, Decimal]]:
    """(currency, accounts, sum of their totals) of what a run carries over."""
    rows = (
        CarriedBill.objects.filter(run_id=run_id)
        .order_by("currency")
        .values_list("currency")
        .annotate(accounts=Count("pk"), total=Sum("total"))
    )
    return list(rows)


def carried_bills(*, run_id: int) -> QuerySet[CarriedBill]:
    """Each, the largest first."""
    rows = CarriedBill.objects.filter(run_id=run_id).select_related("account")
    return rows.order_by("-total", "account_id")
