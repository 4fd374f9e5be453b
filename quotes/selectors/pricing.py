"""What wished lines cost an account: the one way for previews and for sending."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from o2b.catalog.resolution import (
    Asked,
    Resolution,
    Wanted,
    carries_fixed_discount,
    resolve_many,
    signed_on,
)
from o2b.catalog.resolution.resolve import resolved
from o2b.catalog.resolution.sources import read_sources
from o2b.charging import StartRule
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from quotes.inputs import (
    LineInput,
    StartRuleInvalid,
    check_start,
    discounts_of,
    examine_lines,
    rule_of,
)
from quotes.models import Quote, QuoteLine
from quotes.rules.totals import Priced, Totals, totals
from quotes.selectors.taxing import with_tax
from quotes.together import NOTHING


class TooMuch(Invalid):
    """A total that no invoice could hold."""

    code = "total_too_large"


@dataclass(frozen=True, slots=True)
class PricedLines:
    """Each line's Terms, and what they come to together."""

    resolutions: list[Resolution]
    totals: Totals


@dataclass(frozen=True, slots=True)
class Asking:
    """Lines that an account wants together; `besides` is the quote at hand, if there is one."""

    account: Account
    wanted: Sequence[Wanted]
    start_on: date | None = None
    besides: int | None = None


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
    return price_many(askings=[Asking(account, wanted, start_on, besides)], on=on)[0]


def price_many(*, askings: Sequence[Asking], on: date) -> list[PricedLines]:
    """The same for many accounts, each of them once, in the queries of one."""
    for asking in askings:
        _check_start(asking)
    taken = fixed_discounts_taken(
        accounts=[asking.account for asking in askings],
        on=on,
        besides=[asking.besides for asking in askings if asking.besides is not None],
    )
    resolved = resolve_many(
        asked=[_asked(asking, taken) for asking in askings],
        on=on,
    )
    return [_priced(a, found, on) for a, found in zip(askings, resolved, strict=True)]


def price_each(*, askings: Sequence[Asking], on: date) -> list[PricedLines | Refused]:
    """Each asking priced for itself, in the queries of one, or why it has no price.

    An account may come more than once: the first of its askings that can carries the contract's
    fixed discount.
    """
    accounts = list({asking.account.pk: asking.account for asking in askings}.values())
    taken = fixed_discounts_taken(accounts=accounts, on=on)
    products = {w.product_version.product_id for asking in askings for w in asking.wanted}
    sources = read_sources(accounts=accounts, products=products, on=on)
    found: list[PricedLines | Refused] = []
    for asking in askings:
        try:
            _check_start(asking)
            priced = _priced(asking, resolved(_asked(asking, taken), sources), on)
        except Refused as refusal:
            found.append(refusal)
            continue
        if any(carries_fixed_discount(r.terms) for r in priced.resolutions):
            taken.add(asking.account.pk)
        found.append(priced)
    return found


def _check_start(asking: Asking) -> None:
    """Refuse a start that no bill can reach, and lines of an agreed day that nobody names."""
    check_start(asking.start_on)
    if asking.start_on is not None:
        return
    for i, each in enumerate(asking.wanted):
        if each.start_rule is StartRule.ON_DATE:
            message = _("Name the day from which it is billed.")
            raise StartRuleInvalid(message, field=f"lines[{i}].start_rule")


def _asked(asking: Asking, taken: Collection[int]) -> Asked:
    return Asked(
        account=asking.account,
        wanted=asking.wanted,
        start_rule=StartRule.ON_DATE if asking.start_on else StartRule.ON_DELIVERY,
        fixed_discount_taken=asking.account.pk in taken,
    )


def _priced(asking: Asking, resolutions: list[Resolution], on: date) -> PricedLines:
    sums = totals(
        [Priced(r.terms, r.quantity) for r in resolutions],
        currency=asking.account.currency,
        starts_on=asking.start_on or on,
        anchor_day=asking.account.bill_day,
    )
    if sums.too_large:
        raise TooMuch(_("The offer is larger than any invoice can be."), field="lines")
    return PricedLines(resolutions, sums)


def preview(
    account: Account,
    lines: Sequence[LineInput],
    on: date,
    start_on: date | None = None,
    already: Collection[str] = NOTHING,
) -> PricedLines:
    """What a draft would cost if it were sent on that day; refuses as sending would."""
    priced, faults = try_preview(account, lines, on, start_on, already)
    if priced is None:
        raise faults[0]
    return priced


def try_preview(
    account: Account,
    lines: Sequence[LineInput],
    on: date,
    start_on: date | None = None,
    already: Collection[str] = NOTHING,
) -> tuple[PricedLines | None, list[Refused]]:
    """The same for an editor, which shows every fault at once."""
    checked, faults = examine_lines(lines, account=account, already=already)
    if faults:
        return None, faults
    wanted = [line.wanted for line in checked]
    try:
        priced = price_lines(account=account, wanted=wanted, on=on, start_on=start_on)
        return replace(priced, totals=with_tax(account, priced.totals)), []
    except Refused as fault:
        return None, [fault]


def fixed_discounts_taken(
    *, accounts: Sequence[Account], on: date, besides: Sequence[int] = ()
) -> set[int]:
    """The accounts of which another open or accepted offer carries the contract's fixed amount.

    That of an earlier version of the contract counts: it is promised still.
    """
    valid = signed_on(on).order_by()
    versions = valid.filter(account=OuterRef("contract__account"), code=OuterRef("contract__code"))
    carried = QuoteLine.objects.filter(
        Exists(versions),
        quote__account__in=[account.pk for account in accounts],
        quote__state__in=[Quote.State.SENT, Quote.State.ACCEPTED],
        terms__charges__discounts__contains=[{"kind": "amount"}],
    ).exclude(quote__in=besides)
    return set(carried.values_list("quote__account", flat=True))


def wanted(line: QuoteLine) -> Wanted:
    """A stored line as price resolution takes it."""
    return Wanted(
        line.product_version,
        line.quantity,
        discounts_of(line.discount_percent),
        line.characteristics,
        rule_of(line.start_rule),
    )
