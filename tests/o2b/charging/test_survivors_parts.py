"""What mutants had to be told of the parts of a charge, of matrices and of calls."""

from datetime import datetime
from decimal import Decimal

import pytest

from o2b.charging import Allowance, Conventions, Tier, Trial, explain
from o2b.charging.models.calls import seconds_between
from o2b.charging.models.matrix import best_match, canonical_value
from o2b.charging.terms import LineTerms, TermsInvalid, canonical
from o2b.periods import Interval
from tests.o2b.charging.build import charge
from tests.o2b.charging.shapes import call_rates, usage

TWO = Decimal(2)
TIERS = (Tier(None, TWO),)
CALLS = call_rates("0@1/60+60")


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("percentage", {}),
        ("graduated_percentage", {"tiers": TIERS}),
        ("rated", {"call": CALLS}),
    ],
)
@pytest.mark.parametrize("kind", ["recurring", "one_time"])
def test_models_of_usage_price_nothing_else(model, parts, kind):
    assert usage(model=model, **parts).model == model
    with pytest.raises(TermsInvalid, match="prices usage only") as caught:
        charge(kind=kind, model=model, **parts)
    assert caught.value.field == "model"


@pytest.mark.parametrize(
    "terms",
    [
        lambda included: charge("5", model="flat", allowance=included),
        lambda included: usage(model="rated", call=CALLS, allowance=included),
        lambda included: charge("5", kind="one_time", allowance=included),
    ],
)
def test_what_includes_no_units(terms):
    with pytest.raises(TermsInvalid) as caught:
        terms(Allowance(TWO))
    assert caught.value.field == "allowance"


@pytest.mark.parametrize(
    ("part", "field"),
    [
        (lambda truth: Allowance(TWO, prorated=truth), "allowance.prorated"),
        (lambda truth: Allowance(TWO, per_unit=truth), "allowance.per_unit"),
        (lambda truth: Trial(Interval("month"), truth), "trial.moves_anchor"),
        (lambda truth: Conventions(last_day_billed=truth), "conventions.last_day_billed"),
    ],
)
@pytest.mark.parametrize("truth", ["no", 1, None])
def test_what_is_true_or_false_is_nothing_else(part, field, truth):
    with pytest.raises(TermsInvalid) as caught:
        part(truth)
    assert caught.value.field == field


def test_a_pool_of_several_periods_does_not_roll_over():
    assert Allowance(TWO, rollover=TWO, window=1).rollover == Allowance(TWO, window=2).units
    with pytest.raises(TermsInvalid) as caught:
        Allowance(TWO, rollover=TWO, window=2)
    assert caught.value.field == "allowance.rollover"


@pytest.mark.parametrize(
    ("model", "tiers", "says"),
    [("volume", (), "model volume needs tiers"), ("flat", TIERS, "model flat has no tiers")],
)
def test_which_models_have_tiers(model, tiers, says):
    with pytest.raises(TermsInvalid) as caught:
        charge(model=model, tiers=tiers)
    assert (caught.value.field, caught.value.message) == ("tiers", says)


@pytest.mark.parametrize(("quantity", "labels"), [("0", 0), ("1", 1), ("-1", 0)])
def test_included_units_are_told_where_some_are_taken(quantity, labels):
    terms = charge("5", allowance=Allowance(TWO))
    steps = explain(terms, Decimal(quantity))
    assert [step.label for step in steps].count("included") == labels


@pytest.mark.parametrize("text", ["1E+70", "1E-70", "1E+99999999", "NaN", "Infinity", "-sNaN"])
def test_what_is_too_long_or_no_number_compares_as_text(text):
    assert canonical_value(text) == text
    assert best_match([{"speed": text}], {"speed": text}) == 0


@pytest.mark.parametrize("text", ["1E+59", "1E-59"])
def test_the_longest_number_that_compares_as_one(text):
    assert canonical_value(text) == format(Decimal(text), "f")


def test_a_call_that_ends_as_it_begins_lasts_no_second():
    begins = datetime.fromisoformat("2026-01-31T12:00")
    assert seconds_between(begins, begins) == 0


def test_terms_are_written_in_the_letters_they_have():
    terms = LineTerms("größe", 1, "EUR", "on_delivery", (charge(),))
    assert '"größe"' in canonical(terms)
