"""Questions that billing's pages ask: runs with their people, promises with their proof."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from billing.models import (
    BillRun,
    Breach,
    Charge,
    DraftInvoice,
    Invoice,
    InvoiceLine,
    ParkedAccount,
    Promise,
    PromiseFact,
    Shard,
)
from billing.runs.selectors import troubles_of
from o2b.catalog.models import Terms
from o2b.customers.models import Account
from o2b.money import Money, quantise
from orders.models import OrderLine

BREACH, OPEN, KEPT = "breach", "open", "kept"

# runs


def runs_for_list() -> QuerySet[Any]:
    """Runs with their people and what they came to."""
    return BillRun.objects.select_related("legal_entity", "opened_by", "approved_by").annotate(
        invoices_made=Sum("shards__invoices", default=0),
        accounts_parked=Sum("shards__parked", default=0),
    )


def reversals_for_list() -> QuerySet[Any]:
    """Reversals with their people and what they take back."""
    rows = BillRun.objects.exclude(reverses_invoice=None, reverses_run=None)
    return rows.select_related("opened_by", "approved_by", "reverses_invoice", "reverses_run")


def run(*, run_id: int) -> BillRun:
    """One run with its people; of a reversal also what it takes back."""
    related = ("legal_entity", "opened_by", "approved_by", "reverses_invoice", "reverses_run")
    return BillRun.objects.select_related(*related).get(pk=run_id)


def reversals_of(*, run_id: int) -> QuerySet[BillRun]:
    """The reversals of a whole run that were not cancelled."""
    rows = BillRun.objects.filter(reverses_run=run_id)
    return rows.exclude(state=BillRun.State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Pace:
    """Who worked on a run, how long the busiest of them drafted and finalised, what went wrong."""

    workers: int
    draft_seconds: float
    final_seconds: float
    failed: list[str]


def pace_of(*, run_id: int) -> Pace:
    """Workers side by side: the busiest one's seconds are the run's."""
    shards = Shard.objects.filter(run_id=run_id)
    busy = list(
        shards.exclude(worker="")
        .order_by()
        .values("worker")
        .annotate(draft=Sum("draft_seconds"), final=Sum("final_seconds"))
    )
    errors = shards.exclude(error="").order_by("n").values_list("error", flat=True)
    return Pace(
        workers=len(busy),
        draft_seconds=max((row["draft"] for row in busy), default=0.0),
        final_seconds=max((row["final"] for row in busy), default=0.0),
        failed=[*errors[:5], *troubles_of(run_id=run_id)],
    )


def parked_of(*, run_id: int) -> QuerySet[ParkedAccount]:
    """Accounts that the run set aside, why, and who looks into it."""
    return ParkedAccount.objects.filter(run_id=run_id).select_related("account", "owner")


def parked_now() -> int:
    """Accounts that the newest run of their legal entity left out."""
    newest = (
        BillRun.objects.filter(kind=BillRun.Kind.BILLS)
        .exclude(state=BillRun.State.CANCELLED)
        .order_by("legal_entity_id", "-pk")
        .distinct("legal_entity_id")
    )
    return ParkedAccount.objects.filter(run__in=list(newest)).count()


@dataclass(frozen=True, slots=True)
class Drafted:
    """A document to be, with the account that it is for."""

    account: Account
    total: Decimal
    currency: str
    lines: int
    kind: str


def largest_drafts(*, run_id: int, limit: int = 20) -> list[Drafted]:
    """The drafts of a run that are worth a look: the largest, credits first among equals."""
    rows = list(DraftInvoice.objects.filter(run_id=run_id).order_by("-total", "pk")[:limit])
    accounts = Account.objects.in_bulk([row.account_id for row in rows])
    return [
        Drafted(accounts[row.account_id], row.total, row.currency, row.line_count, row.kind)
        for row in rows
        if row.account_id in accounts
    ]


def invoices_of(*, run_id: int) -> QuerySet[Invoice]:
    """The documents that the run issued, by number."""
    rows = Invoice.objects.filter(run_id=run_id).select_related("account")
    return rows.order_by("serial", "pk")


def waiting_for_approval() -> QuerySet[BillRun]:
    """Runs that somebody has to look at."""
    return BillRun.objects.filter(state=BillRun.State.TO_APPROVE)


def runs_under_way() -> QuerySet[BillRun]:
    """Runs that are not over, the oldest first; rehearsals change nothing."""
    real = BillRun.objects.filter(kind=BillRun.Kind.BILLS)
    return real.exclude(state__in=BillRun.OVER).order_by("pk")


# promises


def promises_for_list() -> QuerySet[Any]:
    """Promises with `status` (breach, open, kept), those with an open breach first."""
    broken = Breach.objects.filter(promise=OuterRef("pk"), resolved_at=None)
    related = ("account", "order_line__order", "product_version__product")
    rows = Promise.objects.select_related(*related)
    return (
        rows.annotate(is_broken=Exists(broken))
        .annotate(
            status=Case(
                When(is_broken=True, then=Value(BREACH)),
                When(order_line__state=OrderLine.State.COMPLETED, then=Value(KEPT)),
                default=Value(OPEN),
                output_field=CharField(),
            ),
            rank=Case(
                When(is_broken=True, then=Value(0)), default=Value(1), output_field=IntegerField()
            ),
        )
        .order_by("rank", "-pk")
    )


def promise_counts() -> dict[str, int]:
    """How many promises are broken now, not delivered yet, and kept."""
    broken = Breach.objects.filter(resolved_at=None, promise__isnull=False)
    total = Promise.objects.aggregate(
        all=Count("pk"),
        delivered=Count("pk", filter=Q(order_line__state=OrderLine.State.COMPLETED)),
    )
    breached = broken.aggregate(
        all=Count("promise", distinct=True),
        delivered=Count(
            "promise",
            distinct=True,
            filter=Q(promise__order_line__state=OrderLine.State.COMPLETED),
        ),
    )
    kept = total["delivered"] - breached["delivered"]
    return {BREACH: breached["all"], KEPT: kept, OPEN: total["all"] - breached["all"] - kept}


def open_breaches(*, limit: int = 20) -> QuerySet[Breach]:
    """What somebody still has to mend, oldest first."""
    rows = Breach.objects.filter(resolved_at=None)
    return rows.select_related("account", "owner", "promise__order_line").order_by("pk")[:limit]


@dataclass(frozen=True, slots=True)
class Bill:
    """What was billed of one order line so far, and when the next bill is due."""

    amount: Money | None
    invoice_id: int | None
    next_due_on: date | None


@dataclass(slots=True)
class Kept:
    """One promise with everything said about it, by kind, and its open breaches."""

    promise: Promise
    facts: dict[str, PromiseFact] = field(default_factory=dict)
    breaches: list[Breach] = field(default_factory=list)
    terms: dict[str, Terms] = field(default_factory=dict)
    bill: Bill | None = None


def kept_of(*, order_id: int) -> list[Kept]:
    """The promises of an order, line by line."""
    promises = list(
        Promise.objects.filter(order_id=order_id)
        .select_related(
            "order_line__order", "order_line__quote_line__quote", "order_line__contract"
        )
        .select_related("product_version__product", "account")
        .order_by("order_line__position")
    )
    found = {promise.pk: Kept(promise) for promise in promises}
    # The newest fact of a kind is the one that counts: a correction comes after what it corrects.
    for fact in PromiseFact.objects.filter(promise__in=promises).order_by("at", "pk"):
        found[fact.promise_id].facts[fact.kind] = fact
    for breach in Breach.objects.filter(promise__in=promises, resolved_at=None).select_related(
        "owner"
    ):
        if breach.promise_id is not None:
            found[breach.promise_id].breaches.append(breach)
    _add_terms(found.values())
    bills = _bills([promise.order_line_id for promise in promises], promises)
    for each in found.values():
        each.bill = bills.get(each.promise.order_line_id)
    return list(found.values())


def _add_terms(rows: Iterable[Kept]) -> None:
    rows = list(rows)
    wanted = {row.promise.terms_digest for row in rows}
    wanted |= {fact.terms_digest for row in rows for fact in row.facts.values()}
    terms = {each.digest: each for each in Terms.objects.filter(digest__in=wanted - {""})}
    for row in rows:
        row.terms = terms


def _bills(lines: Sequence[int], promises: Sequence[Promise]) -> dict[int, Bill]:
    by_line = "charge__item__order_line_id"
    billed = {
        row[by_line]: row
        for row in InvoiceLine.objects.filter(charge__item__order_line__in=lines)
        .order_by()
        .values(by_line)
        .annotate(sum=Sum("amount"), newest=Max("invoice_id"))
    }
    due = dict(
        Charge.objects.filter(item__order_line__in=lines)
        .order_by()
        .values_list("item__order_line")
        .annotate(next=Min("standing__next_due_on"))
    )
    currencies = {promise.order_line_id: promise.account.currency for promise in promises}
    return {
        line: Bill(
            amount=_money(billed[line]["sum"], currencies[line]) if line in billed else None,
            invoice_id=billed[line]["newest"] if line in billed else None,
            next_due_on=due.get(line),
        )
        for line in lines
    }


def _money(amount: Decimal, currency: str) -> Money:
    return Money(quantise(amount, currency), currency)
