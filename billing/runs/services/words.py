"""What a blown fuse stores (figures, and plain English), and what an unknown currency says."""

from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from billing.models.parkedwords import FUSE, fuse_words
from billing.runs.services.parking import Parking


def charge_fuse(account_id: int, lines: int, most: int) -> Parking:
    """One charge gives too many lines at once."""
    return _blown(account_id, {"fuse": "lines_a_charge", "lines": lines, "most": most})


def lines_fuse(account_id: int, lines: int, most: int) -> Parking:
    """The account gets too many lines at once."""
    return _blown(account_id, {"fuse": "lines", "lines": lines, "most": most})


def document_fuse(
    account_id: int, total: Decimal, most: Decimal, currency: str, *, accounts: int = 1
) -> Parking:
    """A document is too large, either way; that of a family is of several `accounts`."""
    facts = {"fuse": "amount", "total": str(total), "most": str(most), "currency": currency}
    return _blown(account_id, facts | _several(accounts))


def jump_fuse(
    account_id: int,
    before: Decimal,
    now: Decimal,
    most: Decimal,
    currency: str,
    *,
    accounts: int = 1,
) -> Parking:
    """The bill is too many times the last one; that of a family is of several `accounts`."""
    told = {"before": str(before), "now": str(now), "most": str(most), "currency": currency}
    return _blown(account_id, {"fuse": "jump"} | told | _several(accounts))


def _several(accounts: int) -> dict[str, Any]:
    return {"accounts": accounts} if accounts > 1 else {}


def _blown(account_id: int, facts: dict[str, Any]) -> Parking:
    # The worker's language is nobody's: readers get the facts in theirs, the column is searched.
    with translation.override(None):
        return Parking(account_id, FUSE, fuse_words(facts), facts)


def no_currency_words(what: str) -> str:
    """What is billed is in a currency that is none, or no more; `what` names it."""
    text = _("%(what)s, or not any more. Change its services to another one, then retry.")
    return text % {"what": what}
