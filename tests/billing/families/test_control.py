"""Nobody gets a part of a family's bill: it is parked, set aside, vetoed and retried as a whole."""

from decimal import Decimal

import pytest

from billing.models import BillWord, ChargeState, DraftInvoice, ParkedAccount
from billing.runs.services import approve_run, ask_retry, say_fine, set_aside, veto_bill
from o2b import events
from tests.billing.control.test_retrying import BREAK
from tests.billing.control.worlds import approved, equation, rules
from tests.billing.families.worlds import a_family, an_account_with, documents
from tests.billing.worlds import AT, FEBRUARY, by_hand, drafted, parked
from tests.factories import a_user

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
    assert parked(run) == {payer.pk: "family", member.pk: "family", large.pk: "fuse"}
    ask_retry(run_id=run.pk, account_ids=[large.pk], lift=True, at=AT)
    events.drain()
    assert parked(run) == {}
    lifted = BillWord.objects.filter(kind="lifted").values_list("account_id", flat=True)
    assert list(lifted) == [large.pk]
    approved(run)
    assert documents(payer) == [("930.00", "0.00", "930.00")]


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
