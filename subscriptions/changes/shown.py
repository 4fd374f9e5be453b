"""A change before it is made, as pages show it: both sides, what it costs, what to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.catalog.models import ProductVersion, Terms
from o2b.charging import Kind
from o2b.charging.draft import CHANGE
from o2b.customers.models import Account
from o2b.money import Money
from o2b.periods import Period
from o2b.web.show import day_text
from subscriptions.changes.basis import Month
from subscriptions.changes.preview import Preview, ServicePreview
from subscriptions.changes.taxing import Taxes
from subscriptions.explained import TermsExplained, explain_promise
from subscriptions.models import Act
from subscriptions.rules.billing import BillLine
from subscriptions.rules.facts import standing_facts
from subscriptions.rules.months import Steps, draw
from subscriptions.rules.timeline import Span


@dataclass(frozen=True, slots=True)
class Side:
    """What a service is before or after the change."""

    version: ProductVersion
    quantity: Decimal
    in_use: bool
    billed: bool
    account: Account | None
    terms: TermsExplained

    @property
    def monthly(self) -> Money:
        """What a month costs; nothing while it is not billed."""
        return self.terms.monthly if self.billed else Money(Decimal(0), self.terms.monthly.currency)


@dataclass(frozen=True, slots=True)
class LineShown:
    """One amount of a bill: below zero it is given back.

    What `corrects` a period that was billed leaves of it the days of the line.
    """

    name: str
    since: date
    last: date | None
    amount: Money
    account: Account | None
    corrects: Period | None = None
    tax: Money | None = None

    @property
    def end(self) -> date | None:
        """The first day outside."""
        return self.last and self.last + timedelta(days=1)

    @property
    def tone(self) -> str:
        return "good" if self.amount.amount < 0 else ""


@dataclass(frozen=True, slots=True)
class PreviewShown:
    """Everything that the page says of a change before it is ordered.

    Amounts are net; where tax is charged it is beside them. `besides` is what a bill of today
    holds that was due without the change, if there is such;
    `leaving_fee` what ending an agreed term earlier costs, billed on the day `leaving_fee_on`.
    """

    on: date
    before: Side | None
    after: Side | None
    because: list[LineShown]
    because_total: Money
    next_on: date | None
    next_bill: list[LineShown]
    next_total: Money
    besides: Money | None
    months: Sequence[Month]
    chart: Steps | None
    months_total: Money
    warnings: list[str]
    revision: int
    seen: str
    leaving_fee: Money | None
    leaving_fee_on: date | None
    deliver: bool
    because_tax: Money | None = None
    next_tax: Money | None = None

    @property
    def because_gross(self) -> Money | None:
        return None if self.because_tax is None else self.because_total + self.because_tax

    @property
    def next_gross(self) -> Money | None:
        return None if self.next_tax is None else self.next_total + self.next_tax

    @property
    def because_sum(self) -> Money:
        """What it comes to, with tax where tax is charged."""
        return self.because_total if self.because_gross is None else self.because_gross

    @property
    def because_credit(self) -> Money:
        """What is given back, as an amount above zero."""
        return -self.because_sum

    @property
    def difference(self) -> Money:
        """By how much a month becomes dearer, below zero cheaper."""
        nothing = Money(Decimal(0), self.because_total.currency)
        before = self.before.monthly if self.before else nothing
        return (self.after.monthly if self.after else nothing) - before


def show_preview(preview: Preview, *, today: date) -> PreviewShown:
    """The preview of one service, in words."""
    service = preview.services[0]
    currency = preview.account.currency
    known = _Known(service)
    months = service.months
    rest = service.next_total - service.because_total
    return PreviewShown(
        on=service.on,
        before=known.side(service.before),
        after=known.side(service.after),
        because=known.lines(service.because, service.because_taxes),
        because_total=Money(service.because_total, currency),
        next_on=service.next_on,
        next_bill=known.lines(service.next_bill, service.next_taxes),
        next_total=Money(service.next_total, currency),
        besides=Money(rest, currency) if rest and service.next_on == today else None,
        months=months,
        chart=draw([(month.start, month.before, month.after) for month in months]),
        months_total=Money(sum((m.difference for m in months), Decimal(0)), currency),
        warnings=warnings_of(service, today=today),
        revision=service.chain.root.revision,
        seen=fingerprint(service),
        leaving_fee=Money(service.fee.amount, currency) if service.fee else None,
        leaving_fee_on=service.fee.span.period.start if service.fee else None,
        deliver=service.deliver,
        because_tax=_money(service.because_tax, currency),
        next_tax=_money(service.next_tax, currency),
    )


def _money(amount: Decimal | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount, currency)


def fingerprint(service: ServicePreview) -> str:
    """The same for the same day and the same amounts: what is ordered is what was looked at."""
    told = (
        service.on,
        service.chain.root.revision,
        *((line.key, line.period, line.amount) for line in (*service.because, *service.next_bill)),
        *((month.start, month.after) for month in service.months),
        service.fee and (service.fee.span.period.start, service.fee.amount),
        service.deliver,
        *(taxes for taxes in (service.because_taxes, service.next_taxes) if taxes is not None),
    )
    return sha256(repr(told).encode()).hexdigest()[:32]


def warnings_of(service: ServicePreview, *, today: date) -> list[str]:
    """What one ought to know before ordering it."""
    found = []
    if service.deliver:
        words = _(
            "It is delivered first: it holds from the day of its delivery, or from %(day)s if that "
            "is later. The amounts are those of a delivery by then."
        )
        found.append(words % {"day": day_text(max(service.on, today))})
    elif service.on < today:
        days = (today - service.on).days
        words = ngettext(
            "It holds from %(day)s, %(n)s day ago: what was billed since then is given back and "
            "charged anew, as listed below.",
            "It holds from %(day)s, %(n)s days ago: what was billed since then is given back and "
            "charged anew, as listed below.",
            days,
        )
        found.append(words % {"day": day_text(service.on), "n": days})
    later = [fact for fact in standing_facts(service.chain.facts) if fact.on > service.on]
    if later:
        words = ngettext(
            "%(n)s change from a later day stays as it is: %(days)s.",
            "%(n)s changes from later days stay as they are: %(days)s.",
            len(later),
        )
        told = "; ".join(f"{Act(fact.act).label}, {day_text(fact.on)}" for fact in later)
        found.append(words % {"n": len(later), "days": told})
    return found


class _Known:
    """The names of what a preview speaks of, read at once."""

    def __init__(self, service: ServicePreview) -> None:
        self.service = service
        spans = [span for span in (service.before, service.after) if span is not None]
        self.versions = ProductVersion.objects.select_related("product").in_bulk(
            {span.product_version for span in spans}
        )
        self.terms: Mapping[int, Terms] = Terms.objects.in_bulk(
            {span.terms for span in spans if span.terms > 0}
        )
        lines = (*service.because, *service.next_bill)
        self.accounts = Account.objects.in_bulk(
            {line.account for line in lines} | {span.account for span in spans}
        )
        self.own = service.chain.last.account_id
        self.products = {span.terms: self.versions[span.product_version] for span in spans}

    def side(self, span: Span | None) -> Side | None:
        if span is None:
            return None
        frozen = self.terms.get(span.terms)
        root = self.service.chain.root
        return Side(
            version=self.versions[span.product_version],
            quantity=span.quantity,
            in_use=span.in_use,
            billed=span.billed,
            account=self._other(span.account),
            terms=explain_promise(
                self.service.terms[span.terms],
                number=str(frozen) if frozen else _("new Terms"),
                quantity=span.quantity,
                on=max(self.service.on, span.period.start),
                started_on=root.anchor_on,
            ),
        )

    def lines(self, lines: Sequence[BillLine], taxes: Taxes) -> list[LineShown]:
        each = taxes or [None] * len(lines)
        return [self.line(line, tax) for line, tax in zip(lines, each, strict=True)]

    def line(self, line: BillLine, tax: Decimal | None) -> LineShown:
        name = line.key.replace("_", " ").replace("-", " ").capitalize()
        product = self.products.get(line.terms)
        once = line.kind is Kind.ONE_TIME
        terms = self.service.terms[line.terms]
        return LineShown(
            name=f"{product.product.name}: {name}" if product else name,
            since=line.period.start,
            last=None if once else line.period.last,
            amount=Money(line.amount, terms.currency),
            account=self._other(line.account),
            corrects=line.full_period if line.cause == CHANGE else None,
            tax=_money(tax, terms.currency),
        )

    def _other(self, account_id: int) -> Account | None:
        """The account, where it is another than the one that changes something."""
        return None if account_id == self.own else self.accounts.get(account_id)
