"""Reckon the delta of a quote: changes and additions together, by the arithmetic of bill runs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.asks import BilledSoFar
from o2b.catalog.models import ProductVersion
from o2b.catalog.selectors import MeterNames, granted_by
from o2b.charging import Kind
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.money import Money
from o2b.periods import FOREVER, Period
from o2b.web.show import day_text, money_text
from quotes.selectors import PricedLines
from subscriptions.changes.asking import place_of
from subscriptions.changes.basis import Basis, first_bill, months_together
from subscriptions.changes.preview import (
    ServicePreview,
    grid_of,
    preview_changes,
    terms_by_key,
)
from subscriptions.changes.pricing import Pen, Pencil
from subscriptions.changes.services import line_field
from subscriptions.explained import monthly_parts
from subscriptions.models import Commitment
from subscriptions.quoting.delta import Delta, DeltaLine, Side
from subscriptions.quoting.first_bill import once_lines, once_of, once_tax_of, parts_of
from subscriptions.quoting.inputs import Action
from subscriptions.quoting.planning import Planned
from subscriptions.quoting.taxing import Taxer, taxer_for
from subscriptions.rules.billing import BillLine, Grid
from subscriptions.rules.timeline import Span

# Items' keys → how far each of their charges has been billed; a door asks it of the floor above.
Billed = Callable[[Sequence[int]], Iterable[BilledSoFar]]


@dataclass(frozen=True, slots=True)
class Reckoned:
    """The delta, and what each line that changes a service itself was priced from."""

    delta: Delta
    services: dict[int, ServicePreview]


def reckon(
    *,
    account: Account,
    planned: Sequence[Planned],
    added: PricedLines | None,
    on: date,
    today: date,
    at: datetime,
    billed: Billed,
    pen: Pen | None = None,
) -> Reckoned:
    """What all lines bring together; refuses what ordering would refuse, by the line at fault.

    With `Ink` the Terms are frozen; else nothing is written.
    """
    pencil = pen or Pencil()
    services = _services(account, planned, at, billed, pencil)
    adds = _adds(account, added, on, pencil)
    known = _Known(planned, services, added)
    bases = [*(services[each.index].basis for each in planned if each.index in services), *adds]
    labels = [
        *(known.service_names(services[p.index]) for p in planned if p.index in services),
        *(known.added_names(each) for each in adds),
    ]
    fields = [f"changes[{p.index}].product" for p in planned if p.index in services]
    fields += [f"lines[{i}].product" for i in range(len(adds))]
    first = first_bill(bases, today=today)
    taxer = taxer_for(account, [*bases, *known.unchanged()], on=first.on if first else on)
    lines = [*(known.line(each, taxer) for each in planned), *known.added_lines(on, taxer)]
    delta = Delta(
        currency=account.currency,
        on=on,
        lines=tuple(lines),
        monthly_before=_monthly(line.before for line in lines),
        monthly_after=_monthly(line.after for line in lines),
        once=sum((once_of(service.basis, service.on) for service in services.values()), Decimal(0))
        + (added.totals.one_time if added else Decimal(0)),
        first_bill_on=first.on if first else None,
        first_bill=tuple(parts_of(first.lines if first else (), labels, fields, taxer)),
        besides=first.besides if first else Decimal(0),
        months=months_together([*bases, *known.unchanged()], since=today.replace(day=1)),
        once_tax=once_tax_of(
            [
                *(once_lines(service.basis, service.on) for service in services.values()),
                *(once_lines(basis, on) for basis in adds),
            ],
            fields,
            taxer,
        ),
    )
    return Reckoned(delta, services)


def _services(
    account: Account, planned: Sequence[Planned], at: datetime, billed: Billed, pencil: Pen
) -> dict[int, ServicePreview]:
    """Index of the line → what its wish brings."""
    wished = [each for each in planned if each.wish is not None]
    if not wished:
        return {}
    try:
        preview = preview_changes(
            account_id=account.pk,
            wishes=[each.wish for each in wished if each.wish],
            at=at,
            billed=billed,
            pencil=pencil,
            taxed=False,
        )
    except Refused as refusal:
        refusal.field = _renumbered(refusal, [each.index for each in wished])
        raise
    return {each.index: service for each, service in zip(wished, preview.services, strict=True)}


def _renumbered(refusal: Refused, indices: Sequence[int]) -> str:
    """The line of the quote, where a refusal names the wish."""
    wish = (refusal.field or "").partition("[")[2].partition("]")[0]
    index = int(wish) if wish.isdigit() and int(wish) < len(indices) else 0
    return (
        line_field(indices[index], refusal) if place_of(refusal) else f"changes[{indices[index]}]"
    )


def _adds(account: Account, added: PricedLines | None, on: date, pencil: Pen) -> list[Basis]:
    """Services to be, as if all were delivered on the day from which the quote counts."""
    found = []
    for resolution in added.resolutions if added else ():
        key = pencil.key_of(resolution)
        span = Span(
            leg=0,
            account=account.pk,
            period=Period(on, FOREVER),
            product_version=resolution.product_version.pk,
            terms=key,
            quantity=resolution.quantity,
            in_use=True,
            billed=True,
            opens=True,
            line=0,
        )
        grid = Grid(on, account.bill_day)
        found.append(Basis((), (span,), grid, {key: resolution.terms}, {}))
    return found


def _monthly(sides: Iterable[Side | None]) -> Decimal:
    return sum((side.monthly for side in sides if side), Decimal(0))


class _Known:
    """The names of what a quote speaks of, read at once."""

    def __init__(
        self,
        planned: Sequence[Planned],
        services: dict[int, ServicePreview],
        added: PricedLines | None,
    ) -> None:
        self.planned, self.services, self.added = planned, services, added
        self.meters = MeterNames()
        spans = [
            span
            for service in services.values()
            for span in (*service.basis.before, *service.basis.after)
        ]
        self.alike = [each for each in planned if each.index not in services]
        for each in self.alike:
            spans += each.chain.spans
        keys = {span.product_version for span in spans}
        self.terms = terms_by_key({span.terms for span in spans if span.terms > 0})
        for service in services.values():
            self.terms |= service.terms
        self.versions = ProductVersion.objects.select_related("product").in_bulk(keys)
        if added:
            self.versions |= {r.product_version.pk: r.product_version for r in added.resolutions}

    def service_names(self, service: ServicePreview) -> Callable[[BillLine], str]:
        spans = (*service.basis.before, *service.basis.after)
        products = {span.terms: span.product_version for span in spans}
        return lambda line: self._name(products.get(line.terms), line)

    def added_names(self, basis: Basis) -> Callable[[BillLine], str]:
        return lambda line: self._name(basis.after[0].product_version, line)

    def _name(self, version_id: int | None, line: BillLine) -> str:
        charge = line.key.replace("_", " ").replace("-", " ").capitalize()
        version = self.versions.get(version_id or 0)
        return f"{version.product.name}: {charge}" if version else charge

    def unchanged(self) -> list[Basis]:
        """Services of which only the term is agreed: each month is what it was."""
        return [
            Basis(spans, spans, grid_of(each.chain), self.terms, {})
            for each in self.alike
            for spans in (each.chain.spans,)
        ]

    def line(self, planned: Planned, taxer: Taxer) -> DeltaLine:
        service = self.services.get(planned.index)
        before = self._side(planned.now, planned, taxer)
        after: Side | None = before
        if service is not None:
            after = self._side(service.after, planned, taxer) if service.after else None
        return DeltaLine(
            action=str(planned.change.action),
            item=planned.item.number,
            on=planned.on,
            before=before,
            after=after,
            notes=(*_notes(planned, service), *self._regranted(planned, service)),
        )

    def _regranted(self, planned: Planned, service: ServicePreview | None) -> Iterable[str]:
        """What each period brings into pools or the wallet, where that changes."""
        if service is None or service.after is None:
            return
        was, will = (self._granted(span) for span in (planned.now, service.after))
        if was != will:
            nothing = _("brings nothing into a pool")
            words = _("Before: %(was)s. From then on: %(now)s.")
            yield words % {"was": was or nothing, "now": will or nothing}

    def _granted(self, span: Span) -> str:
        charges = (each for each in self.terms[span.terms].charges if each.kind is Kind.RECURRING)
        told = (granted_by(each, self.meters, quantity=span.quantity) for each in charges)
        return "; ".join(filter(None, told))

    def added_lines(self, on: date, taxer: Taxer) -> Iterable[DeltaLine]:
        if self.added is None:
            return
        lines = zip(self.added.resolutions, self.added.totals.lines, strict=True)
        for i, (each, sums) in enumerate(lines):
            version, product = each.product_version, each.product_version.product
            parts = [(part.tax_code, part.monthly) for part in sums.parts]
            tax = taxer.amounts(parts, f"lines[{i}].product")
            side = Side(
                product.name, version.number, each.quantity, product.unit, sums.monthly, tax
            )
            yield DeltaLine(str(Action.ADD), "", on, None, side)

    def _side(self, span: Span, planned: Planned, taxer: Taxer) -> Side:
        version = self.versions[span.product_version]
        parts = monthly_parts(
            self.terms[span.terms],
            quantity=span.quantity,
            on=planned.on,
            started_on=planned.chain.root.anchor_on,
        )
        billed = parts if span.billed else []
        return Side(
            product=version.product.name,
            version=version.number,
            quantity=span.quantity,
            unit=version.product.unit,
            monthly=sum((amount for _, amount in billed), Decimal(0)),
            monthly_tax=taxer.amounts(billed, f"changes[{planned.index}].product"),
        )


def _notes(planned: Planned, service: ServicePreview | None) -> Iterable[str]:
    """What the line agrees besides its price, in words."""
    if planned.term is not None:
        yield term_words(planned.term.commitment)
    if service is not None and service.basis.fee is not None:
        fee = service.basis.fee
        told = {
            "amount": money_text(Money(fee.amount, service.chain.last.account.currency)),
            "day": day_text(fee.span.period.start),
        }
        yield _("Leaving the agreed term costs %(amount)s, on %(day)s.") % told


def term_words(term: Commitment) -> str:
    """The term in one sentence: from when to when, what comes then, with which notice."""
    if term.ends_on is None:
        return _("Goes on from month to month.")
    told = {
        "start": day_text(term.starts_on),
        "end": day_text(term.ends_on - timedelta(days=1)),
        "then": term.get_renewal_display(),
    }
    words = _("Agreed from %(start)s to %(end)s; then it %(then)s.") % told
    if term.notice_days:
        notice = ngettext("%(n)s day's notice.", "%(n)s days' notice.", term.notice_days)
        words = f"{words} {notice % {'n': term.notice_days}}"
    return words
