"""Send a quote: the moment when its prices become a promise."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, fsm
from o2b.catalog.services import freeze_terms
from o2b.customers.models import Account
from quotes import selectors
from quotes.inputs import (
    NoLines,
    refuse_unless_on_sale,
)
from quotes.models import Quote, QuoteLine
from quotes.services.checking import check_validity, refuse_unless_draft
from quotes.services.refusals import AccountClosed, CurrencyChanged, QuoteNotDraft


@transaction.atomic
def send_quote(*, quote_id: int, at: datetime, actor_id: int | None = None) -> Quote:
    """Resolve every price, freeze the Terms and open the offer to the customer."""
    # The account first: of two quotes sent at once only one gets the contract's fixed discount.
    account = (
        Account.objects.select_for_update(of=("self",), no_key=True)
        .select_related("customer", "test_clock")
        .get(pk__in=Quote.objects.filter(pk=quote_id).values("account_id"))
    )
    quote = Quote.objects.select_for_update().get(pk=quote_id)
    quote.account = account
    if quote.state not in {Quote.State.DRAFT, Quote.State.APPROVED}:
        refuse_unless_draft(quote)
    lines = _sendable_lines(quote, at)
    priced = selectors.price_lines(
        account=account,
        wanted=[selectors.wanted(line) for line in lines],
        on=clock.day(account, at),
        start_on=quote.start_on,
        besides=quote.pk,
    )
    frozen = freeze_terms(priced.resolutions)
    for line, resolution, terms in zip(lines, priced.resolutions, frozen, strict=True):
        line.terms = terms
        line.book_version_id = resolution.book_version_id
        line.contract_id = resolution.contract_id
        line.why = resolution.why
    QuoteLine.objects.bulk_update(lines, ["terms", "book_version", "contract", "why"])
    quote.one_time_total = priced.totals.one_time
    quote.monthly_total = priced.totals.monthly
    fsm.apply(quote, "send", at=at, refusal=QuoteNotDraft, actor_id=actor_id)
    return quote


def _sendable_lines(quote: Quote, at: datetime) -> list[QuoteLine]:
    """The lines, if they can still be promised: time has passed since they were drafted."""
    account = quote.account
    if not account.is_open:
        message = _("The account %(account)s is closed.") % {"account": account}
        raise AccountClosed(message, field="account")
    if quote.currency != account.currency:
        message = _("The account is billed in %(currency)s now; edit the quote first.")
        raise CurrencyChanged(message % {"currency": account.currency}, field="account")
    check_validity(account, quote.valid_until, at)
    lines = list(quote.lines.select_related("product_version__product").order_by("position"))
    if not lines:
        raise NoLines(_("At least one line is needed."), field="lines")
    for i, line in enumerate(lines):
        refuse_unless_on_sale(line.product_version, field=f"lines[{i}].product")
    return lines
