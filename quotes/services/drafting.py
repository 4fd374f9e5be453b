"""Draft a quote, edit it, and begin the next version of one that was sent."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events, fsm
from o2b.catalog.characteristics import CharacteristicInvalid, check_characteristics
from o2b.catalog.models import ProductVersion
from o2b.errors import Invalid
from quotes.changing import of_changes
from quotes.inputs import (
    CheckedLine,
    LineInput,
    Offer,
    check_lines,
    check_many,
    check_start,
    versions_on_sale,
)
from quotes.models import Quote, QuoteLine
from quotes.services.checking import (
    check_validity,
    checked_text,
    open_account,
    open_accounts,
    refuse_unless_draft,
)
from quotes.services.refusals import QuoteNotOpen
from quotes.together import NOTHING

VALID_DAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Draft:
    """A quote to be written down; `already` are the products that the account has."""

    account_id: int
    owner_id: int
    valid_until: date
    lines: Sequence[LineInput]
    title: str = ""
    start_on: date | None = None
    already: Collection[str] = NOTHING


def draft_quote(
    *,
    account_id: int,
    owner_id: int,
    valid_until: date,
    lines: Sequence[LineInput],
    at: datetime,
    title: str = "",
    start_on: date | None = None,
    already: Collection[str] = NOTHING,
) -> Quote:
    """Write down what an account may be offered; prices are found when it is sent."""
    draft = Draft(account_id, owner_id, valid_until, lines, title, start_on, already)
    return draft_quotes(drafts=[draft], at=at)[0]


@transaction.atomic
def draft_quotes(*, drafts: Sequence[Draft], at: datetime) -> list[Quote]:
    """Many drafts, in order, in the queries of one."""
    accounts = open_accounts(draft.account_id for draft in drafts)
    for draft in drafts:
        check_validity(accounts[draft.account_id], draft.valid_until, at)
        check_start(draft.start_on)
    checked = check_many(
        [Offer(accounts[draft.account_id], draft.lines, draft.already) for draft in drafts]
    )
    quotes = Quote.objects.bulk_create(
        Quote(
            account=accounts[draft.account_id],
            owner_id=draft.owner_id,
            currency=accounts[draft.account_id].currency,
            title=checked_text(draft.title, field="title"),
            valid_until=draft.valid_until,
            start_on=draft.start_on,
        )
        for draft in drafts
    )
    _write_lines(quotes, checked)
    events.record_many(
        "quote.drafted",
        quotes,
        at=at,
        actor_of=lambda quote: quote.owner_id,
        facts_of=lambda quote: {"revision": quote.revision},
    )
    return quotes


@transaction.atomic
def edit_quote(
    *,
    quote_id: int,
    account_id: int,
    valid_until: date,
    lines: Sequence[LineInput],
    at: datetime,
    title: str = "",
    start_on: date | None = None,
    already: Collection[str] = NOTHING,
) -> Quote:
    """Replace what a draft says; a new version stays with its account."""
    quote = Quote.objects.select_for_update().get(pk=quote_id)
    refuse_unless_draft(quote)
    if quote.supersedes_id and account_id != quote.account_id:
        message = _("A new version is for the same account as the one before.")
        raise Invalid(message, field="account")
    account = open_account(account_id)
    check_validity(account, valid_until, at)
    check_start(start_on)
    checked = check_lines(lines, account=account, already=already)
    quote.account, quote.currency = account, account.currency
    quote.title = checked_text(title, field="title")
    quote.valid_until, quote.start_on = valid_until, start_on
    quote.save()
    quote.lines.all().delete()
    _write_lines([quote], [checked])
    return quote


@transaction.atomic
def revise_quote(*, quote_id: int, owner_id: int, at: datetime) -> Quote:
    """Begin the next version as a draft with the same wishes; the one before is open no more."""
    old = Quote.objects.select_for_update(of=("self",)).select_related("account").get(pk=quote_id)
    open_account(old.account_id)
    fsm.apply(old, "supersede", at=at, refusal=QuoteNotOpen, actor_id=owner_id)
    today = clock.day(old.account, at)
    valid_until, start_on = max(old.valid_until, today + VALID_DAYS), old.start_on
    if old.is_change and start_on is not None:
        # What counts from a day can be accepted until that day.
        start_on = max(start_on, today)
        valid_until = min(max(old.valid_until, today), start_on)
    quote = Quote.objects.create(
        account=old.account,
        owner_id=owner_id,
        kind=old.kind,
        revision=old.revision + 1,
        supersedes=old,
        currency=old.account.currency,
        title=old.title,
        valid_until=valid_until,
        start_on=start_on,
    )
    lines = list(old.lines.select_related("product_version__product").order_by("position"))
    on_sale = versions_on_sale(line.product_version.product.code for line in lines)
    newest = [on_sale[line.product_version.product.code] for line in lines]
    copies = QuoteLine.objects.bulk_create(
        QuoteLine(
            quote=quote,
            position=line.position,
            action=line.action,
            product_version=version,
            quantity=line.quantity,
            characteristics=_with_defaults(line, version),
            discount_percent=line.discount_percent,
            start_rule=line.start_rule,
        )
        for line, version in zip(lines, newest, strict=True)
    )
    if old.is_change:
        of_changes("revise")({line.pk: copy.pk for line, copy in zip(lines, copies, strict=True)})
    events.record("quote.drafted", quote, at=at, actor_id=owner_id, revision=quote.revision)
    return quote


def _with_defaults(line: QuoteLine, version: ProductVersion) -> dict[str, Any]:
    """What the line said, as the version asks for it; what does not fit is refused on sending."""
    said: dict[str, Any] = line.characteristics
    try:
        return check_characteristics(version.characteristics, said, field="characteristics")
    except CharacteristicInvalid:
        return said


def _write_lines(quotes: Sequence[Quote], checked: Sequence[Sequence[CheckedLine]]) -> None:
    QuoteLine.objects.bulk_create(
        QuoteLine(
            quote=quote,
            position=position,
            product_version=line.product_version,
            quantity=line.quantity,
            characteristics=line.characteristics,
            discount_percent=line.discount_percent,
            start_rule=line.start_rule,
        )
        for quote, lines in zip(quotes, checked, strict=True)
        for position, line in enumerate(lines, start=1)
    )
