"""What a page or a command shows of a run: counts, the equation, totals by currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from billing.models import BillRun, Breach, Shard


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over the shards of a run."""

    shards: int
    shards_drafted: int
    shards_finalised: int
    planned_accounts: int
    done_accounts: int
    looked_at: int
    drafted: int
    nothing_due: int
    parked: int
    invoices: int
    lines: int
    promises: int
    promises_kept: int

    @property
    def holds(self) -> bool:
        """The equation that must hold before approval."""
        return self.looked_at == self.drafted + self.nothing_due + self.parked

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
    names = (
        *("planned_accounts", "looked_at", "drafted", "nothing_due", "parked"),
        *("invoices", "lines", "promises", "promises_kept"),
    )
    sums = Shard.objects.filter(run_id=run_id).aggregate(
        count_shards=Count("pk"),
        count_shards_drafted=Count("pk", filter=drafted),
        count_shards_finalised=Count("pk", filter=Q(state=state.FINALISED)),
        count_done_accounts=Sum("planned_accounts", filter=drafted, default=0),
        **{f"count_{name}": Sum(name, default=0) for name in names},
    )
    return Counts(**{name.removeprefix("count_"): n for name, n in sums.items()})


def totals_of(*, run_id: int) -> dict[str, dict[str, Decimal]]:
    """currency → net, tax and total of all drafts or invoices of a run."""
    found: dict[str, dict[str, Decimal]] = {}
    for totals in Shard.objects.filter(run_id=run_id).values_list("totals", flat=True):
        for currency, sums in totals.items():
            mine = found.setdefault(currency, dict.fromkeys(("net", "tax", "total"), Decimal(0)))
            for name, amount in sums.items():
                mine[name] += Decimal(amount)
    return dict(sorted(found.items()))


def breaches_in(*, run_ids: Sequence[int]) -> int:
    """How many promises or accounts these runs found broken."""
    return Breach.objects.filter(run_id__in=run_ids).count()


def overlapping_runs(
    *, legal_entity_id: int, account_ids: Sequence[int] | None
) -> QuerySet[BillRun]:
    """Runs that are not over and may bill one of these accounts (None: any of the entity's).

    A reversal that waits for its approval keeps nobody from billing: it looks again then.
    """
    state = BillRun.State
    asked = (Q(reverses_invoice__isnull=False) | Q(reverses_run__isnull=False)) & (
        Q(state__in=[state.OPEN, state.DRAFTING, state.TO_APPROVE])
        | Q(state=state.PAUSED, paused_from=state.DRAFTING)
    )
    unfinished = (
        BillRun.objects.filter(legal_entity_id=legal_entity_id)
        .exclude(state__in=BillRun.OVER)
        .exclude(asked)
    )
    if account_ids is None:
        return unfinished
    return unfinished.filter(Q(account_ids=None) | Q(account_ids__overlap=list(account_ids)))


def runs_with_people() -> QuerySet[BillRun]:
    """Runs for a list, newest first."""
    return BillRun.objects.select_related("legal_entity", "opened_by", "approved_by")
