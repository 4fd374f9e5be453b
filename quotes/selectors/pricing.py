"""What wished lines cost an account: the one way for previews and for sending."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from o2b.catalog.resolution import Resolution, Wanted, contracts_of, resolve
from o2b.charging import StartRule
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from quotes.inputs import LineInput, check_start, discounts_of, examine_lines
from quotes.models import Quote, QuoteLine
from quotes.rules.totals import Priced, Totals, totals


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
    check_start(start_on)
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


def wanted(line: QuoteLine) -> Wanted:
    """A stored line as price resolution takes it."""
    return Wanted(line.product_version, line.quantity, discounts_of(line.discount_percent))
