"""The bill of a family waits below its payer's minimum as one, and is billed as one."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from billing.documents.selectors.carried import carried_for, carried_in
from billing.models import CarriedBill, ChargeState, DraftInvoice, DraftLine, Invoice, Variance
from billing.runs.selectors import counts_of
from billing.runs.services import RunIncomplete, approve_run, ask_retry
from o2b import events
from o2b.customers.models import Account, LegalEntity
from tests.billing.adjustments.build import a_coupon, has
from tests.billing.control.test_retrying import BREAK
from tests.billing.control.worlds import equation, rules
from tests.billing.documents.build import carried
from tests.billing.families.worlds import a_family, an_account_with, documents, parts, tied
from tests.billing.test_reversal import reversed_
from tests.billing.test_tax import rounds
from tests.billing.worlds import (
    AT,
    FEBRUARY,
    JANUARY,
    MARCH,
    by_hand,
    drafted,
    finalised,
    in_service,
    parked,
)
from tests.factories import (
    a_product,
    a_tax_rate,
    a_user,
    an_account,
    an_entity,
    monthly,
    setup_fee,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal
APRIL, MAY = date(2026, 4, 30), date(2026, 5, 31)


def least(account: Account, minimum: str | None) -> Account:
    """The smallest bill of an account from now on."""
    Account.objects.filter(pk=account.pk).update(minimum_invoice=D(minimum) if minimum else None)
    return account


def carrying(run_id: int) -> tuple[int, int]:
    """(accounts carried over, accounts drafted) of a run whose equation holds."""
    counts = counts_of(run_id=run_id)
    assert counts.holds
    return counts.carried, counts.drafted


def test_a_familys_bill_waits_until_it_is_large_enough_as_that_of_one_account_does() -> None:
    payer, member = a_family("2.00", "1.00")
    alone = least(an_account_with("3.00"), "8.00")
    least(payer, "8.00")
    for month in (JANUARY, FEBRUARY):
        assert carrying(finalised(month).pk) == (3, 0)
    assert (documents(payer), documents(alone)) == ([], [])
    assert set(ChargeState.objects.values_list("billed_through", flat=True)) == {None}
    assert carrying(finalised(MARCH).pk) == (0, 3)
    assert documents(payer) == documents(alone) == [("9.00", "0.00", "9.00")]
    assert parts(payer) == [(payer.pk, "6.00", "0.00"), (member.pk, "3.00", "0.00")]
    assert carried(payer) == [("2.00", "2026-01-01"), ("4.00", "2026-01-01")]
    assert carried(member) == [("1.00", "2026-01-01"), ("2.00", "2026-01-01")]


def test_the_sum_counts_though_each_account_is_below() -> None:
    payer, _member = a_family("6.00", "5.00")
    least(payer, "10.00")
    finalised()
    assert documents(payer) == [("11.00", "0.00", "11.00")]


def test_the_minimum_is_the_payers_and_no_members() -> None:
    payer, member = a_family("2.00", "1.00")
    least(member, "50.00")
    finalised()
    assert documents(payer) == [("3.00", "0.00", "3.00")]
    least(payer, "0")
    LegalEntity.objects.filter(pk=an_entity().pk).update(
        conventions={"minimum_invoice": "50.00", "carry_months": 1}
    )
    finalised(FEBRUARY)
    assert documents(payer)[1:] == [("3.00", "0.00", "3.00")]
    least(payer, None)
    assert carrying(finalised(MARCH).pk) == (2, 0)
    assert carrying(finalised(APRIL).pk) == (0, 2)
    assert documents(payer)[2:] == [("6.00", "0.00", "6.00")]


def test_it_waits_three_months_from_its_oldest_part_and_then_anew() -> None:
    payer, _member = a_family("2.00", "1.00")
    least(payer, "100.00")
    for month in (JANUARY, FEBRUARY, MARCH):
        finalised(month)
    assert documents(payer) == []
    finalised(APRIL)
    assert documents(payer) == [("12.00", "0.00", "12.00")]
    finalised(MAY)
    assert len(documents(payer)) == 1


def test_a_member_who_leaves_takes_what_waits_of_it_along() -> None:
    payer, member = a_family("2.00", "1.00")
    least(payer, "100.00")
    finalised(JANUARY)
    tied(member, None)
    finalised(FEBRUARY)
    assert (documents(payer), documents(member)) == ([], [("2.00", "0.00", "2.00")])
    assert carried_for(account_id=member.pk) is None
    tied(member, payer)
    finalised(MARCH)
    assert documents(payer) == []
    assert carried(payer)[-1] == ("6.00", "2026-01-01")
    assert carried(member)[-1] == ("1.00", "2026-03-01")


def test_what_was_billed_on_the_familys_document_waits_no_more() -> None:
    payer, member = a_family("2.00", "1.00")
    least(payer, "5.00")
    finalised(JANUARY)
    finalised(FEBRUARY)
    assert documents(payer) == [("6.00", "0.00", "6.00")]
    tied(member, None)
    least(member, "100.00")
    finalised(MARCH)
    assert documents(member) == []
    assert carried(member)[-1] == ("1.00", "2026-03-01")


def test_a_payer_of_whom_nothing_is_due_has_the_minimum_all_the_same() -> None:
    payer = least(an_account(), "10.00")
    member = tied(an_account_with("4.00"), payer)
    other = tied(an_account_with("5.00"), payer)
    assert carrying(finalised(JANUARY).pk) == (2, 0)
    waits = carried_for(account_id=payer.pk)
    assert waits is not None
    assert (waits.total, waits.payer, str(waits.since)) == (D(9), None, "2026-01-01")
    finalised(FEBRUARY)
    assert documents(payer) == [("18.00", "0.00", "18.00")]
    assert parts(payer) == [(member.pk, "8.00", "0.00"), (other.pk, "10.00", "0.00")]
    assert carried_for(account_id=payer.pk) is None


def test_a_credit_of_one_is_in_the_sum_and_a_sum_below_zero_never_waits() -> None:
    payer = least(an_account_with("2.00"), "10.00")
    refund = in_service([a_product(charges=[setup_fee("-1.50"), monthly("0.50")])])
    tied(refund, payer)
    assert carrying(finalised(JANUARY).pk) == (2, 0)
    assert carried(refund) == [("-1.00", "2026-01-01")]
    tied(in_service([a_product(charges=[setup_fee("-9.00"), monthly("0.50")])]), payer)
    assert carrying(finalised(FEBRUARY).pk) == (0, 3)
    assert documents(payer) == [("-4.50", "0.00", "-4.50")]


def test_it_goes_on_with_any_of_the_family_and_ends_with_the_last() -> None:
    payer = least(in_service([a_product(charges=[setup_fee("3.00")])]), "10.00")
    member = tied(an_account_with("1.00"), payer)
    assert carrying(finalised(JANUARY).pk) == (2, 0)
    tied(member, None)
    finalised(FEBRUARY)
    assert documents(payer) == [("3.00", "0.00", "3.00")]


def test_a_bill_on_demand_bills_the_family_at_once() -> None:
    payer, member = a_family("2.00", "1.00")
    least(payer, "10.00")
    finalised(JANUARY)
    finalised(JANUARY, account_ids=[payer.pk])
    assert documents(payer) == [("3.00", "0.00", "3.00")]
    assert carried_for(account_id=member.pk) is None


def test_tax_counts_as_it_is_rounded_for_the_whole_document() -> None:
    rounds("invoice")
    a_tax_rate("19")
    payer, _member, _other = a_family("0.02", "0.02", "0.02")  # 0.01 of tax on 0.06
    least(payer, "0.08")
    finalised(JANUARY)
    assert documents(payer) == []
    (whole,) = set(CarriedBill.objects.values_list("whole", flat=True))
    assert whole == D("0.07")
    least(payer, "0.07")
    finalised(JANUARY)
    assert documents(payer) == [("0.06", "0.01", "0.07")]


def test_a_discount_of_a_member_waits_with_the_bill() -> None:
    payer, member = a_family("2.00", "8.00")
    least(payer, "7.00")
    has(member, a_coupon("50", periods=1))
    finalised(JANUARY)
    assert documents(payer) == []
    finalised(FEBRUARY)
    assert documents(payer) == [("16.00", "0.00", "16.00")]


def test_a_bill_that_waited_is_taken_back_whole_and_waits_again() -> None:
    payer, member = a_family("2.00", "1.00")
    least(payer, "5.00")
    finalised(JANUARY)
    finalised(FEBRUARY)
    reversed_(Invoice.objects.get())
    assert parts(payer)[2:] == [(payer.pk, "-4.00", "0.00"), (member.pk, "-2.00", "0.00")]
    least(payer, "7.00")
    finalised(FEBRUARY)
    assert len(documents(payer)) == 2
    finalised(MARCH)
    assert documents(payer)[2:] == [("9.00", "0.00", "9.00")]


def test_a_family_of_which_one_is_parked_does_not_wait_but_is_parked() -> None:
    payer, member, broken = a_family("2.00", "1.00", "1.00")
    least(payer, "10.00")
    by_hand(BREAK, ["usage", broken.pk])
    run = drafted()
    assert set(parked(run)) == {payer.pk, member.pk, broken.pk}
    assert not CarriedBill.objects.exists()
    by_hand(BREAK, ["recurring", broken.pk])
    assert ask_retry(run_id=run.pk, account_ids=[broken.pk], at=AT) == 3
    events.drain()
    assert (carrying(run.pk), parked(run)) == ((3, 0), {})
    assert not DraftInvoice.objects.exists()
    assert not DraftLine.objects.filter(invoice_id__isnull=False).exists()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert documents(payer) == []


def test_a_retry_of_a_member_asks_for_the_minimum_of_a_payer_beside_it() -> None:
    payer = least(an_account(), "10.00")
    broken = tied(an_account_with("4.00"), payer)
    by_hand(BREAK, ["usage", broken.pk])
    run = drafted()
    by_hand(BREAK, ["recurring", broken.pk])
    ask_retry(run_id=run.pk, account_ids=[broken.pk], at=AT)
    events.drain()
    assert carrying(run.pk) == (1, 0)


def test_a_large_sum_blows_its_fuse_though_it_would_wait() -> None:
    payer, member = a_family("60.00", "60.00")
    least(payer, "500.00")
    rules(most_amount=D(100))
    run = drafted()
    assert parked(run) == {payer.pk: "fuse", member.pk: "family"}
    assert equation(run) == (2, 0, 0, 2, 0, 0)


def test_nothing_of_a_bill_that_waits_is_compared() -> None:
    payer, _member = a_family("20.00", "10.00")
    finalised(JANUARY)
    least(payer, "500.00")
    drafted(FEBRUARY)
    assert not Variance.objects.exists()


def test_approval_refuses_a_part_of_a_family_that_waits() -> None:
    payer, _member = a_family("2.00", "1.00")
    least(payer, "10.00")
    run = drafted()
    by_hand("UPDATE billing_carriedbill SET whole = whole + 1", [], rows=2)
    with pytest.raises(RunIncomplete):
        approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    by_hand("UPDATE billing_carriedbill SET whole = whole - 1", [], rows=2)
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)


def test_postgres_takes_no_whole_that_is_not_below_the_minimum() -> None:
    payer, _member = a_family("2.00", "1.00")
    least(payer, "10.00")
    finalised()
    for wrong in ({"whole": D(10)}, {"whole": D(-1)}, {"whole": None}, {"total": D(7)}):
        with pytest.raises(IntegrityError, match="below_its_minimum"), transaction.atomic():
            CarriedBill.objects.update(**wrong)


def test_pages_tell_the_whole_to_the_payer_and_its_part_to_a_member(client: Client) -> None:
    payer, member = a_family("2.00", "1.00")
    least(payer, "10.00")
    run = finalised(JANUARY)
    assert carried_in(run_id=run.pk) == [("EUR", 1, D(3))]
    client.force_login(a_user("finance"))
    page = client.get(run.get_absolute_url()).content.decode()
    assert "2 carried over" in page
    assert "1 bill is below its minimum and waits for the next run: €3.00" in page
    said = {
        pk: client.get(reverse("billing:of-account", args=[pk])).content.decode()
        for pk in (payer.pk, member.pk)
    }
    assert "€3.00 waits since 1 Jan 2026: bills below €10.00" in said[payer.pk]
    assert "Bill now bills it at once" in said[payer.pk]
    assert f"€1.00 waits since 1 Jan 2026 with the bill of {payer.name}" in said[member.pk]
    assert "Bill now" not in said[member.pk]
