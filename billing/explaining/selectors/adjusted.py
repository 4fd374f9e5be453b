"""Discounts and true-ups of documents computed again from what was kept of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from billing.adjustments.rules.again import Again, AtLeast, BasisBroken, Off, again
from billing.explaining.rules import Earlier, TaxTold
from billing.explaining.selectors.befores import Befores, taxes_of, turned
from billing.explaining.selectors.naming import lines as all_lines
from billing.models import CouponGrant, Invoice, InvoiceAdjustment, InvoiceLine, MinimumSpend
from billing.models.adjustments import AdjustmentKind
from o2b.charging import Step

# The words of billing.adjustments.rules.again, for the translators.
STEPS = [
    gettext_noop("discount"),
    gettext_noop("share of the discount"),
    gettext_noop("nothing left to reduce"),
    gettext_noop("minimum"),
    gettext_noop("no minimum"),
    gettext_noop("missing"),
    gettext_noop("given before"),
    gettext_noop("taken back"),
]
AT_ONCE = 500  # invoices of a run

Beside = tuple[InvoiceAdjustment, Earlier | None]


@dataclass(frozen=True, slots=True)
class AdjustmentExplained:
    """An adjustment as billed, and as it is computed again; `again` None: its basis is broken."""

    adjustment: InvoiceAdjustment
    source: CouponGrant | MinimumSpend | None
    again: Again | None
    tax: TaxTold | None
    detail: str = ""

    @property
    def equal(self) -> bool | None:
        """Whether net and tax are what was billed, to the cent; None where nothing can be said."""
        if self.again is None:
            return None
        return (
            self.again.agrees
            and self.again.amount == self.adjustment.amount
            and (self.tax is None or self.tax.expected == self.adjustment.tax)
        )

    @property
    def trouble(self) -> str:
        return _("Not re-executable: %s") % self.detail if self.detail else ""


def adjustments_beside(invoice_ids: Collection[int]) -> dict[int, list[Beside]]:
    """Each document's adjustments, with what was given before of those that correct a bill.

    Those that take back another as a whole are left out: their tax is told by it.
    """
    return _beside(_rows(invoice_ids))


def _rows(invoice_ids: Collection[int]) -> list[InvoiceAdjustment]:
    rows = InvoiceAdjustment.objects.filter(invoice_id__in=list(invoice_ids))
    return list(
        rows.select_related(
            "invoice__legal_entity",
            "invoice__run",
            "charge__item__product_version__product",
            "charge__terms_charge",
        ).order_by("invoice_id", "position")
    )


def _reverses(row: InvoiceAdjustment) -> int | None:
    """The revision that it takes back as a whole."""
    told = row.basis.get("reverses") if isinstance(row.basis, dict) else None
    return told if isinstance(told, int) else None


def _beside(rows: Sequence[InvoiceAdjustment]) -> dict[int, list[Beside]]:
    befores = _befores(rows)
    found: dict[int, list[Beside]] = defaultdict(list)
    for row in rows:
        if _reverses(row) is not None:
            continue
        before = befores.get(row.pk)
        if before is None and isinstance(row.basis, dict) and row.basis.get("corrects"):
            before = Earlier(Decimal(0), Decimal(0))
        found[row.invoice_id].append((row, before))
    return found


def _befores(rows: Sequence[InvoiceAdjustment]) -> dict[int, Earlier]:
    """Of later revisions: what the earlier ones gave."""
    later = [row for row in rows if row.revision > 1]
    if not later:
        return {}
    sums: dict[tuple[Any, ...], list[tuple[int, Decimal, Decimal]]] = defaultdict(list)
    for each in InvoiceAdjustment.objects.filter(
        account_id__in={row.account_id for row in later},
        source_id__in={row.source_id for row in later},
        period_start__in={row.period_start for row in later},
    ).defer("basis"):
        sums[_key(each)].append((each.revision, each.amount, each.tax))
    found = {}
    for row in later:
        told = [each for each in sums[_key(row)] if each[0] < row.revision]
        found[row.pk] = Earlier(
            sum((amount for _, amount, _ in told), Decimal(0)),
            sum((tax for _, _, tax in told), Decimal(0)),
        )
    return found


def _key(row: InvoiceAdjustment) -> tuple[Any, ...]:
    return row.kind, row.source_id, row.charge_id, row.period_start


def explain_adjustments(invoice: Invoice) -> list[AdjustmentExplained]:
    """Those of one document, in their order; a document without any costs one query."""
    return list(_explained([invoice.pk]))


def explain_adjustment(row: InvoiceAdjustment) -> AdjustmentExplained:
    """One of them, with its whole document: its tax may have been rounded together."""
    every = _explained([row.invoice_id])
    return next(each for each in every if each.adjustment.pk == row.pk)


def explain_adjustments_of_run(*, run_id: int) -> Iterator[AdjustmentExplained]:
    """Every adjustment that a run billed."""
    own = InvoiceAdjustment.objects.filter(invoice__run_id=run_id).order_by("invoice_id")
    keys = list(own.values_list("invoice_id", flat=True).distinct())
    for first in range(0, len(keys), AT_ONCE):
        yield from _explained(keys[first : first + AT_ONCE])


def _explained(invoice_ids: Sequence[int]) -> Iterator[AdjustmentExplained]:
    every = _rows(invoice_ids)
    if not every:
        return
    beside = _beside(every)
    lines = list(all_lines().filter(invoice_id__in=list(beside)).defer("basis"))
    befores = Befores(lines)
    own: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        own[line.invoice_id].append(line)
    sources = _sources(every)
    yield from _taken_back([row for row in every if _reverses(row) is not None], sources)
    for invoice_id, rows in beside.items():
        billed = own[invoice_id]
        earlier = {line.pk: befores.of(line, None) for line in billed}
        taxes = taxes_of(billed, earlier, befores, rows)[len(billed) :]
        for (row, before), tax in zip(rows, taxes, strict=True):
            source = sources.get((row.kind, row.source_id))
            yield _one(row, source, before.net if before else Decimal(0), tax)


def _taken_back(
    rows: Sequence[InvoiceAdjustment], sources: Mapping[tuple[str, int], CouponGrant | MinimumSpend]
) -> Iterator[AdjustmentExplained]:
    """Each is the mirror of the revision that it names, net and tax."""
    originals: dict[tuple[Any, ...], InvoiceAdjustment] = {}
    if rows:
        accounts = {row.account_id for row in rows}
        for each in InvoiceAdjustment.objects.filter(account_id__in=accounts).defer("basis"):
            originals[*_key(each), each.revision] = each
    for row in rows:
        source = sources.get((row.kind, row.source_id))
        original = originals.get((*_key(row), _reverses(row)))
        if original is None:
            yield AdjustmentExplained(row, source, None, None, "what it takes back is gone")
            continue
        step = Step("taken back", f"− ({original.amount:f})", -original.amount)
        found = Again((step,), -original.amount, Decimal(0), -original.amount, True, True)
        yield AdjustmentExplained(row, source, found, turned(row, original))


def _sources(
    rows: Iterable[InvoiceAdjustment],
) -> dict[tuple[str, int], CouponGrant | MinimumSpend]:
    keys: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        keys[row.kind].add(row.source_id)
    found: dict[tuple[str, int], CouponGrant | MinimumSpend] = {}
    if grants := keys[AdjustmentKind.COUPON]:
        for grant in CouponGrant.objects.filter(pk__in=grants).select_related("coupon"):
            found[AdjustmentKind.COUPON.value, grant.pk] = grant
    if held := keys[AdjustmentKind.MINIMUM]:
        for each in MinimumSpend.objects.filter(pk__in=held):
            found[AdjustmentKind.MINIMUM.value, each.pk] = each
    return found


def _one(
    row: InvoiceAdjustment,
    source: CouponGrant | MinimumSpend | None,
    before: Decimal,
    tax: TaxTold | None,
) -> AdjustmentExplained:
    if source is None:
        return AdjustmentExplained(row, None, None, tax, "its source is gone")
    said: Off | AtLeast
    if isinstance(source, CouponGrant):
        said = Off(source.coupon.kind == "percent", source.coupon.value)
    else:
        said = AtLeast(source.minimum, source.prorated)
    try:
        found = again(said, row.basis, before=before, currency=row.invoice.currency)
    except BasisBroken as exc:
        return AdjustmentExplained(row, source, None, tax, str(exc))
    return AdjustmentExplained(row, source, found, tax)
