"""What drafting, sending and closing all ask first."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.translation import gettext as _

from o2b import clock
from o2b.customers.models import Account
from quotes.inputs import LAST_YEAR
from quotes.models import Quote
from quotes.services.refusals import (
    AccountClosed,
    QuoteNotDraft,
    TextInvalid,
    ValidityInvalid,
)

LONGEST_NAME = 200


def open_account(account_id: int) -> Account:
    """The account, if one may sell to it."""
    account = Account.objects.select_related("customer", "test_clock").get(pk=account_id)
    refuse_closed(account)
    return account


def open_accounts(account_ids: Iterable[int]) -> dict[int, Account]:
    """The accounts, if one may sell to all of them."""
    asked = set(account_ids)
    found = Account.objects.select_related("customer", "test_clock").in_bulk(asked)
    if missing := asked - found.keys():
        raise Account.DoesNotExist(f"there is no account {min(missing)}")
    for account in found.values():
        refuse_closed(account)
    return found


def refuse_closed(account: Account) -> None:
    """Nothing is sold to a closed account."""
    if not account.is_open:
        message = _("The account %(account)s is closed.") % {"account": account}
        raise AccountClosed(message, field="account")


def check_validity(account: Account, valid_until: date, at: datetime) -> None:
    """Refuse an offer whose last day is over where the account lives."""
    if valid_until.year > LAST_YEAR:
        raise ValidityInvalid(_("No offer is open for so long."), field="valid_until")
    if valid_until < clock.day(account, at):
        message = _("The last day of the offer is already over.")
        raise ValidityInvalid(message, field="valid_until")


def refuse_unless_draft(quote: Quote) -> None:
    """What was offered stays as it was offered."""
    if not quote.is_draft:
        message = _("%(quote)s is %(state)s; only a draft can be changed or sent.")
        shown = {"quote": quote, "state": quote.get_state_display()}
        raise QuoteNotDraft(message % shown)


def checked_text(text: str, *, field: str, longest: int = LONGEST_NAME) -> str:
    """The text without outer blanks; refuses what Postgres could not store."""
    clean = text.strip()
    if len(clean) > longest or "\0" in clean:
        message = _("A text of up to %(longest)s characters.") % {"longest": longest}
        raise TextInvalid(message, field=field)
    return clean
