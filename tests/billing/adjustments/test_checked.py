"""What the check and Postgres see: discounts that are missing, too many or of another account."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.adjustments.rules import adjusting
from billing.models import Breach, DraftAdjustment, Invoice, InvoiceAdjustment
from billing.runs.selectors import counts_of
from billing.runs.services import approve_run, cancel_run
from o2b import events
from o2b.customers.models import Account
from tests.billing.adjustments.build import a_coupon, committed, has, total
from tests.billing.worlds import AT, FEBRUARY, by_hand, drafted, finalised, in_service, parked
from tests.factories import a_product, a_user, monthly

pytestmark = pytest.mark.django_db
D = Decimal
Wrong = Callable[..., Any]


def subject() -> Account:
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10"))
    committed(account, "150.00")
    return account


def none_at_all(real: Wrong) -> Wrong:
    return lambda *told, **more: {}


def a_cent_more(real: Wrong) -> Wrong:
    def wrong(*told: Any, **more: Any) -> Any:
        found = real(*told, **more)
        return {key: each._replace(amount=each.amount - D("0.01")) for key, each in found.items()}

    return wrong


def of_another_grant(real: Wrong) -> Wrong:
    def wrong(*told: Any, **more: Any) -> Any:
        found = real(*told, **more)
        return {(k[0], k[1] + 1000, *k[2:]): each for k, each in found.items()}

    return wrong


@pytest.mark.parametrize("name", ["discounts", "true_ups"])
@pytest.mark.parametrize("fault", [none_at_all, a_cent_more, of_another_grant])
def test_what_drafting_reckons_wrong_is_parked(
    monkeypatch: pytest.MonkeyPatch, name: str, fault: Callable[[Wrong], Wrong]
) -> None:
    account = subject()
    good = in_service([a_product(charges=[monthly("7.00")])])
    monkeypatch.setattr(adjusting, name, fault(getattr(adjusting, name)))
    run = drafted(FEBRUARY)
    assert parked(run) == {account.pk: "amount"}
    assert Breach.objects.filter(account=account, field="amount").exists()
    assert counts_of(run_id=run.pk).holds
    assert not DraftAdjustment.objects.exists()
    monkeypatch.undo()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert Invoice.objects.get().account == good
    finalised(FEBRUARY)
    assert total(account) == D("180.00") + D("60.00")  # two months less 10 %, January made up


def test_a_fault_of_one_account_parks_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    account = subject()
    other = in_service([a_product(charges=[monthly("20.00")])])
    has(other, a_coupon("50"))
    real = adjusting.discounts

    def fails(coupons: Any, *told: Any) -> Any:
        if coupons[0].value == 10:
            raise ZeroDivisionError("planted")
        return real(coupons, *told)

    monkeypatch.setattr(adjusting, "discounts", fails)
    run = finalised()
    assert parked(run) == {account.pk: "error"}
    assert total(other) == D("10.00")


def test_a_cancelled_run_leaves_no_draft_of_them() -> None:
    subject()
    run = drafted()
    assert DraftAdjustment.objects.count() == 1
    cancel_run(run_id=run.pk, at=AT)
    assert not DraftAdjustment.objects.exists()
    assert not InvoiceAdjustment.objects.exists()


def test_a_discount_given_behind_the_back_is_taken_back_by_difference_and_told() -> None:
    account = subject()
    finalised()
    by_hand("UPDATE billing_invoiceadjustment SET amount = -9.00", [])
    run = finalised()
    assert parked(run) == {}
    assert [f"{x.amount:.2f}" for x in InvoiceAdjustment.objects.order_by("pk")] == [
        "-9.00",
        "-1.00",
    ]
    assert total(account) == D("89.00")


def test_accounts_without_any_pay_two_short_questions() -> None:
    in_service([a_product(charges=[monthly("100.00")])])
    with CaptureQueriesContext(connection) as plain:
        finalised()
    asked = [q["sql"] for q in plain if "coupon" in q["sql"] or "adjustment" in q["sql"].lower()]
    # To draft, to check, to copy; drafts are thrown away before and after.
    assert len([sql for sql in asked if sql.lstrip().startswith("SELECT")]) == 2
    assert len([sql for sql in asked if sql.lstrip().startswith("INSERT")]) == 1


def test_many_accounts_with_coupons_cost_as_many_questions_as_one() -> None:
    def cost(accounts: int) -> int:
        coupon = a_coupon("10")
        own = [in_service([a_product(charges=[monthly("100.00")])]) for _ in range(accounts)]
        for account in own:
            has(account, coupon)
        with CaptureQueriesContext(connection) as asked:
            drafted_run = drafted(account_ids=[each.pk for each in own])
        cancel_run(run_id=drafted_run.pk, at=AT)
        return len([q for q in asked if "coupon" in q["sql"] or "adjustment" in q["sql"]])

    assert cost(4) == cost(1)
