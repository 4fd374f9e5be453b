"""Payers that share a line: each is billed its part, to the cent, whatever changes when."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.charges.selectors import billed_of
from billing.models import (
    Charge,
    ChargeShare,
    Invoice,
    InvoiceLine,
    PayerAgreement,
    Shard,
)
from billing.payers.services import (
    OwnAgreement,
    PayersInvalid,
    PayersNotOpen,
    PayersOverlap,
    approve_payers,
    refuse_payers,
    withdraw_payers,
)
from billing.runs.selectors import counts_of
from billing.runs.services import approve_run
from billing.runs.services.drafting import fill_shard
from o2b import events
from o2b.fsm import law
from o2b.models import Event
from subscriptions.models import Item
from tests.billing.payers import AT, START, agreed, asked_for, billed, ended
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
from tests.factories import a_product, a_tax_rate, a_user, an_account, an_entity, monthly

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
    ended(agreement, date(2026, 2, 1))
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


def test_what_follows_ends_what_went_on():
    first, second = an_account(), an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    before = agreed(customer, (first, "60"))
    agreed(customer, (second, "10"), starts_on=date(2026, 2, 1))
    before.refresh_from_db()
    assert before.ends_on == date(2026, 2, 1)
    finalised(FEBRUARY)
    assert [billed(each) for each in (customer, first, second)] == [130, 60, 10]


def test_a_service_may_have_payers_of_its_own():
    house, own = an_account(), an_account()
    customer = in_service(
        [a_product(charges=[monthly("100.00")]), a_product(charges=[monthly("10.00")])]
    )
    item = Item.objects.filter(account=customer).order_by("pk")[1]
    agreed(customer, (house, "60"))
    agreed(customer, (own, "50"), service=item)
    finalised(JANUARY)
    assert [billed(each) for each in (customer, house, own)] == [45, 60, 5]


def test_money_for_the_own_wallet_is_not_shared():
    grant = {"grant": {"units": "1"}}
    top_up = monthly("20.00", key="money", kind="one_time", interval_unit="", details=grant)
    sponsor, customer = an_account(), an_account()
    agreed(customer, (sponsor, "60"))
    in_service([a_product(charges=[top_up])], account=customer)
    run = finalised(JANUARY)
    assert parked(run) == {}
    assert [billed(each) for each in (customer, sponsor)] == [20, 0]


def test_a_promise_that_is_broken_bills_none_of_its_payers():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreed(customer, (sponsor, "60"))
    by_hand("UPDATE orders_evidence SET quantity = 3", [])
    assert parked(finalised(JANUARY)) == {customer.pk: "quantity", sponsor.pk: "quantity"}


def test_the_page_of_a_change_counts_what_all_were_billed():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreed(customer, (sponsor, "60"))
    finalised(JANUARY)
    item = Item.objects.get(account=customer)
    (told,) = billed_of([item.pk])
    assert (told.account_id, [each[3] for each in told.segments]) == (customer.pk, [100])


REFUSED = [
    ([], {}, "shares"),
    ([("self", "60")], {}, "shares[0].payer"),
    ([("sponsor", "60"), ("sponsor", "10")], {}, "shares[1].payer"),
    ([("sponsor", "60"), ("other", "40.000001")], {}, "shares[1].percent"),
    ([("dollars", "60")], {}, "shares[0].payer"),
    ([("stranger", "60")], {}, "shares[0].payer"),
    ([("sponsor", "0")], {}, "shares[0].percent"),
    ([("sponsor", "0.0000001")], {}, "shares[0].percent"),
    ([("sponsor", "60")], {"ends_on": START}, "ends_on"),
    ([("sponsor", "60")], {"starts_on": date(1, 1, 1)}, "starts_on"),
]


@pytest.mark.parametrize(("shares", "given", "field"), REFUSED)
def test_what_cannot_be_agreed_is_refused_beside_its_field(shares, given, field):
    others = an_entity(code="other", name="Other")
    people = {
        "self": an_account(),
        "sponsor": an_account(),
        "other": an_account(),
        "dollars": an_account(currency="USD"),
        "stranger": an_account(legal_entity=others),
    }
    told = [(people[name], percent) for name, percent in shares]
    with pytest.raises(PayersInvalid) as refusal:
        asked_for(people["self"], *told, **given)
    assert refusal.value.field == field
    assert not PayerAgreement.objects.exists()


def test_two_people_agree_and_once():
    clerk, chief = a_user(), a_user()
    customer, sponsor = an_account(), an_account()
    asked = asked_for(customer, (sponsor, "60"), by=clerk)
    with pytest.raises(OwnAgreement):
        approve_payers(agreement_id=asked.pk, user_id=clerk.pk, at=AT)
    with pytest.raises(OwnAgreement):
        withdraw_payers(agreement_id=asked.pk, user_id=chief.pk, at=AT)
    approve_payers(agreement_id=asked.pk, user_id=chief.pk, at=AT)
    with pytest.raises(PayersNotOpen):
        refuse_payers(agreement_id=asked.pk, user_id=chief.pk, at=AT)
    told = Event.objects.filter(name__startswith="payer_agreement").order_by("pk")
    assert list(told.values_list("name", "actor_id")) == [
        ("payer_agreement.asked", clerk.pk),
        ("payer_agreement.approved", chief.pk),
    ]


def test_nothing_is_shared_before_it_is_agreed():
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    asked_for(customer, (sponsor, "60"))
    finalised(JANUARY)
    assert (billed(customer), billed(sponsor)) == (100, 0)
    assert not ChargeShare.objects.exists()


def test_agreements_do_not_overlap():
    customer, sponsor = an_account(), an_account()
    later = agreed(customer, (sponsor, "60"), starts_on=date(2026, 3, 1))
    asked = asked_for(customer, (sponsor, "10"), starts_on=date(2026, 2, 1))
    with pytest.raises(PayersOverlap) as refusal:
        approve_payers(agreement_id=asked.pk, user_id=a_user().pk, at=AT)
    assert refusal.value.field == "starts_on"
    assert str(later) in refusal.value.message


def test_an_end_only_comes_nearer():
    customer, sponsor = an_account(), an_account()
    agreement = agreed(customer, (sponsor, "60"), ends_on=date(2026, 3, 1))
    for day in (date(2026, 3, 1), date(2026, 4, 1), date(2025, 12, 31)):
        with pytest.raises(PayersInvalid) as refusal:
            ended(agreement, day)
        assert refusal.value.field == "ends_on"
    assert ended(agreement, date(2026, 2, 1)).ends_on == date(2026, 2, 1)


def test_the_law_of_agreements():
    assert law(PayerAgreement) == {
        ("asked", "approve", "agreed"),
        ("asked", "refuse", "refused"),
        ("asked", "withdraw", "withdrawn"),
    }


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_payershare SET percent = 50",
        "DELETE FROM billing_payershare",
        "UPDATE billing_payeragreement SET starts_on = '2026-02-01'",
        "UPDATE billing_payeragreement SET ends_on = NULL",
        "UPDATE billing_payeragreement SET ends_on = '2027-02-01'",
        "UPDATE billing_payeragreement SET state = 'asked'",
        "DELETE FROM billing_payeragreement",
        "TRUNCATE billing_payeragreement CASCADE",
        "INSERT INTO billing_payershare (agreement_id, position, payer_id, percent) "
        "SELECT agreement_id, 2, {other}, 10 FROM billing_payershare",
        "INSERT INTO billing_payeragreement (account_id, starts_on, reason, state, asked_by_id, "
        "asked_at, end_reason) SELECT account_id, '2026-02-01', 'again', 'agreed', asked_by_id, "
        "now(), '' FROM billing_payeragreement",
        "INSERT INTO billing_charge (item_id, terms_id, terms_charge_id, account_id, "
        "legal_entity_id, currency, started_on, anchor_day) SELECT item_id, terms_id, "
        "terms_charge_id, account_id, legal_entity_id, currency, started_on, anchor_day "
        "FROM billing_charge LIMIT 1",
    ],
)
def test_what_postgres_refuses(statement):
    sponsor, other = an_account(), an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreed(customer, (sponsor, "60"), ends_on=date(2026, 6, 1))
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(other=other.pk))


def test_shares_are_at_most_all_in_postgres_too():
    sponsor, other = an_account(), an_account()
    asked = asked_for(an_account(), (sponsor, "60"))
    with pytest.raises(IntegrityError, match="more than all"), transaction.atomic():
        asked.shares.create(position=2, payer=other, percent=Decimal("40.000001"))
    stranger = an_account(currency="USD")
    with pytest.raises(IntegrityError, match="cannot pay for"), transaction.atomic():
        asked.shares.create(position=2, payer=stranger, percent=Decimal("40"))


def test_plain_accounts_cost_no_more_queries():
    in_service([a_product(charges=[monthly("100.00")])])
    shard = Shard.objects.get(run=drafted(JANUARY))
    with CaptureQueriesContext(connection) as captured:
        fill_shard(shard.run, shard, at=AT)
    # The question for the accounts asks for payers too; nothing else does.
    (asked,) = [each["sql"] for each in captured if "billing_payer" in each["sql"]]
    assert "FROM customers_account" in asked
