"""What waits below a minimum: who may wait in a shard, and what a page says of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from billing.documents.rules.carrying import Waiting
from billing.models import BillRun, CarriedBill, Invoice, InvoicePart
from o2b.customers.models import Account

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
                AND told.run_id > COALESCE(GREATEST((
                    SELECT max(bill.run_id) FROM billing_invoice AS bill
                        WHERE bill.account_id = account.id
                ), (
                    SELECT max(whole.run_id) FROM billing_invoicepart AS part
                        JOIN billing_invoice AS whole ON whole.id = part.invoice_id
                        WHERE part.account_id = account.id
                )), 0)
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


@dataclass(frozen=True, slots=True)
class Carried:
    """What waits of an account; `payer`: on whose bill it is a part, where that is another's."""

    total: Decimal
    currency: str
    minimum: Decimal
    since: date
    payer: Account | None = None


def carried_for(*, account_id: int) -> Carried | None:
    """What waits of an account, or of its family: as the last run found it, if none billed since.

    Of who pays for a family it is all that waits; of one whose bills another pays its own part.
    """
    own = Invoice.objects.filter(account_id=account_id).order_by("-pk").values("run_id")[:1]
    parts = InvoicePart.objects.filter(account_id=account_id).order_by("-invoice_id")
    last = (
        CarriedBill.objects.filter(Q(account_id=account_id) | Q(payer_id=account_id))
        .filter(run__state=BillRun.State.FINALISED)
        .annotate(billed_by=Greatest(Subquery(own), Subquery(parts.values("invoice__run_id")[:1])))
        .select_related("payer")
        .order_by("-run_id", "since")
        .first()
    )
    if last is None or (last.billed_by or 0) > last.run_id:
        return None
    if last.payer_id == account_id:
        return Carried(last.whole or last.total, last.currency, last.minimum, last.since)
    return Carried(last.total, last.currency, last.minimum, last.since, last.payer)


def carried_in(*, run_id: int) -> list[tuple[str, int, Decimal]]:
    """(currency, bills, sum of their totals) of what a run carries over; a family's is one."""
    rows = (
        CarriedBill.objects.filter(run_id=run_id)
        .order_by("currency")
        .values_list("currency")
        .annotate(bills=Count(Coalesce("payer_id", "account_id"), distinct=True), sum=Sum("total"))
    )
    return list(rows)


def carried_bills(*, run_id: int) -> QuerySet[CarriedBill]:
    """Each, the largest first."""
    rows = CarriedBill.objects.filter(run_id=run_id).select_related("account")
    return rows.order_by("-total", "account_id")
