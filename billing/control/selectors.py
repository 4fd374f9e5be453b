"""What the desk of a run asks: variances, their distribution, who is parked, draft lines."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    DecimalField,
    Exists,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Abs

from billing.models import BillRun, DraftInvoice, DraftLine, ParkedAccount, Shard, Variance
from o2b.customers.models import Account
from o2b.people.models import User
from o2b.sql import ask

DAY = timedelta(days=1)
PERCENT = DecimalField(max_digits=20, decimal_places=1)


def variances_for_list(*, run_id: int) -> QuerySet[Any]:
    """Accounts beside their last bill: `change`, `percent` (None from nothing), `size`, `out`.

    `out` is the code of who left the run since, else empty.
    """
    parked = ParkedAccount.objects.filter(run=OuterRef("run"), account=OuterRef("account"))
    return (
        Variance.objects.filter(run_id=run_id)
        .select_related("account")
        .annotate(change=F("now") - F("before"), out=Subquery(parked.values("code")[:1]))
        .annotate(
            size=Abs("change"),
            percent=Case(
                When(before=0, then=Value(None)),
                default=F("change") * Value(Decimal(100)) / Abs("before"),
                output_field=PERCENT,
            ),
        )
    )


def outliers(*, run_id: int) -> QuerySet[Any]:
    """Those that a rule marked and that are still in the run, the largest change first."""
    return variances_for_list(run_id=run_id).exclude(rule="").filter(out=None).order_by("-size")


def first_bills_for_list(*, run_id: int) -> QuerySet[Any]:
    """Drafts of accounts that were never billed, with `account_name` and `account_reference`."""
    billed = Variance.objects.filter(run_id=run_id, account=OuterRef("account_id"))
    whose = Account.objects.filter(pk=OuterRef("account_id"))
    return (
        DraftInvoice.objects.filter(shard_id__in=Shard.objects.filter(run_id=run_id).values("pk"))
        .filter(~Exists(billed))
        .annotate(
            account_name=Subquery(whose.values("name")[:1]),
            account_reference=Subquery(whose.values("reference")[:1]),
        )
    )


# Bounds in percent; a bill from nothing has grown out of all bounds.
BANDS = (-50, -20, -5, 5, 20, 50)
COUNTED = """
SELECT currency, band, rule, count(*), sum(before), sum(now) FROM (
    SELECT currency, rule, before, now, CASE
            WHEN before = 0 THEN CASE WHEN now = 0 THEN 3 ELSE 6 END
            ELSE width_bucket((now - before) * 100 / abs(before), %(bounds)s::numeric[])
        END AS band
        FROM billing_variance AS variance
        WHERE run_id = %(run)s AND NOT EXISTS (
            SELECT FROM billing_parkedaccount AS parked
                WHERE parked.run_id = %(run)s AND parked.account_id = variance.account_id
        )
) AS account GROUP BY currency, band, rule
"""


@dataclass(slots=True)
class Spread:
    """How the bills of a run lie beside the last ones; who left the run is not counted."""

    bands: list[int] = field(default_factory=lambda: [0] * (len(BANDS) + 1))
    rules: dict[str, int] = field(default_factory=dict)
    sums: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    compared: int = 0

    @property
    def within_five(self) -> int:
        return self.bands[3]

    @property
    def billed(self) -> int:
        """Accounts with a last bill and one now."""
        return self.compared - self.rules.get(Variance.Rule.MISSING, 0)


def spread_of(*, run_id: int) -> Spread:
    """Counted by Postgres; the rows that come are few."""
    found = Spread()
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {"run": run_id, "bounds": list(BANDS)})
        for currency, band, rule, n, before, now in cursor.fetchall():
            found.bands[band] += n
            found.compared += n
            if rule:
                found.rules[rule] = found.rules.get(rule, 0) + n
            known = found.sums.get(currency, (Decimal(0), Decimal(0)))
            found.sums[currency] = (known[0] + before, known[1] + now)
    return found


def parked_for_list(*, run_id: int) -> QuerySet[ParkedAccount]:
    """Who is out of the run, with account and owner."""
    return ParkedAccount.objects.filter(run_id=run_id).select_related("account", "owner")


def parked(*, parked_id: int) -> ParkedAccount:
    """One of them, with its run."""
    rows = ParkedAccount.objects.select_related("account", "owner", "run__legal_entity", "shard")
    return rows.get(pk=parked_id)


def lines_of_drafts(*, run_id: int, account_ids: Collection[int]) -> dict[int, list[DraftLine]]:
    """account → the lines of its drafts, in the order of the document; each with its `last_on`."""
    shards = Shard.objects.filter(run_id=run_id).values("pk")
    rows = DraftLine.objects.filter(
        shard_id__in=shards, account_id__in=account_ids, invoice_id__isnull=False
    ).defer("basis")
    found: dict[int, list[DraftLine]] = {}
    for line in rows.order_by("account_id", "invoice_id", "position"):
        line.last_on = line.served_to - DAY if line.served_to else None  # type: ignore[attr-defined]
        found.setdefault(line.account_id, []).append(line)
    return found


MONTHS = """
SELECT date_trunc('month', line.period_start)::date, invoice.currency, sum(line.amount), count(*)
    FROM billing_draftline AS line
    JOIN billing_draftinvoice AS invoice
        ON invoice.shard_id = line.shard_id AND invoice.account_id = line.account_id
        AND invoice.id = line.invoice_id
    WHERE line.shard_id IN (SELECT id FROM billing_shard WHERE run_id = %s)
    GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Month:
    """What of a rehearsal belongs to one month of service."""

    month: date
    currency: str
    net: Decimal
    lines: int


def months_of(*, run_id: int) -> list[Month]:
    """The net of a run's drafts by month of service; reads all of its lines."""
    return [Month(*row) for row in ask(MONTHS, [run_id])]


def runs_to_look_at() -> QuerySet[BillRun]:
    """Runs whose bills advocates may still stop."""
    rows = BillRun.objects.filter(
        state=BillRun.State.TO_APPROVE, reverses_invoice=None, reverses_run=None
    )
    return rows.select_related("legal_entity").order_by("-pk")


def people() -> QuerySet[User]:
    """Who may look into a parked account."""
    return User.objects.filter(is_active=True).order_by("last_name", "first_name", "username")
