"""Questions about quotes: prices and totals of an offer, what is due, what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import DateField, DateTimeField, F, Func, QuerySet, Value
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from o2b import clock
from o2b.catalog.models import Terms
from o2b.catalog.resolution import Resolution, Wanted, contracts_of, resolve
from o2b.charging import LineTerms, StartRule, Step, explain, from_canonical
from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.models import Event
from quotes.inputs import LineInput, check_lines
from quotes.models import Quote, QuoteLine
from quotes.rules.totals import LineTotals, Priced, Totals, totals


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
    wanted = [line.wanted for line in check_lines(lines)]
    return price_lines(account=account, wanted=wanted, on=on, start_on=start_on)


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
class OfferedLine:
    """One line of a sent quote as it is shown: the frozen Terms, and the arithmetic in words."""

    line: QuoteLine
    terms: LineTerms
    totals: LineTotals
    charges: list["OfferedCharge"]


@dataclass(frozen=True, slots=True)
class OfferedCharge:
    """One charge with each step of its price."""

    terms: Any
    steps: tuple[Step, ...]

    @property
    def price(self) -> Any:
        return self.steps[-1].result


def get_quote(quote_id: int) -> Quote:
    """One quote with the account it is for; a missing one is a 404."""
    related = ("account__customer", "account__legal_entity", "account__test_clock", "owner")
    return Quote.objects.select_related(*related).get(pk=quote_id)


def lines_of(quote: Quote) -> list[QuoteLine]:
    """The lines in order, with everything that pages show of them."""
    related = ("product_version__product", "terms", "book_version__book", "contract")
    return list(quote.lines.select_related(*related).order_by("position"))


def offer(quote_id: int, *, on: date | None = None) -> dict[str, Any]:
    """What the customer is shown: {"quote", "lines", "totals"}, from the frozen Terms alone.

    Without a start day on the quote the first invoice assumes a start `on` (default: the day on
    which it was sent). A draft has no Terms yet and so no lines.
    """
    quote = get_quote(quote_id)
    return {"quote": quote, **offered(quote, lines_of(quote), on=on)}


def offered(quote: Quote, lines: Sequence[QuoteLine], *, on: date | None = None) -> dict[str, Any]:
    """Lines and totals of a quote whose Terms are frozen."""
    frozen = [(line, read_terms(line.terms)) for line in lines if line.terms]
    begins = quote.start_on or on or clock.day(quote.account, quote.sent_at or quote.created_at)
    sums = totals(
        [Priced(terms, line.quantity) for line, terms in frozen],
        currency=quote.currency,
        starts_on=begins,
        anchor_day=quote.account.bill_day,
    )
    shown = [
        OfferedLine(line, terms, each, explained(terms, line))
        for (line, terms), each in zip(frozen, sums.lines, strict=True)
    ]
    return {"lines": shown, "totals": sums}


def read_terms(terms: Terms) -> LineTerms:
    """The pure form of frozen Terms."""
    return from_canonical(terms.body)


def explained(terms: LineTerms, line: QuoteLine) -> list[OfferedCharge]:
    """Each charge of a line with its arithmetic."""
    return [OfferedCharge(charge, explain(charge, line.quantity)) for charge in terms.charges]


def history_of(quote: Quote) -> QuerySet[Event]:
    """What happened to a quote, newest first."""
    happened = Event.objects.filter(subject_type="quotes.quote", subject_id=quote.pk)
    return happened.select_related("actor").order_by("-id")
