"""Questions about quotes: prices and totals of an offer, what is due, what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, DateField, DateTimeField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b import clock
from o2b.catalog.models import ProductVersion, Terms
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.resolution import Resolution, Wanted, contracts_of, resolve
from o2b.charging import ChargeTerms, LineTerms, StartRule, Step, explain, from_canonical
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.models import Event
from o2b.periods import Unit
from quotes.inputs import LineInput, discounts_of, examine_lines, refuse_unless_on_sale
from quotes.models import Quote, QuoteLine
from quotes.rules.totals import LineTotals, Priced, Totals, totals

RHYTHMS = {
    Unit.DAY: gettext_lazy("a day"),
    Unit.WEEK: gettext_lazy("a week"),
    Unit.MONTH: gettext_lazy("a month"),
    Unit.YEAR: gettext_lazy("a year"),
}


class TooMuch(Invalid):
    """A total that no invoice could hold."""

    code = "total_too_large"


@dataclass(frozen=True, slots=True)
class PricedLines:
    """Each line's Terms, and what they come to together."""

    resolutions: list[Resolution]
    totals: Totals


def price_lines(
    *,
    account: Account,
    wanted: Sequence[Wanted],
    on: date,
    start_on: date | None,
    besides: int | None = None,
) -> PricedLines:
    """What the wanted lines cost the account: the one way for previews and for sending.

    `besides` is the quote at hand, whose own claim to the contract's fixed discount stands.
    """
    resolutions = resolve(
        account=account,
        wanted=wanted,
        on=on,
        start_rule=StartRule.ON_DATE if start_on else StartRule.ON_DELIVERY,
        fixed_discount_taken=is_fixed_discount_taken(account=account, on=on, besides=besides),
    )
    sums = totals(
        [Priced(r.terms, r.quantity) for r in resolutions],
        currency=account.currency,
        starts_on=start_on or on,
        anchor_day=account.bill_day,
    )
    if sums.too_large:
        raise TooMuch(_("The offer is larger than any invoice can be."), field="lines")
    return PricedLines(resolutions, sums)


def preview(
    account: Account, lines: Sequence[LineInput], on: date, start_on: date | None = None
) -> PricedLines:
    """What a draft would cost if it were sent on that day; refuses as sending would."""
    priced, faults = try_preview(account, lines, on, start_on)
    if priced is None:
        raise faults[0]
    return priced


def try_preview(
    account: Account, lines: Sequence[LineInput], on: date, start_on: date | None = None
) -> tuple[PricedLines | None, list[Refused]]:
    """The same for an editor, which shows every fault at once."""
    checked, faults = examine_lines(lines)
    if faults:
        return None, faults
    wanted = [line.wanted for line in checked]
    try:
        return price_lines(account=account, wanted=wanted, on=on, start_on=start_on), []
    except Refused as fault:
        return None, [fault]


def is_fixed_discount_taken(*, account: Account, on: date, besides: int | None = None) -> bool:
    """Whether another open or accepted offer carries the contract's fixed monthly amount."""
    carried = QuoteLine.objects.filter(
        quote__account=account,
        quote__state__in=[Quote.State.SENT, Quote.State.ACCEPTED],
        contract=contracts_of(account=account, on=on).values("pk")[:1],
        terms__charges__discounts__contains=[{"kind": "amount"}],
    )
    return carried.exclude(quote=besides).exists()


def quotes_for_list() -> QuerySet[Quote]:
    """Every quote with what a list shows of it."""
    return Quote.objects.select_related("account__customer", "owner")


def quotes_of_account(account_id: int) -> QuerySet[Quote]:
    """The quotes of one account, the newest first."""
    return Quote.objects.filter(account=account_id).select_related("owner").order_by("-pk")


def waiting_of(*, user_id: int, today: date) -> dict[str, int]:
    """How many drafts and open offers a rep has, and how many of these end within a week."""
    soon = Q(state=Quote.State.SENT, valid_until__lte=today + timedelta(days=7))
    counted = Quote.objects.filter(owner=user_id).aggregate(
        drafts=Count("pk", filter=Q(state=Quote.State.DRAFT)),
        sent=Count("pk", filter=Q(state=Quote.State.SENT)),
        ending=Count("pk", filter=soon),
    )
    return dict(counted)


def products_on_sale() -> list[ProductVersion]:
    """The newest published version of each product, by family and name."""
    versions = ProductVersion.objects.filter(state=Lifecycle.PUBLISHED).select_related("product")
    newest = {version.product_id: version for version in versions.order_by("number")}
    return sorted(newest.values(), key=lambda v: (v.product.family, v.product.name))


def past_validity(*, at: datetime) -> QuerySet[Quote]:
    """Sent quotes whose last day is over where their account lives; `moment` is its clock."""
    moment = Coalesce(F("account__test_clock__now"), Value(at), output_field=DateTimeField())
    local = Func(F("account__time_zone"), moment, function="timezone", output_field=DateTimeField())
    return (
        Quote.objects.filter(state=Quote.State.SENT)
        .annotate(moment=moment, their_day=Cast(local, DateField()))
        .filter(valid_until__lt=F("their_day"))
    )


