"""Invoice lines computed again from what was kept of them, beside what was billed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Func, IntegerField, JSONField, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from billing.explaining.rules import (
    Earlier,
    Explained,
    Inputs,
    NotReExecutable,
    TaxTold,
    mirror,
    re_execute,
)
from billing.explaining.rules.again import NO_BASIS
from billing.explaining.selectors.adjusted import adjustments_beside
from billing.explaining.selectors.befores import Befores, taxes_of
from billing.explaining.selectors.naming import lines
from billing.models import Invoice, InvoiceLine
from o2b.catalog.models import Meter
from o2b.catalog.resolution import charge_terms
from o2b.charging import TermsInvalid
from o2b.charging.tax import TaxRounding
from o2b.periods import Period
from subscriptions.models import Pool

SHOWN_BYTES = 200_000  # of a basis that an invoice's own page reads
LINES_AT_ONCE = 500  # invoices of a run

# The words of billing.explaining.rules.steps, for the translators.
STEPS = [
    gettext_noop("days"),
    gettext_noop("delivered"),
    gettext_noop("rounded"),
    gettext_noop("share"),
    gettext_noop("paid already"),
    gettext_noop("pieces before"),
    gettext_noop("billed before"),
    gettext_noop("not served"),
    gettext_noop("taken back"),
    gettext_noop("tax"),
    gettext_noop("used"),
    gettext_noop("covered by a pool"),
    gettext_noop("events"),
]
TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class LineExplained:
    """A line as billed, and as it is computed again; `trouble` says why it cannot be.

    `again` is None then. `pools` are those that its service draws from, if one covered units.
    """

    line: InvoiceLine
    again: Explained | None
    tax: TaxTold | None
    code: str = ""
    detail: str = ""
    pools: tuple[Pool, ...] = ()

    @property
    def equal(self) -> bool | None:
        """Whether net and tax are what was billed, to the cent; None where nothing can be said."""
        if self.again is None:
            return None
        return (
            self.again.agrees
            and self.again.amount == self.line.amount
            and (self.tax is None or self.tax.expected == self.line.tax)
        )

    @property
    def trouble(self) -> str:
        words = {
            NO_BASIS: _("Not re-executable: it was billed before its basis was kept."),
            TOO_LONG: _("It was computed from very many events: they are shown alone."),
        }
        if not self.code:
            return ""
        return words.get(self.code) or _("Not re-executable: %s") % (self.detail or self.code)

    @property
    def rounding(self) -> str:
        """With what its tax was rounded, in words."""
        if self.tax is None or self.tax.corrects:
            return ""
        words = {
            TaxRounding.RATE: _("Tax is rounded once for each rate of the invoice."),
            TaxRounding.INVOICE: _("Tax is rounded once for the whole invoice."),
        }
        return words.get(self.tax.per, "")


def explain_line(line: InvoiceLine) -> LineExplained:
    """One line, however many events it has."""
    own = list(lines().filter(invoice_id=line.invoice_id).defer("basis"))
    (found,) = _explained(own, {line.pk: line.basis}, only={line.pk})
    return found


def explain_invoice(
    invoice: Invoice, *, most_bytes: int | None = SHOWN_BYTES
) -> dict[int, LineExplained]:
    """Every line of an invoice by its id; one of very many events is told to be such."""
    own = list(lines().filter(invoice_id=invoice.pk).defer("basis"))
    return {each.line.pk: each for each in _explained(own, _bases([invoice.pk], most_bytes))}


def explain_run(*, run_id: int) -> Iterator[LineExplained]:
    """Every line that a run billed, from inputs alone; in the order of invoices."""
    keys = list(Invoice.objects.filter(run_id=run_id).order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(keys), LINES_AT_ONCE):
        some = keys[first : first + LINES_AT_ONCE]
        rows = list(lines().filter(invoice_id__in=some).defer("basis"))
        yield from _explained(rows, _bases(some, None))


_Bases = dict[int, Any]
_LONG = object()


def _bases(invoice_ids: Sequence[int], most_bytes: int | None) -> _Bases:
    """The basis of each line that has one; `_LONG` for one that is longer than asked."""
    rows = InvoiceLine.objects.filter(invoice_id__in=invoice_ids, basis__isnull=False).order_by()
    if most_bytes is None:
        return dict(rows.values_list("pk", "basis"))
    size = Func(F("basis"), function="pg_column_size", output_field=IntegerField())
    short = Case(When(size__lte=most_bytes, then=F("basis")), output_field=JSONField())
    found = rows.annotate(size=size).values_list("pk", short)
    return {pk: _LONG if told is None else told for pk, told in found}


def _explained(
    rows: Sequence[InvoiceLine], bases: _Bases, *, only: set[int] | None = None
) -> Iterator[LineExplained]:
    """Whole invoices, for their tax may have been rounded together; `only` some lines are told."""
    befores = Befores(rows)
    by_invoice: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in rows:
        by_invoice[line.invoice_id].append(line)
    beside = adjustments_beside(by_invoice)
    for invoice_id, own in by_invoice.items():
        earlier = {line.pk: befores.of(line, bases.get(line.pk)) for line in own}
        taxes = taxes_of(own, earlier, befores, beside.get(invoice_id, ()))
        for line, tax in zip(own, taxes[: len(own)], strict=True):
            if only is not None and line.pk not in only:
                continue
            if line.reverses is not None:
                yield _mirror(line, befores.reversed_by(line), tax)
            else:
                yield _one(line, bases.get(line.pk), earlier[line.pk], tax)


def _mirror(line: InvoiceLine, original: InvoiceLine | None, tax: TaxTold | None) -> LineExplained:
    """A line that takes another back is that line, turned: nothing is computed anew."""
    if original is None:
        return LineExplained(line, None, tax, "broken", "the line that it takes back is not there")
    return LineExplained(line, mirror(original.amount), tax)


def _one(line: InvoiceLine, told: Any, earlier: Earlier, tax: TaxTold | None) -> LineExplained:
    if told is _LONG:
        return LineExplained(line, None, tax, TOO_LONG)
    charge = line.charge
    inputs = Inputs(
        Period(line.served_from, line.served_to),
        Period(line.period_start, line.period_end),
        line.segment,
        line.revision,
        line.quantity,
        charge.started_on,
        earlier.net,
    )
    try:
        again = re_execute(charge_terms(charge.terms_charge, charge.currency), inputs, told)
    except NotReExecutable as exc:
        return LineExplained(line, None, tax, exc.code, str(exc))
    except (TermsInvalid, ValueError, ArithmeticError) as exc:
        return LineExplained(line, None, tax, "broken", f"{type(exc).__name__}: {exc}")
    pools = _pools(line) if again.prepaid else ()
    return LineExplained(line, again, tax, pools=pools)


def _pools(line: InvoiceLine) -> tuple[Pool, ...]:
    """The pools that the service of a line may draw from."""
    item, priced = line.charge.item, line.charge.terms_charge
    code = (priced.details or {}).get("meter") or priced.key
    meters = Meter.objects.filter(code=code).values("pk")
    found = Pool.objects.filter(
        services__service_id=item.root_id or item.pk, services__meter_id__in=meters
    )
    return tuple(found.order_by("pk").distinct())
