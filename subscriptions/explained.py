"""Terms in words: what each charge costs at a quantity, when it is billed, and why."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from o2b.catalog.models import Terms
from o2b.charging import (
    ChargeTerms,
    Interval,
    Kind,
    LineTerms,
    Proration,
    StartRule,
    Step,
    Timing,
    explain,
    from_canonical,
    price,
)
from o2b.money import Money, zero
from o2b.web.words import interval_words

# The words that charging.explain() says, for the translators.
STEPS = [
    gettext_noop("flat"),
    gettext_noop("per unit"),
    gettext_noop("included"),
    gettext_noop("tier"),
    gettext_noop("tier fee"),
    gettext_noop("step"),
    gettext_noop("package"),
    gettext_noop("percentage"),
    gettext_noop("event"),
    gettext_noop("event fees"),
    gettext_noop("free event"),
    gettext_noop("call"),
    gettext_noop("sum"),
    gettext_noop("discount"),
    gettext_noop("surcharge"),
    gettext_noop("not below zero"),
    gettext_noop("minimum"),
    gettext_noop("maximum"),
]


@dataclass(frozen=True)
class ChargeExplained:
    """One charge for people: `amount` is the exact price of a full period at the quantity."""

    name: str
    kind: str
    amount: Money
    every: str
    billed: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class TermsExplained:
    """The Terms of one line at a quantity; the totals are those of a month and of once."""

    number: str
    starts: str
    charges: list[ChargeExplained]
    monthly: Money
    once: Money


def explain_terms(terms: Terms, *, quantity: Decimal) -> TermsExplained:
    """Read frozen Terms and say what they mean for so many units."""
    promised = from_canonical(terms.body)
    return TermsExplained(
        number=str(terms),
        starts=start_words(promised.start_rule),
        charges=[_charge(each, quantity) for each in promised.charges],
        monthly=_monthly(promised, quantity),
        once=_once(promised, quantity),
    )


def start_words(rule: StartRule) -> str:
    """When billing begins."""
    words = {
        StartRule.ON_DELIVERY: _("billing starts on delivery"),
        StartRule.EACH_PART: _("billing starts with each part delivered"),
        StartRule.ON_DATE: _("billing starts on the agreed day"),
    }
    return words[rule]


def timing_words(charge: ChargeTerms) -> str:
    """'in advance, by the day'."""
    if charge.kind is Kind.ONE_TIME:
        return _("when service starts")
    when = _("in advance") if charge.timing is Timing.ADVANCE else _("in arrears")
    shared = _("by the day") if charge.proration is Proration.DAY else _("whole periods")
    return _("%(when)s, %(shared)s") % {"when": when, "shared": shared}


def _charge(charge: ChargeTerms, quantity: Decimal) -> ChargeExplained:
    return ChargeExplained(
        name=charge.key.replace("_", " ").replace("-", " "),
        kind=charge.kind.value,
        amount=Money(price(charge, quantity), charge.currency),
        every=interval_words(charge.interval),
        billed=timing_words(charge),
        steps=explain(charge, quantity),
    )


def _monthly(promised: LineTerms, quantity: Decimal) -> Money:
    """What a month costs; charges of other intervals are not spread over months."""
    monthly = [c for c in promised.charges if c.interval == Interval("month")]  # type: ignore[arg-type]
    return _sum(promised.currency, monthly, quantity)


def _once(promised: LineTerms, quantity: Decimal) -> Money:
    once = [c for c in promised.charges if c.kind is Kind.ONE_TIME]
    return _sum(promised.currency, once, quantity)


def _sum(currency: str, charges: list[ChargeTerms], quantity: Decimal) -> Money:
    amounts = (Money(price(charge, quantity), currency) for charge in charges)
    return sum(amounts, start=zero(currency)).rounded()
