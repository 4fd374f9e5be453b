"""What a page or a command shows of a run: counts, the equation, totals by currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from billing.families.selectors import drafts_less_documents
from billing.models import BillRun, Breach, ParkCode, ParkedAccount, Shard
from o2b.models import Outbox


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over the shards of a run."""

    shards: int
    shards_drafted: int
    shards_finalised: int
    planned_accounts: int
    done_accounts: int
    final_accounts: int
    looked_at: int
    drafted: int
    nothing_due: int
    carried: int
    parked: int
    to_finalise: int
    set_aside: int
    invoices: int
    lines: int
    promises: int
    promises_kept: int

    @property
    def holds(self) -> bool:
        """The two equations that must hold before approval."""
        return (
            self.looked_at == self.drafted + self.nothing_due + self.carried + self.parked
            and self.drafted == self.to_finalise + self.set_aside
        )

    @property
    def not_in_service(self) -> int:
        """Accounts that have ordered, and of which nothing is in service yet."""
        return self.planned_accounts - self.looked_at

    @property
    def shards_done(self) -> int:
        return self.shards_drafted + self.shards_finalised

    @property
    def text(self) -> str:
        """One line for a terminal."""
        return (
            f"{self.shards_drafted} drafted and {self.shards_finalised} final of {self.shards} "
            f"shards, {self.drafted} invoices, {self.parked} parked"
        )


def counts_of(*, run_id: int) -> Counts:
    """How far a run is, and what it found so far."""
    state = Shard.State
    drafted = Q(state__in=[state.DRAFTED, state.FINALISED])
    final = Q(state=state.FINALISED)
    names = (
        *("planned_accounts", "looked_at", "drafted", "nothing_due", "carried"),
        *("parked", "to_finalise", "set_aside", "invoices", "lines", "promises", "promises_kept"),
    )
    sums = Shard.objects.filter(run_id=run_id).aggregate(
        count_shards=Count("pk"),
        count_shards_drafted=Count("pk", filter=drafted),
        count_shards_finalised=Count("pk", filter=final),
        count_done_accounts=Sum("planned_accounts", filter=drafted, default=0),
        count_final_accounts=Sum("planned_accounts", filter=final, default=0),
        **{f"count_{name}": Sum(name, default=0) for name in names},
    )
    return Counts(**{name.removeprefix("count_"): n for name, n in sums.items()})


@dataclass(frozen=True, slots=True)
class Rows:
    """What lies in the staging tables and among the parked, beside what the shards counted."""

    accounts: int
    documents: int
    parked: int
    by_hand: int
    carried: int
    carries_wholes: bool

    def agree_with(self, counts: Counts) -> bool:
        """A family whose bill waits has nothing drafted, and its rows are what it comes to."""
        rows = (self.accounts, self.documents, self.parked, self.by_hand, self.carried)
        return self.carries_wholes and rows == (
            counts.to_finalise,
            counts.invoices,
            counts.parked,
            counts.set_aside,
            counts.carried,
        )


ROWS = """
SELECT count(*), COALESCE(sum(documents), 0) FROM (
    SELECT count(*) AS documents FROM billing_draftinvoice
        WHERE shard_id IN (SELECT id FROM billing_shard WHERE run_id = %s)
        GROUP BY shard_id, account_id
) AS account
"""

CARRIED = """
SELECT COALESCE(sum(bill.accounts), 0), count(bill.payer_id),
       COALESCE(bool_and(bill.payer_id IS NULL OR bill.total = bill.whole), true)
    FROM (
        SELECT payer_id, whole, count(*) AS accounts, sum(total) AS total
            FROM billing_carriedbill WHERE run_id = %s GROUP BY payer_id, whole
    ) AS bill
"""
CUT = """
SELECT EXISTS (
    SELECT FROM billing_carriedbill AS waits
        JOIN billing_familymember AS member
            ON member.run_id = waits.run_id AND member.payer_id = waits.payer_id
        JOIN billing_draftinvoice AS draft
            ON draft.shard_id = member.shard_id AND draft.account_id = member.account_id
        WHERE waits.run_id = %s
)
"""


