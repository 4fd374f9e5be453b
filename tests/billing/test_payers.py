"""Payers that share a line: each is billed its part, to the cent, whatever changes when."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Charge, ChargeShare, Invoice, InvoiceLine
from billing.payers.services import end_payers
from billing.runs.selectors import counts_of
from billing.runs.services import approve_run
from o2b import events
from tests.billing.payers import AT, agreed, billed
from tests.billing.worlds import (
    FEBRUARY,
    JANUARY,
    MARCH,
    bills,
    by_hand,
    drafted,
    finalised,
    in_service,
    parked,
)
from tests.factories import a_product, a_tax_rate, a_user, an_account, monthly

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def test_each_payer_gets_a_document_of_its_own_part():
    a_tax_rate("19")
    sponsor = an_account(tax_exempt=True)
    customer = in_service([a_product(charges=[monthly("99.99")])])
    agreed(customer, (sponsor, "60"))
    run = finalised(JANUARY)
    assert parked(run) == {}
    assert bills(sponsor) == [("2026-01-01", "2026-02-01", "59.99")]
    assert bills(customer) == [("2026-01-01", "2026-02-01", "40.00")]
    told = Invoice.objects.values_list("account", "net", "tax").order_by("account")
    assert set(told) == {
        (sponsor.pk, Decimal("59.99"), Decimal(0)),
        (customer.pk, Decimal("40.00"), Decimal("7.60")),
    }
    assert counts_of(run_id=run.pk).holds


def test_a_backdated_agreement_gives_one_net_correction_a_payer():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    finalised(JANUARY)
    agreed(customer, (sponsor, "60"))
    finalised(FEBRUARY)
    assert bills(customer) == [
        ("2026-01-01", "2026-02-01", "100.00"),
        ("2026-01-01", "2026-02-01", "-60.00"),
        ("2026-02-01", "2026-03-01", "40.00"),
    ]
    assert bills(sponsor) == [
        ("2026-01-01", "2026-02-01", "60.00"),
        ("2026-02-01", "2026-03-01", "60.00"),
    ]


def test_the_day_on_which_a_period_starts_decides():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreement = agreed(customer, (sponsor, "60"), starts_on=date(2026, 1, 2))
    finalised(FEBRUARY)
    assert bills(customer)[0] == ("2026-01-01", "2026-02-01", "100.00")
    assert bills(sponsor) == [("2026-02-01", "2026-03-01", "60.00")]
    end_payers(
        agreement_id=agreement.pk,
        ends_on=date(2026, 2, 1),
        reason="it was stopped",
        user_id=a_user().pk,
        at=AT,
    )
    finalised(MARCH)
    assert billed(sponsor) == 0
    assert billed(customer) == 300


def test_several_payers_are_counted_one_after_the_other():
    first, second, third = an_account(), an_account(), an_account()
    customer = in_service([a_product(charges=[monthly("0.05")])])
    agreed(customer, (first, "33.333333"), (second, "33.333333"), (third, "33.333334"))
    finalised(JANUARY)
    parts = [billed(each) for each in (first, second, third)]
    assert parts == [Decimal("0.02"), Decimal("0.01"), Decimal("0.02")]
    assert bills(customer) == []


def test_an_agreement_of_a_draft_run_is_drafted_again():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    run = drafted(JANUARY)
    agreed(customer, (sponsor, "60"))
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert billed(customer) == 40
    assert billed(customer) + billed(sponsor) in (40, 100)
    finalised(JANUARY)
    assert (billed(customer), billed(sponsor)) == (40, 60)


def test_an_agreement_between_approval_and_the_end_waits_for_the_next_run():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    run = drafted(JANUARY)
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    agreed(customer, (sponsor, "60"))
    events.drain()
    assert billed(customer) == 100
    finalised(JANUARY)
    assert (billed(customer), billed(sponsor)) == (40, 60)


@pytest.mark.parametrize("whose", ["sponsor", "customer"])
def test_a_part_touched_in_sql_is_parked(whose):
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreed(customer, (sponsor, "60"))
    payer = {"sponsor": sponsor, "customer": customer}[whose]
    charge = Charge.objects.get(account=payer)
    by_hand(
        "UPDATE billing_chargeshare SET parts = '0:0,2026-01-01=0:70' WHERE charge_id = %s",
        [charge.pk],
    )
    assert parked(finalised(JANUARY)) == {payer.pk: "amount"}
    assert not InvoiceLine.objects.filter(account_id=payer.pk).exists()


def test_a_share_of_an_agreement_touched_in_sql_parks_all_who_pay():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreed(customer, (sponsor, "60"))
    by_hand("UPDATE billing_payershare SET percent = 61", [])
    assert parked(finalised(JANUARY)) == {customer.pk: "amount", sponsor.pk: "amount"}


def test_a_payers_charge_that_is_gone_is_found():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreed(customer, (sponsor, "60"))
    charge = Charge.objects.get(account=sponsor)
    by_hand("DELETE FROM billing_chargeshare WHERE charge_id = %s", [charge.pk])
    by_hand("DELETE FROM billing_chargestate WHERE charge_id = %s", [charge.pk])
    by_hand("DELETE FROM billing_charge WHERE id = %s", [charge.pk])
    run = finalised(JANUARY)
    assert parked(run) == {sponsor.pk: "missing"}
    assert counts_of(run_id=run.pk).holds


def test_parts_that_nobody_told_are_found():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreed(customer, (sponsor, "60"))
    by_hand("DELETE FROM billing_chargeshare", [], rows=2)
    assert parked(finalised(JANUARY)) == {customer.pk: "amount", sponsor.pk: "amount"}
    assert not ChargeShare.objects.exists()


def test_services_that_come_later_are_shared():
    sponsor, customer = an_account(), an_account()
    agreed(customer, (sponsor, "60"))
    in_service(
        [a_product(charges=[monthly("100.00"), monthly("10.00", key="more")])], account=customer
    )
    finalised(JANUARY)
    assert (billed(customer), billed(sponsor)) == (44, 66)
