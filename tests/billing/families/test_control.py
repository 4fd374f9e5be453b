"""Nobody gets a part of a family's bill: it is parked, set aside, vetoed and retried as a whole."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import BillRun, BillWord, ChargeState, DraftInvoice, ParkedAccount
from billing.runs.services import (
    approve_run,
    ask_retry,
    cancel_run,
    say_fine,
    set_aside,
    veto_bill,
)
from o2b import events
from tests.billing.control.test_retrying import BREAK
from tests.billing.control.worlds import approved, equation, more_for, reasons, rules
from tests.billing.families.worlds import a_family, an_account_with, documents, tied
from tests.billing.worlds import AT, FEBRUARY, by_hand, drafted, in_service, parked
from tests.factories import a_product, a_user, an_account, monthly, setup_fee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def test_a_parked_member_parks_the_family_and_a_retry_brings_all_back() -> None:
    payer, member, broken = a_family("10.00", "20.00", "30.00")
    other = an_account_with("5.00")
    by_hand(BREAK, ["usage", broken.pk])
    run = drafted()
    assert {pk: code == "family" for pk, code in parked(run).items()} == {
        payer.pk: True,
        member.pk: True,
        broken.pk: False,
    }
    waits = ParkedAccount.objects.get(run=run, account=member)
    assert broken.reference in waits.reason
    assert waits.owner_id == member.advocate_id
    assert equation(run) == (4, 1, 0, 3, 1, 0)
    assert DraftInvoice.objects.get().account_id == other.pk
    by_hand(BREAK, ["recurring", broken.pk])
    assert ask_retry(run_id=run.pk, account_ids=[member.pk], at=AT) == 3
    events.drain()
    assert (parked(run), equation(run)) == ({}, (4, 4, 0, 0, 4, 0))
    approved(run)
    assert documents(payer) == [("60.00", "0.00", "60.00")]


def test_a_retry_that_mends_nothing_leaves_the_family_parked() -> None:
    payer, broken = a_family("10.00", "30.00")
    by_hand(BREAK, ["usage", broken.pk])
    run = drafted()
    before = parked(run)
    assert ask_retry(run_id=run.pk, at=AT) == 2
    events.drain()
    assert parked(run) == before
    assert equation(run) == (2, 0, 0, 2, 0, 0)
    approved(run)
    by_hand(BREAK, ["recurring", broken.pk])
    approved(drafted(FEBRUARY))
    assert documents(payer) == [("80.00", "0.00", "80.00")]  # both months, of both


def test_a_family_that_is_parked_leaves_its_standing_as_it_was() -> None:
    _payer, _member, broken = a_family("10.00", "20.00", "30.00")
    by_hand(BREAK, ["usage", broken.pk])
    approved(drafted())
    assert set(ChargeState.objects.values_list("billed_through", flat=True)) == {None}


def test_a_fuse_of_one_holds_all_and_lifting_it_lets_all_pass() -> None:
    payer, member, large = a_family("10.00", "20.00", "900.00")
    rules(most_amount="500.00")
    run = drafted()
    # What is too large is the account, and the document that its payer bears.
    assert parked(run) == {payer.pk: "fuse", member.pk: "family", large.pk: "fuse"}
    ask_retry(run_id=run.pk, account_ids=[large.pk], lift=True, at=AT)
    events.drain()
    assert parked(run) == {payer.pk: "fuse", member.pk: "family", large.pk: "family"}
    ask_retry(run_id=run.pk, account_ids=[payer.pk], lift=True, at=AT)
    events.drain()
    assert parked(run) == {}
    lifted = BillWord.objects.filter(kind="lifted").values_list("account_id", flat=True)
    assert list(lifted) == [large.pk, payer.pk]
    approved(run)
    assert documents(payer) == [("930.00", "0.00", "930.00")]


def test_a_familys_document_blows_the_fuse_of_amounts_as_that_of_one_account_does() -> None:
    payer, member = a_family("60.00", "60.00")
    alone = an_account_with("120.00")
    small, other = a_family("50.00", "50.00")
    rules(most_amount="100.00")
    run = drafted()
    assert parked(run) == {payer.pk: "fuse", member.pk: "family", alone.pk: "fuse"}
    said = reasons(run)
    assert said[payer.pk] == (
        "A document of €120.00 for 2 accounts of a family; the fuse blows at €100.00."
    )
    assert said[alone.pk] == "A document of €120.00; the fuse blows at €100.00."
    assert equation(run) == (5, 2, 0, 3, 2, 0)
    assert {row.account_id for row in DraftInvoice.objects.all()} == {small.pk, other.pk}
    assert ask_retry(run_id=run.pk, account_ids=[payer.pk], lift=True, at=AT) == 2
    events.drain()
    assert parked(run) == {alone.pk: "fuse"}
    approved(run)
    assert documents(payer) == [("120.00", "0.00", "120.00")]


def test_a_lift_for_one_member_is_none_for_the_sum() -> None:
    payer, member = a_family("60.00", "60.00")
    rules(most_amount="100.00")
    run = drafted()
    ask_retry(run_id=run.pk, account_ids=[member.pk], lift=True, at=AT)
    events.drain()
    assert parked(run) == {payer.pk: "fuse", member.pk: "family"}


def test_the_sum_is_borne_by_the_first_member_where_nothing_is_due_of_the_payer() -> None:
    payer = an_account()
    first, second = (tied(an_account_with("60.00"), payer) for _ in range(2))
    rules(most_amount="100.00")
    assert parked(drafted()) == {first.pk: "fuse", second.pk: "family"}


def test_credits_and_charges_of_a_family_blow_nothing_if_their_sum_is_small() -> None:
    payer, member = a_family("60.00", "30.00")
    refund = in_service([a_product(charges=[setup_fee("-20.00")])])
    tied(refund, payer)
    rules(most_amount="70.00")
    run = drafted()
    assert parked(run) == {}
    approved(run)
    assert documents(payer) == [("70.00", "0.00", "70.00")]


def test_a_familys_document_blows_the_fuse_of_jumps_as_that_of_one_account_does() -> None:
    payer, *members = a_family("50.00", "50.00", "50.00")
    alone = an_account_with("150.00")
    approved(drafted())
    rules(most_jump=2, jump_above=100)
    for account in (payer, *members):
        more_for(account, "60.00")  # each by less than what counts as a jump
    more_for(alone, "180.00")
    run = drafted(FEBRUARY)
    assert parked(run) == {
        payer.pk: "fuse",
        **dict.fromkeys([each.pk for each in members], "family"),
        alone.pk: "fuse",
    }
    assert reasons(run)[payer.pk] == (
        "€330.00 for 3 accounts of a family is 2.2 times their last bills of €150.00; the fuse "
        "blows at 2."
    )


def test_who_joins_a_family_brings_its_last_bill_along_and_a_new_account_adds_to_it() -> None:
    payer, large = an_account_with("10.00"), an_account_with("500.00")
    approved(drafted())
    tied(large, payer)
    rules(most_jump=2, jump_above=100)
    assert parked(drafted(FEBRUARY)) == {}
    new = in_service([a_product(charges=[monthly("600.00")])], start_on=date(2026, 2, 1))
    tied(new, payer)
    cancel_run(run_id=BillRun.objects.latest("pk").pk, at=AT)
    assert parked(drafted(FEBRUARY)) == {payer.pk: "fuse", large.pk: "family", new.pk: "family"}


def test_a_family_is_set_aside_as_a_whole_and_comes_back_as_a_whole() -> None:
    payer, first, second = a_family("10.00", "20.00", "30.00")
    an_account_with("5.00")
    run, by = drafted(), a_user("finance").pk
    assert set_aside(run_id=run.pk, account_ids=[first.pk], reason="Odd.", by=by, at=AT) == 3
    assert parked(run) == dict.fromkeys((payer.pk, first.pk, second.pk), "set_aside")
    assert equation(run) == (4, 4, 0, 0, 1, 3)
    assert ask_retry(run_id=run.pk, at=AT) == 0
    assert ask_retry(run_id=run.pk, account_ids=[second.pk], at=AT) == 3
    events.drain()
    assert (parked(run), equation(run)) == ({}, (4, 4, 0, 0, 4, 0))


def test_a_veto_of_a_members_advocate_stops_the_family() -> None:
    payer, first, second = a_family("10.00", "20.00", "30.00")
    run = drafted()
    say_fine(run_id=run.pk, account_id=second.pk, by=second.advocate_id, at=AT)
    veto_bill(run_id=run.pk, account_id=first.pk, reason="No.", by=first.advocate_id, at=AT)
    assert parked(run) == {payer.pk: "set_aside", first.pk: "veto", second.pk: "set_aside"}
    assert equation(run) == (3, 3, 0, 0, 0, 3)
    approved(run)
    assert documents(payer) == []
    approved(drafted(FEBRUARY))
    assert documents(payer) == [("120.00", "0.00", "120.00")]


def test_all_that_nobody_took_out_leaves_a_family_with_a_veto_alone() -> None:
    _payer, first, _second = a_family("10.00", "20.00", "30.00")
    broken = an_account_with("5.00")
    by_hand(BREAK, ["usage", broken.pk])
    run = drafted()
    veto_bill(run_id=run.pk, account_id=first.pk, reason="No.", by=first.advocate_id, at=AT)
    assert ask_retry(run_id=run.pk, at=AT) == 1
    events.drain()
    assert len(parked(run)) == 4


def test_what_changed_since_is_drafted_again_for_the_whole_family() -> None:
    payer, member = a_family("10.00", "20.00")
    run = drafted()
    by_hand(
        "UPDATE subscriptions_item SET revision = revision + 1 WHERE account_id = %s", [member.pk]
    )
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert documents(payer) == [("30.00", "0.00", "30.00")]


def test_an_outlier_of_a_family_is_set_aside_by_its_rule_with_the_family() -> None:
    payer, member = a_family("100.00", "20.00")
    approved(drafted())
    by_hand(
        "UPDATE billing_invoicepart SET net = net / 4 WHERE account_id = %s", [payer.pk]
    )  # as if the last bill had been smaller
    run, by = drafted(FEBRUARY), a_user("finance").pk
    n = set_aside(run_id=run.pk, rule="more", reason="Grew.", by=by, at=AT)
    assert n == 2
    assert parked(run) == {payer.pk: "set_aside", member.pk: "set_aside"}
    words = BillWord.objects.filter(run=run).order_by("account_id")
    assert [(word.account_id, word.net) for word in words] == [
        (payer.pk, Decimal(100)),
        (member.pk, Decimal(20)),
    ]