@dataclass(frozen=True, slots=True)
class OfferedCharge:
    """One charge of a line: its Terms, and each step of its price for one full period."""

    terms: ChargeTerms
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        return name_of(self.terms.key)

    @property
    def price(self) -> Decimal:
        return self.steps[-1].result

    @property
    def rhythm(self) -> str:
        """How often it is billed, in words."""
        interval = self.terms.interval
        if interval is None:
            return _("once")
        if interval.count == 1:
            return str(RHYTHMS[interval.unit])
        return _("every %(interval)s") % {"interval": interval}


@dataclass(frozen=True, slots=True)
class OfferedLine:
    """One line as it is shown: the wish, its Terms, what it comes to, and why this price."""

    line: QuoteLine
    terms: LineTerms
    totals: LineTotals
    charges: list[OfferedCharge]
    why: list[dict[str, object]]

    @property
    def product(self) -> str:
        return str(self.line.product_version.product)


@dataclass(frozen=True, slots=True)
class FirstBillLine:
    """One amount of the first invoice, and the days that it pays for."""

    product: str
    name: str
    first_day: date
    last_day: date
    amount: Decimal

    @property
    def is_one_day(self) -> bool:
        return self.first_day == self.last_day


def get_quote(quote_id: int) -> Quote:
    """One quote with the account it is for; a missing one is a 404."""
    related = ("account__customer", "account__legal_entity", "account__test_clock", "owner")
    return Quote.objects.select_related(*related).get(pk=quote_id)


def lines_of(quote: Quote) -> list[QuoteLine]:
    """The lines in order, with everything that pages show of them."""
    related = ("product_version__product", "terms", "book_version__book", "contract")
    return list(quote.lines.select_related(*related).order_by("position"))


def offer(quote_id: int, *, on: date | None = None) -> dict[str, Any]:
    """What the customer is shown: {"quote", "lines", "totals", "first_bill"}, from frozen Terms.

    Without a start day on the quote the first invoice assumes a start `on` (default: the day on
    which it was sent). A draft has no Terms yet and so no lines.
    """
    quote = get_quote(quote_id)
    begins = on or clock.day(quote.account, quote.sent_at or quote.created_at)
    lines = [line for line in lines_of(quote) if line.terms]
    terms = [read_terms(line.terms) for line in lines if line.terms]
    sums = totals(
        [Priced(each, line.quantity) for each, line in zip(terms, lines, strict=True)],
        currency=quote.currency,
        starts_on=quote.start_on or begins,
        anchor_day=quote.account.bill_day,
    )
    whys = [list(line.why) for line in lines]
    return {"quote": quote, **_shown(lines, terms, sums, whys)}


def draft_offer(quote: Quote, *, on: date) -> dict[str, Any]:
    """The same for a draft, priced as if it were sent on that day; refuses as sending would."""
    lines = lines_of(quote)
    for i, line in enumerate(lines):
        refuse_unless_on_sale(line.product_version, field=f"lines[{i}].product")
    priced = price_lines(
        account=quote.account,
        wanted=[wanted(line) for line in lines],
        on=on,
        start_on=quote.start_on,
        besides=quote.pk,
    )
    terms = [r.terms for r in priced.resolutions]
    whys = [r.why for r in priced.resolutions]
    return {"quote": quote, **_shown(lines, terms, priced.totals, whys)}


def wanted(line: QuoteLine) -> Wanted:
    """A stored line as price resolution takes it."""
    return Wanted(line.product_version, line.quantity, discounts_of(line.discount_percent))


def read_terms(terms: Terms) -> LineTerms:
    """The pure form of frozen Terms."""
    return from_canonical(terms.body)


def name_of(key: str) -> str:
    """A charge's key as people read it."""
    return key.replace("-", " ").replace("_", " ").capitalize()


def _shown(
    lines: Sequence[QuoteLine],
    terms: Sequence[LineTerms],
    sums: Totals,
    whys: Sequence[list[dict[str, object]]],
) -> dict[str, Any]:
    shown = [
        OfferedLine(
            line=line,
            terms=each,
            totals=amounts,
            charges=[OfferedCharge(c, explain(c, line.quantity)) for c in each.charges],
            why=why,
        )
        for line, each, amounts, why in zip(lines, terms, sums.lines, whys, strict=True)
    ]
    return {"lines": shown, "totals": sums, "first_bill": _first_bill(shown)}


def _first_bill(lines: Sequence[OfferedLine]) -> list[FirstBillLine]:
    return [
        FirstBillLine(
            product=line.product,
            name=name_of(part.key),
            first_day=part.period.start,
            last_day=part.period.end - timedelta(days=1),
            amount=part.amount,
        )
        for line in lines
        for part in line.totals.first
    ]


def history_of(quote: Quote) -> QuerySet[Event]:
    """What happened to a quote, newest first."""
    happened = Event.objects.filter(subject_type="quotes.quote", subject_id=quote.pk)
    return happened.select_related("actor").order_by("-id")
