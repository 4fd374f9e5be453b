"""rounding.currency, cash, allocation: what becomes of less than a minor unit."""

from dataclasses import replace
from decimal import Decimal

from o2b.charging.allocation import allocate
from o2b.charging.commitments import credits_worth
from o2b.charging.daycount import Ratio
from o2b.money import (
    Rounding,
    minor_units,
    of_minor_units,
    part_of,
    quantise,
    round_cash,
    rounded,
    sum_of,
)
from tests.cases.adapter import words
from tests.cases.adapter.selling import ONE, month_of, net, terms
from tests.cases.adapter.starting import days_of_a_period
from tests.cases.asking import Asked, Pure
from tests.cases.reading import CaseInput

PLACES = 8  # of a unit price
CUSTOM = {"custom, 4 decimals": 4}


def allocation(case: CaseInput) -> Asked:
    """A total over weights, by largest remainder."""
    case.conventions.word("method", words.LARGEST_REMAINDER, True)
    given = case.given
    currency = given.word("currency", words.CURRENCIES, words.CURRENCY)
    total, weights = given.decimal("total"), given.decimals("weights")
    return Pure(lambda: {"shares": allocate(total, weights, currency)})


def cash(case: CaseInput) -> Asked:
    """The total in coins, rounded once."""
    given = case.given
    given.word("currency", words.CURRENCIES, words.CURRENCY)
    lines, coin = given.decimals("lines"), given.decimal("round_to")
    return Pure(lambda: {"total": round_cash(sum_of(lines), coin)})


def currency(case: CaseInput) -> Asked:
    """An amount at the scale of its currency, or of a unit of one's own."""
    given = case.given
    rounding = words.conventions(case).rounding
    told = given.raw("currency") if given.has("currency") else words.CURRENCY
    if told in CUSTOM:
        amount, places = _amount(case), CUSTOM[told]
        return Pure(lambda: {"amount": rounded(amount, places, rounding)})
    code = given.word("currency", words.CURRENCIES, words.CURRENCY)
    if given.has("credits"):
        found = credits_worth(
            given.decimal("credits"), given.decimal("credit_value"), code, rounding
        )
        return Pure(lambda: found._asdict())
    if given.has("minor_units") and not given.has("amount") and not given.has("price"):
        found_amount = of_minor_units(given.integer("minor_units"), code)
        return Pure(lambda: {"amount": found_amount})
    amount = _amount(case)
    if given.has("minor_units"):
        decimals = given.integer("minor_units")
        return Pure(lambda: {"amount": rounded(amount, decimals, rounding)})
    minor = Decimal(minor_units(amount, code, rounding))
    exact = {"amount": quantise(amount, code, rounding)}
    if given.has("price") and rounding is Rounding.HALF_UP:
        asked = days_of_a_period(case)
        return replace(asked, read=lambda found: {"amount": net(found[0]), "minor_units": minor})
    if rounding is not Rounding.HALF_UP or not _can_be_a_price(amount):
        return Pure(lambda: {"minor_units": minor, **exact})
    return month_of(
        terms(unit_price=amount, currency=code),
        ONE,
        lambda lines: {"amount": net(lines), "minor_units": minor},
        exact=lambda: {"minor_units": minor, **exact},
    )


def _can_be_a_price(amount: Decimal) -> bool:
    return amount == rounded(amount, PLACES) and not amount.is_signed()


def _amount(case: CaseInput) -> Decimal:
    """An amount, or the share of a price by days."""
    given = case.given
    if given.has("price"):
        served = Ratio(given.integer("billable_days"), given.integer("period_days"))
        return part_of(given.decimal("price"), served.value)
    return given.decimal("amount")
