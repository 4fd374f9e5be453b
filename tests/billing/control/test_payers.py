"""Payers of one line are controlled each for himself: set aside, parked, retried."""

from datetime import date
from decimal import Decimal

import pytest

from billing.control.selectors import first_bills_for_list
from billing.models import Shard
from billing.runs.services import ask_retry, set_aside
from o2b import events
from tests.billing.control.test_retrying import BREAK
from tests.billing.control.worlds import an_account_with, approved, equation, net_of, variances
from tests.billing.payers import agreed, billed
from tests.billing.worlds import AT, FEBRUARY, by_hand, drafted, finalised, parked
from tests.factories import a_user, an_account

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def test_a_payer_set_aside_pays_his_part_with_the_next_run() -> None:
    programme, customer = an_account(), an_account_with("99.99")
    agreed(customer, (programme, "60"))
    run, by = drafted(), a_user("finance").pk
    set_aside(run_id=run.pk, account_ids=[programme.pk], reason="Ask them.", by=by, at=AT)
    assert (equation(run), net_of(run)) == ((2, 2, 0, 0, 1, 1), Decimal("40.00"))
    approved(run)
    assert (billed(customer), billed(programme)) == (Decimal("40.00"), 0)
    finalised(FEBRUARY)
    assert (billed(customer), billed(programme)) == (Decimal("80.00"), Decimal("119.98"))


def test_payers_that_were_parked_for_one_promise_come_back_one_by_one() -> None:
    programme, customer = an_account(), an_account_with("99.99")
    agreed(customer, (programme, "60"))
    by_hand(BREAK, ["usage", customer.pk])
    run = drafted()
    assert parked(run).keys() == {programme.pk, customer.pk}
    assert equation(run) == (2, 0, 0, 2, 0, 0)
    by_hand(BREAK, ["recurring", customer.pk])
    for back, counts in ((programme, (2, 1, 0, 1, 1, 0)), (customer, (2, 2, 0, 0, 2, 0))):
        ask_retry(run_id=run.pk, account_ids=[back.pk], at=AT)
        events.drain()
        assert equation(run) == counts
        shard = Shard.objects.get()
        assert (shard.promises, shard.promises_kept) == (1, 1)
    approved(run)
    assert (billed(customer), billed(programme)) == (Decimal("40.00"), Decimal("59.99"))


def test_a_payer_is_compared_with_what_he_paid_before() -> None:
    programme, customer = an_account(), an_account_with("100.00")
    finalised()
    agreed(customer, (programme, "60"), starts_on=date(2026, 2, 1))
    run = drafted(FEBRUARY)
    assert variances(run) == {customer.pk: ("100.00", "40.00", "less")}  # the other has no bill yet
    assert [each.account_id for each in first_bills_for_list(run_id=run.pk)] == [programme.pk]
