"""Invoice lines computed again from what was kept of them, beside what was billed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, Func, IntegerField, JSONField, QuerySet, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from billing.explaining.rules import (
    Earlier,
    Explained,
    Inputs,
    NotReExecutable,
    TaxTold,
    re_execute,
    taxes_again,
)
from billing.explaining.rules.again import NO_BASIS
from billing.explaining.rules.earlier import BilledLine, earlier_of
from billing.models import Invoice, InvoiceLine
from billing.rules.basis import told_before
from o2b.catalog.models import Meter
from o2b.catalog.resolution import charge_terms
from o2b.charging import Kind, TermsInvalid
from o2b.charging.draft import CHANGE, LATE
from o2b.charging.tax import TaxRounding
from o2b.errors import Refused
from o2b.periods import Period
from subscriptions.models import Pool

SHOWN_BYTES = 200_000  # of a basis that an invoice's own page reads
LINES_AT_ONCE = 500  # invoices of a run

# The words of billing.explaining.rules.steps, for the translators.
STEPS = [
    gettext_noop("days"),
    gettext_noop("rounded"),
    gettext_noop("pieces before"),
    gettext_noop("billed before"),
    gettext_noop("not served"),
    gettext_noop("tax"),
    gettext_noop("used"),
    gettext_noop("covered by a pool"),
    gettext_noop("events"),
]
TOO_LONG = "too_long"


class NoSuchLine(Refused):
    """There is no such line, or the number names several."""

    code = "no_such_line"


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


def line_named(text: str) -> InvoiceLine:
    """A line by its id, or by number of its invoice and position: 2026-000123/4."""
    rows = _lines()
    number, slash, position = text.strip().rpartition("/")
    if not slash:
        found = rows.filter(pk=int(position)) if _is_key(position) else rows.none()
    elif _is_key(position):
        found = rows.filter(invoice__number=number, position=int(position))
    else:
        found = rows.none()
    lines = list(found[:2])
    if len(lines) == 1:
        return lines[0]
    if not lines:
        raise NoSuchLine(_("There is no invoice line %s.") % text)
    raise NoSuchLine(_("Several sellers have an invoice %s: tell the line by its id.") % number)


def line_at(*, invoice_id: int, position: int) -> InvoiceLine:
    """A line of an invoice; InvoiceLine.DoesNotExist."""
    return _lines().get(invoice_id=invoice_id, position=position)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 2**63


def _lines() -> QuerySet[InvoiceLine]:
    return InvoiceLine.objects.select_related(
        "charge__terms_charge", "charge__item", "invoice__legal_entity"
    ).order_by("invoice_id", "position", "pk")


def explain_line(line: InvoiceLine) -> LineExplained:
    """One line, however many events it has."""
    own = list(_lines().filter(invoice_id=line.invoice_id).defer("basis"))
    (found,) = _explained(own, {line.pk: line.basis}, only={line.pk})
    return found


def explain_invoice(
    invoice: Invoice, *, most_bytes: int | None = SHOWN_BYTES
) -> dict[int, LineExplained]:
    """Every line of an invoice by its id; one of very many events is told to be such."""
    own = list(_lines().filter(invoice_id=invoice.pk).defer("basis"))
    return {each.line.pk: each for each in _explained(own, _bases([invoice.pk], most_bytes))}


def explain_run(*, run_id: int) -> Iterator[LineExplained]:
    """Every line that a run billed, from inputs alone; in the order of invoices."""
    keys = list(Invoice.objects.filter(run_id=run_id).order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(keys), LINES_AT_ONCE):
        some = keys[first : first + LINES_AT_ONCE]
        rows = list(_lines().filter(invoice_id__in=some).defer("basis"))
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
    lines: Sequence[InvoiceLine], bases: _Bases, *, only: set[int] | None = None
) -> Iterator[LineExplained]:
    """Whole invoices, for their tax may have been rounded together; `only` some lines are told."""
    befores = _Befores(lines)
    by_invoice: dict[int, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        by_invoice[line.invoice_id].append(line)
    for own in by_invoice.values():
        earlier = {line.pk: befores.of(line, bases.get(line.pk)) for line in own}
        taxes = _taxes(own, earlier, befores)
        for line, tax in zip(own, taxes, strict=True):
            if only is None or line.pk in only:
                yield _one(line, bases.get(line.pk), earlier[line.pk], tax)


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


class _Befores:
    """What was billed of the periods of some lines before them; one query, none if none was."""

    def __init__(self, lines: Iterable[InvoiceLine]) -> None:
        wanted = [each for each in lines if each.revision > 1 or _may_correct(each)]
        self.rows: dict[tuple[Any, ...], list[tuple[InvoiceLine, str]]] = defaultdict(list)
        if not wanted:
            return
        found = (
            InvoiceLine.objects.filter(
                charge__item_id__in={each.charge.item_id for each in wanted},
                period_start__in={each.period_start for each in wanted},
            )
            .select_related("charge__terms_charge")
            .defer("basis")
            .order_by("pk")
        )
        for row in found:
            self.rows[row.charge.item_id, row.period_start].append((row, row.charge.terms_charge.key))

    def of(self, line: InvoiceLine, told: Any) -> Earlier:
        """The earlier revisions of a line; of usage also those of the prices before it."""
        if line.revision == 1:
            return Earlier(Decimal(0), Decimal(0))
        own: list[BilledLine] = []
        others: list[BilledLine] = []
        key = line.charge.terms_charge.key
        for row, row_key in self.rows[line.charge.item_id, line.period_start]:
            if row.segment != line.segment:
                continue
            billed = BilledLine(row.charge_id, row.amount, row.tax)
            if row.charge_id == line.charge_id:
                if row.revision < line.revision:
                    own.append(billed)
            elif row_key == key and row.invoice_id < line.invoice_id:
                others.append(billed)
        usage = line.charge.terms_charge.kind == Kind.USAGE
        return earlier_of(own, others, told=told_before(told) if usage else None)

    def corrects(self, line: InvoiceLine) -> bool:
        """Whether it corrects a bill of its period, so that its tax is a difference."""
        if not _may_correct(line):
            return False
        return line.revision > 1 or any(
            row.charge_id == line.charge_id and row.invoice_id < line.invoice_id
            for row, _key in self.rows[line.charge.item_id, line.period_start]
        )


def _may_correct(line: InvoiceLine) -> bool:
    return line.cause in (CHANGE, LATE)


def _taxes(
    lines: Sequence[InvoiceLine], earlier: dict[int, Earlier], befores: _Befores
) -> list[TaxTold | None]:
    """The tax of the lines of one invoice, rounded as its seller does, or did when it was issued.

    None for all where there was none. The setting may have changed since: if it does not give the
    taxes that were billed, and another one does, that was it.
    """
    if not any(line.tax or line.tax_rate for line in lines):
        return [None] * len(lines)
    asked = [
        (line.amount, line.tax_rate, earlier[line.pk] if befores.corrects(line) else None)
        for line in lines
    ]
    now = TaxRounding(lines[0].invoice.legal_entity.tax_rounding)
    first: list[TaxTold] = []
    for per in (now, *(each for each in TaxRounding if each is not now)):
        found = taxes_again(asked, currency=lines[0].charge.currency, per=per)
        if all(told.expected == line.tax for told, line in zip(found, lines, strict=True)):
            return list(found)
        first = first or found
    return list(first)
