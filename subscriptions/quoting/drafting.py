"""Draft a quote of changes, edit the draft, and copy its changes into the next version."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.customers.models import Account
from quotes.inputs import CheckedLine, LineInput, StartInvalid, check_lines, check_start
from quotes.models import Quote, QuoteLine
from quotes.services.checking import (
    check_validity,
    checked_text,
    open_account,
    refuse_unless_draft,
)
from quotes.services.refusals import ValidityInvalid
from quotes.together import NOTHING
from subscriptions.models import QuotedChange
from subscriptions.quoting import refusals as no
from subscriptions.quoting.inputs import Action, ChangeInput, kept
from subscriptions.quoting.planning import Days, Planned, plan


@dataclass(frozen=True, slots=True)
class ChangeDraft:
    """A quote of changes as somebody wants it; `lines` are products to be added.

    It counts from `start_on`, and can be accepted until then: what is added begins on that day.
    """

    account_id: int
    valid_until: date
    start_on: date
    changes: Sequence[ChangeInput]
    lines: Sequence[LineInput] = ()
    title: str = ""


@transaction.atomic
def draft_changes(
    draft: ChangeDraft,
    *,
    owner_id: int,
    at: datetime,
    already: Collection[str] = NOTHING,
) -> Quote:
    """Write the draft down, if its lines can be offered; prices are found when it is sent."""
    account, planned, added = check_draft(draft, at=at, already=already)
    quote = Quote.objects.create(
        kind=Quote.Kind.CHANGE,
        account=account,
        owner_id=owner_id,
        currency=account.currency,
        title=checked_text(draft.title, field="title"),
        valid_until=draft.valid_until,
        start_on=draft.start_on,
    )
    _write(quote, planned, added)
    events.record("quote.drafted", quote, at=at, actor_id=owner_id, revision=quote.revision)
    return quote


@transaction.atomic
def edit_changes(
    draft: ChangeDraft, *, quote_id: int, at: datetime, already: Collection[str] = NOTHING
) -> Quote:
    """Replace what a draft of changes says; it stays with its account."""
    quote = Quote.objects.select_for_update().get(pk=quote_id)
    refuse_unless_draft(quote)
    if not quote.is_change or quote.account_id != draft.account_id:
        message = _("%(quote)s is no quote of changes of this account.")
        raise no.NotAChangeQuote(message % {"quote": quote})
    account, planned, added = check_draft(draft, at=at, already=already)
    quote.currency = account.currency
    quote.title = checked_text(draft.title, field="title")
    quote.valid_until, quote.start_on = draft.valid_until, draft.start_on
    quote.save()
    quote.lines.all().delete()
    _write(quote, planned, added)
    return quote


def check_draft(
    draft: ChangeDraft, *, at: datetime, already: Collection[str] = NOTHING
) -> tuple[Account, list[Planned], list[CheckedLine]]:
    """The account, its changes and additions, if all of it can be offered."""
    account = open_account(draft.account_id)
    check_days(account, valid_until=draft.valid_until, start_on=draft.start_on, at=at)
    if not draft.changes and not draft.lines:
        raise no.NothingQuoted(_("Choose at least one service or product."), field="changes")
    days = Days(draft.start_on, draft.valid_until, clock.day(account, at))
    planned = plan(account, draft.changes, days)
    added = check_lines(draft.lines, account=account, already=already) if draft.lines else []
    return account, planned, added


def check_days(account: Account, *, valid_until: date, start_on: date | None, at: datetime) -> None:
    """It is accepted before it begins to count, so that its first bill is the one shown."""
    check_validity(account, valid_until, at)
    if start_on is None:
        message = _("Name the day from which it counts, for example 2026-03-01.")
        raise StartInvalid(message, field="start_on")
    check_start(start_on)
    if start_on < clock.day(account, at):
        raise StartInvalid(_("An offer counts from today or a later day."), field="start_on")
    if valid_until > start_on:
        message = _("What counts from a day can be accepted until that day, not later.")
        raise ValidityInvalid(message, field="valid_until")


def copy_changes(copies: Mapping[int, int]) -> None:
    """What the lines of a quote say of services, for the lines of its next version: old → new."""
    quoted = QuotedChange.objects.filter(line__in=copies)
    QuotedChange.objects.bulk_create(
        QuotedChange(line_id=copies[each.line_id], item_id=each.item_id, asked=each.asked)
        for each in quoted
    )


def _write(quote: Quote, planned: Sequence[Planned], added: Sequence[CheckedLine]) -> None:
    lines = [_line_of(quote, position, each) for position, each in enumerate(planned, start=1)]
    lines += [
        QuoteLine(
            quote=quote,
            position=position,
            action=Action.ADD,
            product_version=line.product_version,
            quantity=line.quantity,
            characteristics=line.characteristics,
            discount_percent=line.discount_percent,
            start_rule=line.start_rule,
        )
        for position, line in enumerate(added, start=len(lines) + 1)
    ]
    written = QuoteLine.objects.bulk_create(lines)
    QuotedChange.objects.bulk_create(
        QuotedChange(line=line, item_id=each.change.item_id, asked=kept(each.change))
        for line, each in zip(written, planned, strict=False)
    )


def _line_of(quote: Quote, position: int, planned: Planned) -> QuoteLine:
    """The service as it is; what it becomes is written when the quote is sent."""
    return QuoteLine(
        quote=quote,
        position=position,
        action=planned.change.action,
        product_version_id=planned.now.product_version,
        quantity=planned.now.quantity,
        characteristics=planned.chain.characteristics_on(planned.on),
    )
