"""The arithmetic of a price in the reader's words."""

from datetime import date
from decimal import Decimal

import pytest

from o2b.catalog.models import Terms
from o2b.charging import Conventions, LineTerms, RampStep, Tier, canonical
from o2b.charging.pricing.explained import LABELS
from subscriptions.explained import STEPS, explain_charge, explain_terms
from tests.o2b.charging.build import charge

STARTED = date(2026, 1, 16)
RAMP = (RampStep(Decimal(12), after_months=1), RampStep(Decimal(15), after_months=2))


def frozen(*charges):
    return Terms(body=canonical(LineTerms("line", 1, "EUR", "on_delivery", charges)))


def test_every_label_is_known_to_the_translators():
    assert set(LABELS) == set(STEPS)


@pytest.mark.parametrize(
    ("on", "price"),
    [(None, 20), ("2026-01-16", 20), ("2026-02-15", 20), ("2026-02-16", 24), ("2027-01-01", 30)],
)
def test_a_price_that_steps_is_told_as_it_stands_on_the_day(on, price):
    terms = frozen(charge("10", ramp=RAMP))
    day = date.fromisoformat(on) if on else None
    told = explain_terms(terms, quantity=Decimal(2), on=day, started_on=STARTED)
    assert (told.monthly.amount, told.charges[0].steps[-1].result) == (price, price)
    if day:
        billed = explain_charge(terms, position=1, quantity=Decimal(2), on=day, started_on=STARTED)
        assert billed.amount == told.charges[0].amount


def test_usage_is_no_part_of_a_month_and_never_beyond_its_tiers():
    """37 seats are not 37 units of usage, of which only ten have a price."""
    tiers = (Tier(Decimal(10), Decimal(5)),)
    usage = charge("0", key="usage", kind="usage", timing="arrears", model="graduated", tiers=tiers)
    told = explain_terms(frozen(charge("10"), usage), quantity=Decimal(37))
    assert [str(each.amount.amount) for each in told.charges] == ["370", "0"]
    assert told.monthly.amount == 370


def test_a_month_is_rounded_as_it_is_billed():
    """33.335 and 33.335, each rounded down, are 66.66."""
    down = {"conventions": Conventions(rounding="down")}
    told = explain_terms(
        frozen(charge("33.335", **down), charge("33.335", key="more", **down)), quantity=Decimal(1)
    )
    assert str(told.monthly.amount) == "66.66"