def rows_of(*, run_id: int) -> Rows:
    """Count the rows themselves, once, before numbers are given."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS, [run_id])
        accounts, documents = cursor.fetchone()
        cursor.execute(CARRIED, [run_id])
        carried, families, wholes = cursor.fetchone()
        if families:
            cursor.execute(CUT, [run_id])
            wholes = wholes and not cursor.fetchone()[0]
    documents -= drafts_less_documents(run_id=run_id)
    is_by_hand = Q(code__in=ParkCode.values)
    parked = ParkedAccount.objects.filter(run_id=run_id).aggregate(
        own=Count("pk", filter=~is_by_hand), by_hand=Count("pk", filter=is_by_hand)
    )
    return Rows(accounts, documents, parked["own"], parked["by_hand"], carried, wholes)


def totals_of(*, run_id: int) -> dict[str, dict[str, Decimal]]:
    """currency → net, tax and total of all drafts or invoices of a run."""
    found: dict[str, dict[str, Decimal]] = {}
    for totals in Shard.objects.filter(run_id=run_id).values_list("totals", flat=True):
        for currency, sums in totals.items():
            mine = found.setdefault(currency, dict.fromkeys(("net", "tax", "total"), Decimal(0)))
            for name, amount in sums.items():
                mine[name] += Decimal(amount)
    return dict(sorted(found.items()))


OF_A_RUN = ("billing.plan_run", "billing.finalise_run")
OF_A_SHARD = ("billing.draft_shard", "billing.retry_shard", "billing.finalise_shard")


def troubles_of(*, run_id: int, most: int = 5) -> list[str]:
    """Why steps of a run that failed are tried again and again, each reason once."""
    shards = Shard.objects.filter(run_id=run_id)
    owed = Outbox.objects.filter(
        Q(task__in=OF_A_RUN, key=run_id) | Q(task__in=OF_A_SHARD, key__in=shards.values("pk"))
    )
    failed = owed.filter(attempts__gt=0).exclude(last_error="")
    reasons = failed.order_by("last_error").values("last_error").annotate(steps=Count("pk"))
    return [
        _("Failed, and is tried again by itself (%(steps)s): %(reason)s")
        % {"steps": each["steps"], "reason": each["last_error"].strip().splitlines()[0]}
        for each in reasons[:most]
    ]


def breaches_in(*, run_ids: Sequence[int]) -> int:
    """How many promises or accounts these runs found broken."""
    return Breach.objects.filter(run_id__in=run_ids).count()


def overlapping_runs(
    *, legal_entity_id: int, account_ids: Sequence[int] | None
) -> QuerySet[BillRun]:
    """Runs that are not over and may bill one of these accounts (None: any of the entity's).

    Rehearsals bill nobody. A reversal that waits for its approval keeps nobody from billing: it
    looks again then.
    """
    state = BillRun.State
    asked = (Q(reverses_invoice__isnull=False) | Q(reverses_run__isnull=False)) & (
        Q(state__in=[state.OPEN, state.DRAFTING, state.TO_APPROVE])
        | Q(state=state.PAUSED, paused_from=state.DRAFTING)
    )
    unfinished = (
        BillRun.objects.filter(legal_entity_id=legal_entity_id, kind=BillRun.Kind.BILLS)
        .exclude(state__in=BillRun.OVER)
        .exclude(asked)
    )
    if account_ids is None:
        return unfinished
    return unfinished.filter(Q(account_ids=None) | Q(account_ids__overlap=list(account_ids)))


def runs_with_people() -> QuerySet[BillRun]:
    """Runs for a list, newest first."""
    return BillRun.objects.select_related("legal_entity", "opened_by", "approved_by")
