"""What a blown fuse or a currency that is none says, in the language of the house."""

from decimal import Decimal

from django.utils.translation import gettext as _

from billing.runs.services.parking import Parking
from o2b.money import Money
from o2b.web.show import money_text, number_text

FUSE = "fuse"


def charge_fuse(account_id: int, lines: int, most: int) -> Parking:
    """One charge gives too many lines at once."""
    text = _("One charge gives %(lines)s lines; the fuse blows at %(most)s.")
    told = {"lines": number_text(lines), "most": number_text(most)}
    return Parking(account_id, FUSE, text % told, {"fuse": "lines_a_charge", "lines": lines})


def lines_fuse(account_id: int, lines: int, most: int) -> Parking:
    """The account gets too many lines at once."""
    text = _("%(lines)s lines for the account; the fuse blows at %(most)s.")
    told = {"lines": number_text(lines), "most": number_text(most)}
    return Parking(account_id, FUSE, text % told, {"fuse": "lines", "lines": lines})


def document_fuse(account_id: int, total: Decimal, most: Decimal, currency: str) -> Parking:
    """A document is too large, either way."""
    text = _("A document of %(total)s; the fuse blows at %(most)s.")
    told = {"total": _money(total, currency), "most": _money(most, currency)}
    return Parking(account_id, FUSE, text % told, {"fuse": "amount", "total": str(total)})


def jump_fuse(
    account_id: int, before: Decimal, now: Decimal, most: Decimal, currency: str
) -> Parking:
    """The bill is too many times the last one."""
    text = _("%(now)s is %(times)s times the last bill of %(before)s; the fuse blows at %(most)s.")
    told = {
        "now": _money(now, currency),
        "before": _money(before, currency),
        "times": number_text(round(now / before, 1)),
        "most": number_text(most.normalize()),
    }
    facts = {"fuse": "jump", "before": str(before), "now": str(now)}
    return Parking(account_id, FUSE, text % told, facts)


def _money(amount: Decimal, currency: str) -> str:
    return money_text(Money(amount, currency).rounded())


def no_currency_words(what: str) -> str:
    """What is billed is in a currency that is none, or no more; `what` names it."""
    text = _("%(what)s, or not any more. Change its services to another one, then retry.")
    return text % {"what": what}
