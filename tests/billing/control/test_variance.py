"""Each account of a run beside its last bill: what is an outlier, and what it costs to know."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.control.selectors import spread_of
from billing.models import Charge, Shard, Variance
from billing.runs.services.drafting import fill_shard
from subscriptions.models import Item
from tests.billing.build import an_invoice
from tests.billing.control.worlds import (
    an_account_with,
    equation,
    more_for,
    rules,
    variances,
)
from tests.billing.worlds import AT, FEBRUARY, JANUARY, MARCH, by_hand, drafted, finalised
from tests.factories import an_account

pytestmark = pytest.mark.django_db


def ended(account: int, on: str, billed_from: str = "2026-01-01") -> None:
    """Its only service ended, as a change would have said."""
    item = Item.objects.get(account_id=account)
    by_hand(
        "UPDATE subscriptions_itemversion SET valid = daterange(%s, %s) WHERE item_id = %s",
        [billed_from, on, item.pk],
    )
    by_hand("UPDATE subscriptions_item SET revision = 2 WHERE id = %s", [item.pk])


def test_first_bills_have_nothing_to_be_compared_with() -> None:
    an_account_with("10.00")
    run = drafted()
    assert variances(run) == {}
    assert equation(run) == (1, 1, 0, 0, 1, 0)


def test_bills_are_compared_with_the_last_ones() -> None:
    same, grew, little, credit = (an_account_with(p) for p in ("100.00", "100.00", "9.00", "31.00"))
    gone = an_account_with("70.00")
    finalised()
    more_for(grew, "31.00")
    more_for(little, "31.00")
    ended(credit.pk, "2026-01-11")
    ended(gone.pk, "2026-02-01")
    new = an_account_with("55.00")

    run = drafted(FEBRUARY)

    assert variances(run) == {
        same.pk: ("100.00", "100.00", ""),
        grew.pk: ("100.00", "131.00", ""),  # 31 % more, but no more than 50
        little.pk: ("9.00", "40.00", ""),
        credit.pk: ("31.00", "-21.00", "credit"),
        gone.pk: ("70.00", "0.00", "missing"),
    }
    assert new.pk not in variances(run)
    changed = Variance.objects.filter(run=run, is_changed=True)
    assert set(changed.values_list("account_id", flat=True)) == {
        grew.pk,
        little.pk,
        credit.pk,
        gone.pk,
    }
    spread = spread_of(run_id=run.pk)
    assert spread.bands == [2, 0, 0, 1, 0, 1, 1]
    assert (spread.rules, spread.compared) == ({"credit": 1, "missing": 1}, 5)


def test_rules_are_the_legal_entitys() -> None:
    grew, fell = an_account_with("100.00"), an_account_with("100.00")
    finalised()
    more_for(grew, "20.01")
    ended(fell.pk, "2026-02-15", "2026-01-01")
    rules(outlier_percent=20, outlier_amount=20)
    run = drafted(FEBRUARY)
    assert {key: rule for key, (_, _, rule) in variances(run).items()} == {
        grew.pk: "more",
        fell.pk: "less",
    }
    rules(outlier_percent=60, marks_credits=False)
    fill_shard(run, Shard.objects.get(run=run), at=AT)
    assert {rule for _, _, rule in variances(run).values()} == {""}


def test_nothing_is_missing_of_who_is_billed_later() -> None:
    """A run a day later, or a quarter that goes on, is no account that was forgotten."""
    an_account_with("10.00")
    finalised()
    run = drafted(JANUARY)
    assert (variances(run), equation(run)) == ({}, (1, 0, 1, 0, 0, 0))


def test_who_left_long_ago_is_not_missed_again() -> None:
    account = an_account_with("10.00")
    finalised()
    ended(account.pk, "2026-02-01")
    assert variances(finalised(FEBRUARY)) == {account.pk: ("10.00", "0.00", "missing")}
    assert variances(drafted(MARCH)) == {}


def test_the_last_bill_is_all_documents_of_its_run() -> None:
    account = an_account_with("100.00")
    run = finalised()
    an_invoice("11.00", charge=Charge.objects.get(), run=run, issued_on=date(2026, 1, 31))
    found = drafted(FEBRUARY)
    assert variances(found)[account.pk][0] == "111.00"


def test_comparing_costs_the_same_few_statements_for_any_number() -> None:
    for price in ("10.00", "20.00"):
        an_account_with(price)
    finalised()
    run = drafted(FEBRUARY)
    shard = Shard.objects.get(run=run)
    fill_shard(run, shard, at=AT)
    with CaptureQueriesContext(connection) as few:
        fill_shard(run, shard, at=AT)
    for _ in range(6):
        an_account_with("30.00", name=an_account().name)
    with CaptureQueriesContext(connection) as many:
        fill_shard(run, shard, at=AT)
    said = [each["sql"] for each in many.captured_queries]
    assert sum("billing_variance" in sql for sql in said) == 2  # forget, compare
    assert len(many) == len(few)
