"""Terms in words: what each charge costs at a quantity, when it is billed, and why."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from o2b.catalog.models import Terms
from o2b.catalog.selectors import MeterNames, granted_by
from o2b.charging import (
    ChargeTerms,
    Interval,
    Kind,
    LineTerms,
    Proration,
    Step,
    Timing,
    explain,
    from_canonical,
    price,
)
from o2b.charging.ramps import terms_on
from o2b.charging.taxing import tax_code_of
from o2b.money import Money, quantise, sum_of
from o2b.web.words import interval_words, start_words

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
    gettext_noop("further"),
    gettext_noop("sum"),
    gettext_noop("discount"),
    gettext_noop("surcharge"),
    gettext_noop("not below zero"),
    gettext_noop("minimum"),
    gettext_noop("maximum"),
]


@dataclass(frozen=True)
class ChargeExplained:
    """One charge for people: `amount` is the exact price of a full period at the quantity.

    `brings` is what it grants at the quantity, in words; empty for most.
    """

    name: str
    kind: str
    amount: Money
    every: str
    billed: str
    steps: tuple[Step, ...]
    brings: str = ""


@dataclass(frozen=True)
class TermsExplained:
    """The Terms of one line at a quantity; the totals are those of a month and of once."""

    number: str
    starts: str
    charges: list[ChargeExplained]
    monthly: Money
    once: Money


def explain_terms(
    terms: Terms,
    *,
    quantity: Decimal,
    on: date | None = None,
    started_on: date | None = None,
    meters: MeterNames | None = None,
) -> TermsExplained:
    """Read frozen Terms and say what they mean for so many units; usage as if none was.

    Where a price steps, the one in force on a day (of what started on another) is told. Who shows
    many Terms hands in one `meters`.
    """
    return explain_promise(
        from_canonical(terms.body),
        number=str(terms),
        quantity=quantity,
        on=on,
        started_on=started_on,
        meters=meters,
    )


def explain_promise(
    promised: LineTerms,
    *,
    number: str,
    quantity: Decimal,
    on: date | None = None,
    started_on: date | None = None,
    meters: MeterNames | None = None,
) -> TermsExplained:
    """The same of Terms that may not be frozen yet, as a change that is only looked at has them."""
    charges = [_in_force(each, on, started_on) for each in promised.charges]
    meters = meters or MeterNames()
    return TermsExplained(
        number=number,
        starts=start_words(promised.start_rule),
        charges=[
            _charge(each, Decimal(0) if each.kind is Kind.USAGE else quantity, meters)
            for each in charges
        ],
        monthly=_monthly(promised.currency, charges, quantity),
        once=_once(promised.currency, charges, quantity),
    )


def monthly_price(
    terms: Terms, *, quantity: Decimal, on: date, started_on: date | None = None
) -> Money:
    """What a month costs under frozen Terms on a day, without saying why."""
    promised = from_canonical(terms.body)
    charges = [_in_force(each, on, started_on) for each in promised.charges]
    return _monthly(promised.currency, charges, quantity)


def monthly_parts(
    promised: LineTerms, *, quantity: Decimal, on: date, started_on: date | None = None
) -> list[tuple[str, Decimal]]:
    """(tax code, amount) of each charge of a month, rounded as `monthly` of the Terms is."""
    charges = [_in_force(each, on, started_on) for each in promised.charges]
    return [
        (tax_code_of(each), _monthly(promised.currency, [each], quantity).amount)
        for each in charges
    ]


def explain_charge(
    terms: Terms, *, position: int, quantity: Decimal, on: date, started_on: date
) -> ChargeExplained:
    """One charge of frozen Terms (they count from 1), as billed from a day on; usage as it was."""
    promised = from_canonical(terms.body)
    charge = _in_force(promised.charges[position - 1], on, started_on)
    return _charge(charge, quantity, MeterNames())


def _in_force(charge: ChargeTerms, on: date | None, started_on: date | None) -> ChargeTerms:
    if on is None or started_on is None:
        return charge
    return terms_on(charge, on, started_on=started_on)


def timing_words(charge: ChargeTerms) -> str:
    """'in advance, by the day'."""
    if charge.kind is Kind.ONE_TIME:
        return _("when service starts")
    when = _("in advance") if charge.timing is Timing.ADVANCE else _("in arrears")
    shared = _("by the day") if charge.proration is Proration.DAY else _("whole periods")
    return _("%(when)s, %(shared)s") % {"when": when, "shared": shared}


def _charge(charge: ChargeTerms, quantity: Decimal, meters: MeterNames) -> ChargeExplained:
    return ChargeExplained(
        name=charge.key.replace("_", " ").replace("-", " "),
        kind=charge.kind.value,
        amount=Money(price(charge, quantity), charge.currency),
        every=interval_words(charge.interval),
        billed=timing_words(charge),
        steps=explain(charge, quantity),
        brings=granted_by(charge, meters, quantity=quantity),
    )


def _monthly(currency: str, charges: list[ChargeTerms], quantity: Decimal) -> Money:
    """What a month costs; charges of other intervals are not spread over months."""
    recurring = [c for c in charges if c.kind is Kind.RECURRING]
    monthly = [c for c in recurring if c.interval == Interval("month")]  # type: ignore[arg-type]
    return _sum(currency, monthly, quantity)


def _once(currency: str, charges: list[ChargeTerms], quantity: Decimal) -> Money:
    return _sum(currency, [c for c in charges if c.kind is Kind.ONE_TIME], quantity)


def _sum(currency: str, charges: list[ChargeTerms], quantity: Decimal) -> Money:
    """Each charge rounded as it is billed."""
    amounts = (
        quantise(price(charge, quantity), currency, charge.conventions.rounding)
        for charge in charges
    )
    return Money(quantise(sum_of(amounts), currency), currency)
