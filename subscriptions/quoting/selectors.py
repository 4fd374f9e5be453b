"""What a quote of changes brings: as it was shown when it was sent, a draft as of now."""

from collections.abc import Collection
from datetime import datetime

from o2b import clock
from o2b.asks import Part, ask, held_by
from o2b.errors import Refused
from quotes.inputs import LineInput
from quotes.models import Quote, QuoteLine
from quotes.selectors import PricedLines, price_lines
from quotes.together import NOTHING
from subscriptions.models import QuotedChange, QuotedDelta
from subscriptions.quoting.delta import Delta, from_body
from subscriptions.quoting.drafting import ChangeDraft, check_draft
from subscriptions.quoting.inputs import Action, ChangeInput, read
from subscriptions.quoting.reckoning import reckon

TEMPLATE = "subscriptions/_quoted.html"


def quoted_changes(quote_id: int) -> list[ChangeInput]:
    """What the quote asks of services, in the order of its lines."""
    found = QuotedChange.objects.filter(line__quote=quote_id).order_by("line__position")
    return [read(each) for each in found]


def draft_of(quote: Quote) -> ChangeDraft:
    """The draft as it was last written down."""
    added = QuoteLine.objects.filter(quote=quote, action=Action.ADD).order_by("position")
    assert quote.start_on is not None
    return ChangeDraft(
        account_id=quote.account_id,
        valid_until=quote.valid_until,
        start_on=quote.start_on,
        changes=quoted_changes(quote.pk),
        lines=[
            LineInput(
                product=line.product_version.product.code,
                quantity=line.quantity,
                characteristics=line.characteristics,
                discount_percent=line.discount_percent,
                start_rule=line.start_rule,
            )
            for line in added.select_related("product_version__product")
        ],
        title=quote.title,
    )


def delta_of_draft(
    draft: ChangeDraft,
    *,
    at: datetime,
    already: Collection[str] = NOTHING,
    besides: int | None = None,
) -> Delta:
    """What a draft would bring if it were sent now; refuses as sending would, writes nothing."""
    account, planned, checked = check_draft(draft, at=at, already=already)
    added: PricedLines | None = None
    today = clock.day(account, at)
    if checked:
        added = price_lines(
            account=account,
            wanted=[line.wanted for line in checked],
            on=today,
            start_on=draft.start_on,
            besides=besides,
        )
    return reckon(
        account=account,
        planned=planned,
        added=added,
        on=draft.start_on,
        today=today,
        at=at,
        billed=lambda items: ask("billed_so_far", items),
    ).delta


def delta_of(quote: Quote) -> Delta:
    """What the customer was shown; of a draft, what they would be shown now."""
    kept = QuotedDelta.objects.filter(quote=quote).first()
    if kept is not None and quote.sent_at is not None:
        return from_body(kept.body)
    at = clock.now(quote.account)
    already = held_by(quote.account_id)
    return delta_of_draft(draft_of(quote), at=at, already=already, besides=quote.pk)


def quote_parts(quote_id: int) -> list[Part]:
    """The part of a quote's page that says what its changes bring; none for other quotes."""
    quote = Quote.objects.select_related("account__test_clock", "account__customer").get(
        pk=quote_id
    )
    if not quote.is_change:
        return []
    try:
        return [Part(TEMPLATE, {"delta": delta_of(quote), "sent": quote.sent_at})]
    except Refused as refusal:
        return [Part(TEMPLATE, {"refusal": refusal})]
