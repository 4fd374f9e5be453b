"""Why an account is out of a run, in words that the reader understands: its code, its facts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.money import Money
from o2b.web.show import money_text, number_text

FUSE = "fuse"
CODES: dict[str, str | Promise] = {
    "set_aside": gettext_lazy("set aside"),
    "veto": gettext_lazy("veto"),
    FUSE: gettext_lazy("fuse"),
    "error": gettext_lazy("cannot be computed"),
    "database": gettext_lazy("refused by the database"),
    "tax": gettext_lazy("tax rate missing"),
    "rate": gettext_lazy("call rate missing"),
    "exchange_rate": gettext_lazy("exchange rate missing"),
    "currency": gettext_lazy("no such currency"),
    "family": gettext_lazy("its family waits"),
    # What the promise check found; each is beside what was promised.
    "version": gettext_lazy("another version"),
    "quantity": gettext_lazy("another quantity"),
    "terms": gettext_lazy("other Terms"),
    "missing": gettext_lazy("due but not drafted"),
    "unexpected": gettext_lazy("drafted but not promised"),
    "amount": gettext_lazy("another amount"),
    "product": gettext_lazy("another product"),
}


def code_words(code: str) -> str:
    """'fuse', 'set aside'; a code without words is shown as it is, without its underscores."""
    return str(CODES.get(code) or code.replace("_", " "))


def fuse_words(facts: Mapping[str, Any]) -> str:
    """What a blown fuse says, with its figures; nothing where the facts do not hold them all."""
    say = _FUSES.get(facts.get("fuse", ""))
    return say(facts) if say and "most" in facts else ""


def _charge(facts: Mapping[str, Any]) -> str:
    text = _("One charge gives %(lines)s lines; the fuse blows at %(most)s.")
    return text % {name: number_text(facts[name]) for name in ("lines", "most")}


def _account(facts: Mapping[str, Any]) -> str:
    text = _("%(lines)s lines for the account; the fuse blows at %(most)s.")
    return text % {name: number_text(facts[name]) for name in ("lines", "most")}


def _document(facts: Mapping[str, Any]) -> str:
    text = _("A document of %(total)s; the fuse blows at %(most)s.")
    if "accounts" in facts:
        text = _(
            "A document of %(total)s for %(accounts)s accounts of a family; the fuse blows at "
            "%(most)s."
        )
    figures = {name: _money(facts, name) for name in ("total", "most")}
    return text % (figures | _accounts(facts))


def _jump(facts: Mapping[str, Any]) -> str:
    text = _("%(now)s is %(times)s times the last bill of %(before)s; the fuse blows at %(most)s.")
    if "accounts" in facts:
        text = _(
            "%(now)s for %(accounts)s accounts of a family is %(times)s times their last bills of "
            "%(before)s; the fuse blows at %(most)s."
        )
    times = Decimal(facts["now"]) / Decimal(facts["before"])
    figures = {
        "now": _money(facts, "now"),
        "before": _money(facts, "before"),
        "times": number_text(round(times, 1)),
        "most": number_text(Decimal(facts["most"])),
    }
    return text % (figures | _accounts(facts))


def _accounts(facts: Mapping[str, Any]) -> dict[str, str]:
    return {"accounts": number_text(facts["accounts"])} if "accounts" in facts else {}


def _money(facts: Mapping[str, Any], name: str) -> str:
    return money_text(Money(Decimal(facts[name]), facts["currency"]).rounded())


_FUSES = {"lines_a_charge": _charge, "lines": _account, "amount": _document, "jump": _jump}
