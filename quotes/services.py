"""What one may do with a quote: draft, edit, send, revise, accept, decline, withdraw, expire."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events, fsm
from o2b.catalog.services import freeze_terms
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from quotes import selectors
from quotes.inputs import (
    CheckedLine,
    LineInput,
    NoLines,
    check_lines,
    refuse_unless_on_sale,
    versions_on_sale,
)
from quotes.models import Quote, QuoteLine

BATCH = 1000
VALID_DAYS = timedelta(days=30)
LONGEST_NAME = 200


class QuoteNotDraft(Refused):
    code = "quote_not_draft"


class QuoteNotOpen(Refused):
    code = "quote_not_open"


class QuoteExpired(Refused):
    code = "quote_expired"


class AccountClosed(Refused):
    code = "account_closed"


class CurrencyChanged(Refused):
    code = "currency_changed"


class ValidityInvalid(Invalid):
    code = "validity_invalid"


class StartInvalid(Invalid):
    code = "start_invalid"


class TextInvalid(Invalid):
    code = "text_invalid"


@transaction.atomic
def draft_quote(
    *,
    account_id: int,
    owner_id: int,
    valid_until: date,
    lines: Sequence[LineInput],
    at: datetime,
    title: str = "",
    start_on: date | None = None,
) -> Quote:
    """Write down what an account may be offered; prices are found when it is sent."""
    account = _open_account(account_id)
    _check_validity(account, valid_until, at)
    _check_start(start_on)
    checked = check_lines(lines)
    quote = Quote.objects.create(
        account=account,
        owner_id=owner_id,
        currency=account.currency,
        title=_checked_text(title, field="title"),
        valid_until=valid_until,
        start_on=start_on,
    )
    _write_lines(quote, checked)
    events.record("quote.drafted", quote, at=at, actor_id=owner_id, revision=quote.revision)
    return quote


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
) -> Quote:
    """Replace what a draft says; a new version stays with its account."""
    quote = Quote.objects.select_for_update().get(pk=quote_id)
    _refuse_unless_draft(quote)
    if quote.supersedes_id and account_id != quote.account_id:
        message = _("A new version is for the same account as the one before.")
        raise Invalid(message, field="account")
    account = _open_account(account_id)
    _check_validity(account, valid_until, at)
    _check_start(start_on)
    checked = check_lines(lines)
    quote.account, quote.currency = account, account.currency
    quote.title = _checked_text(title, field="title")
    quote.valid_until, quote.start_on = valid_until, start_on
    quote.save()
    quote.lines.all().delete()
    _write_lines(quote, checked)
    return quote


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
        _refuse_unless_draft(quote)
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


@transaction.atomic
def revise_quote(*, quote_id: int, owner_id: int, at: datetime) -> Quote:
    """Begin the next version as a draft with the same wishes; the one before is open no more."""
    old = Quote.objects.select_for_update(of=("self",)).select_related("account").get(pk=quote_id)
    _open_account(old.account_id)
    fsm.apply(old, "supersede", at=at, refusal=QuoteNotOpen, actor_id=owner_id)
    today = clock.day(old.account, at)
    quote = Quote.objects.create(
        account=old.account,
        owner_id=owner_id,
        revision=old.revision + 1,
        supersedes=old,
        currency=old.account.currency,
        title=old.title,
        valid_until=max(old.valid_until, today + VALID_DAYS),
        start_on=old.start_on,
    )
    lines = list(old.lines.select_related("product_version__product").order_by("position"))
    on_sale = versions_on_sale(line.product_version.product.code for line in lines)
    QuoteLine.objects.bulk_create(
        QuoteLine(
            quote=quote,
            position=line.position,
            product_version=on_sale[line.product_version.product.code],
            quantity=line.quantity,
            characteristics=line.characteristics,
            discount_percent=line.discount_percent,
        )
        for line in lines
    )
    events.record("quote.drafted", quote, at=at, actor_id=owner_id, revision=quote.revision)
    return quote


@transaction.atomic
def accept_quote(*, quote_id: int, by: str, at: datetime, actor_id: int | None = None) -> Quote:
    """Take the offer as it stands; called by placing the order and by nothing else."""
    name = _checked_text(by, field="by")
    if not name:
        raise TextInvalid(_("Who accepts? Please give a name."), field="by")
    quote = _locked(quote_id)
    _refuse_expired(quote, at)
    fsm.apply(
        quote,
        "accept",
        at=at,
        refusal=QuoteNotOpen,
        actor_id=actor_id,
        facts={"by": name},
        by=name,
    )
    return quote


@transaction.atomic
def decline_quote(
    *, quote_id: int, reason: str, at: datetime, by: str = "", actor_id: int | None = None
) -> Quote:
    """Note that the customer does not want it, and why, if they say so."""
    why = _checked_text(reason, field="reason", longest=2000)
    name = _checked_text(by, field="by")
    quote = _locked(quote_id)
    fsm.apply(
        quote,
        "decline",
        at=at,
        refusal=QuoteNotOpen,
        actor_id=actor_id,
        facts={"by": name, "reason": why},
        reason=why,
    )
    return quote


@transaction.atomic
def withdraw_quote(*, quote_id: int, at: datetime, actor_id: int | None = None) -> Quote:
    """Take back an offer, or give up a draft."""
    quote = _locked(quote_id)
    fsm.apply(quote, "withdraw", at=at, refusal=QuoteNotOpen, actor_id=actor_id)
    return quote


def expire_quotes(*, at: datetime) -> int:
    """Close every sent quote whose last day is over where its account lives; say how many."""
    due: dict[datetime, list[int]] = defaultdict(list)
    for pk, moment in selectors.past_validity(at=at).values_list("pk", "moment"):
        due[moment].append(pk)
    return sum(
        len(fsm.move(Quote.objects.filter(pk__in=keys[i : i + BATCH]), "expire", at=moment))
        for moment, keys in due.items()
        for i in range(0, len(keys), BATCH)
    )


def _locked(quote_id: int) -> Quote:
    locked = Quote.objects.select_for_update(of=("self",))
    return locked.select_related("account__test_clock").get(pk=quote_id)


def _open_account(account_id: int) -> Account:
    account = Account.objects.select_related("customer", "test_clock").get(pk=account_id)
    if not account.is_open:
        message = _("The account %(account)s is closed.") % {"account": account}
        raise AccountClosed(message, field="account")
    return account


def _check_validity(account: Account, valid_until: date, at: datetime) -> None:
    if valid_until.year > 2190:
        raise ValidityInvalid(_("No offer is open for so long."), field="valid_until")
    if valid_until < clock.day(account, at):
        message = _("The last day of the offer is already over.")
        raise ValidityInvalid(message, field="valid_until")


def _check_start(start_on: date | None) -> None:
    # Beyond these years calendars end, and so would the periods of a bill.
    if start_on and not 1990 <= start_on.year <= 2190:
        raise StartInvalid(_("No service starts on such a day."), field="start_on")


def _refuse_unless_draft(quote: Quote) -> None:
    if not quote.is_draft:
        message = _("%(quote)s is %(state)s; only a draft can be changed or sent.")
        shown = {"quote": quote, "state": quote.get_state_display()}  # type: ignore[attr-defined]
        raise QuoteNotDraft(message % shown)


def _refuse_expired(quote: Quote, at: datetime) -> None:
    over = not quote.may_be_accepted_on(clock.day(quote.account, at))
    if quote.state == Quote.State.EXPIRED or (quote.state == Quote.State.SENT and over):
        message = _("%(quote)s was valid until %(day)s.")
        raise QuoteExpired(message % {"quote": quote, "day": quote.valid_until})


def _sendable_lines(quote: Quote, at: datetime) -> list[QuoteLine]:
    """The lines, if they can still be promised: time has passed since they were drafted."""
    account = quote.account
    if not account.is_open:
        message = _("The account %(account)s is closed.") % {"account": account}
        raise AccountClosed(message, field="account")
    if quote.currency != account.currency:
        message = _("The account is billed in %(currency)s now; edit the quote first.")
        raise CurrencyChanged(message % {"currency": account.currency}, field="account")
    _check_validity(account, quote.valid_until, at)
    lines = list(quote.lines.select_related("product_version__product").order_by("position"))
    if not lines:
        raise NoLines(_("At least one line is needed."), field="lines")
    for i, line in enumerate(lines):
        refuse_unless_on_sale(line.product_version, field=f"lines[{i}].product")
    return lines


def _write_lines(quote: Quote, lines: Sequence[CheckedLine]) -> None:
    QuoteLine.objects.bulk_create(
        QuoteLine(
            quote=quote,
            position=position,
            product_version=line.product_version,
            quantity=line.quantity,
            characteristics=line.characteristics,
            discount_percent=line.discount_percent,
        )
        for position, line in enumerate(lines, start=1)
    )


def _checked_text(text: str, *, field: str, longest: int = LONGEST_NAME) -> str:
    """The text without outer blanks; refuses what Postgres could not store."""
    clean = text.strip()
    if len(clean) > longest or "\0" in clean:
        message = _("A text of up to %(longest)s characters.") % {"longest": longest}
        raise TextInvalid(message, field=field)
    return clean
