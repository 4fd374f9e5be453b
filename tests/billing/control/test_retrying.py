"""Accounts leave a drafted run and come back into it; its counts are right at every moment."""

from decimal import Decimal

import pytest
from django.db import transaction

from billing.models import BillRun, BillWord, DraftInvoice, ParkedAccount, Shard
from billing.runs.services import (
    NothingToSetAside,
    NotYourAccount,
    RetriesPending,
    RunIncomplete,
    RunNotReady,
    approve_run,
    ask_retry,
    assign_parked,
    cancel_run,
    retry_shard,
    say_fine,
    set_aside,
    veto_bill,
)
from billing.runs.services.gating import AdvocatesLooking
from billing.runs.services.taking_out import ReasonMissing
from o2b import events
from o2b.errors import Invalid
from o2b.models import Outbox
from o2b.people.models import Notice
from tests.billing.control.worlds import (
    an_account_with,
    approved,
    equation,
    more_for,
    net_of,
    rules,
)
from tests.billing.worlds import AT, FEBRUARY, bills, by_hand, drafted, finalised, numbers, parked
from tests.factories import a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
BREAK = """UPDATE catalog_termscharge SET kind = %s WHERE id =
           (SELECT terms_charge_id FROM billing_charge WHERE account_id = %s)"""


def test_an_account_set_aside_is_billed_by_the_next_run() -> None:
    stays, leaves = an_account_with("10.00"), an_account_with("20.00")
    run, finance = drafted(), a_user("finance")
    n = set_aside(run_id=run.pk, account_ids=[leaves.pk], reason="Odd.", by=finance.pk, at=AT)
    assert n == 1
    assert equation(run) == (2, 2, 0, 0, 1, 1)
    assert net_of(run) == Decimal(10)
    out = ParkedAccount.objects.get()
    assert (out.code, out.reason, out.owner) == ("set_aside", "Odd.", finance)
    approved(run)
    assert (bills(leaves), len(bills(stays)), numbers()) == ([], 1, ["INV-00000001"])
    approved(drafted(FEBRUARY))
    assert [amount for *_, amount in bills(leaves)] == ["20.00", "20.00"]


def test_all_of_a_rule_are_set_aside() -> None:
    grew, same, new = an_account_with("100.00"), an_account_with("100.00"), None
    finalised()
    more_for(grew, "100.00")
    new = an_account_with("5.00")
    run, by = drafted(FEBRUARY), a_user("finance").pk
    told = {"run_id": run.pk, "reason": "Look.", "by": by, "at": AT}
    assert set_aside(**told, rule="more") == 1
    assert set_aside(**told, rule="first") == 1
    assert parked(run) == {grew.pk: "set_aside", new.pk: "set_aside"}
    assert equation(run) == (3, 3, 0, 0, 1, 2)
    with pytest.raises(NothingToSetAside), transaction.atomic():
        set_aside(**told, rule="more")
    with pytest.raises(NothingToSetAside), transaction.atomic():
        set_aside(**told, rule="nonsense")
    with pytest.raises(ReasonMissing), transaction.atomic():
        set_aside(**told | {"reason": " \0"}, account_ids=[same.pk])
    assert equation(run) == (3, 3, 0, 0, 1, 2)


def test_who_was_set_aside_comes_back_and_one_who_was_mended_joins() -> None:
    aside, broken = an_account_with("10.00"), an_account_with("20.00")
    by_hand(BREAK, ["usage", broken.pk])
    run, by = drafted(), a_user("finance").pk
    set_aside(run_id=run.pk, account_ids=[aside.pk], reason="?", by=by, at=AT)
    assert equation(run) == (2, 1, 0, 1, 0, 1)
    assert ask_retry(run_id=run.pk, at=AT) == 1  # all that nobody took out by hand
    events.drain()
    assert equation(run) == (2, 1, 0, 1, 0, 1)
    by_hand(BREAK, ["recurring", broken.pk])
    assert ask_retry(run_id=run.pk, account_ids=[aside.pk, broken.pk], at=AT) == 2
    assert ask_retry(run_id=run.pk, account_ids=[aside.pk, broken.pk], at=AT) == 0
    with pytest.raises(RetriesPending), transaction.atomic():
        approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert (parked(run), equation(run)) == ({}, (2, 2, 0, 0, 2, 0))
    shard = Shard.objects.get()
    assert (shard.promises, shard.promises_kept) == (2, 2)
    retry_shard(shard_id=shard.pk, at=AT)  # a message may come twice
    assert equation(run) == (2, 2, 0, 0, 2, 0)
    approved(run)
    assert [len(bills(account)) for account in (aside, broken)] == [1, 1]


def test_a_retry_drafts_nobody_else_again() -> None:
    calm, broken = an_account_with("10.00"), an_account_with("20.00")
    by_hand(BREAK, ["usage", broken.pk])
    run = drafted()
    before = DraftInvoice.objects.get(account_id=calm.pk).pk
    by_hand(BREAK, ["recurring", broken.pk])
    ask_retry(run_id=run.pk, at=AT)
    events.drain()
    assert DraftInvoice.objects.get(account_id=calm.pk).pk == before
    assert equation(run) == (2, 2, 0, 0, 2, 0)


def test_a_broken_promise_that_is_mended_counts_as_kept() -> None:
    account = an_account_with("10.00")
    by_hand(
        """UPDATE catalog_termscharge SET unit_price = 11 WHERE id =
           (SELECT terms_charge_id FROM billing_charge WHERE account_id = %s)""",
        [account.pk],
    )
    run = drafted()
    shard = Shard.objects.get()
    assert (parked(run)[account.pk], shard.promises_kept) == ("terms", 0) or shard.parked == 1
    by_hand(
        """UPDATE catalog_termscharge SET unit_price = 10 WHERE id =
           (SELECT terms_charge_id FROM billing_charge WHERE account_id = %s)""",
        [account.pk],
    )
    ask_retry(run_id=run.pk, at=AT)
    events.drain()
    shard.refresh_from_db()
    assert (parked(run), shard.promises, shard.promises_kept) == ({}, 1, 1)
    assert equation(run) == (1, 1, 0, 0, 1, 0)


def test_what_a_person_took_out_stays_out_when_a_change_drafts_the_shard_again() -> None:
    changed, aside = an_account_with("31.00"), an_account_with("20.00")
    run, by = drafted(), a_user("finance").pk
    set_aside(run_id=run.pk, account_ids=[aside.pk], reason="?", by=by, at=AT)
    item = changed.pk
    by_hand(
        """UPDATE subscriptions_itemversion SET valid = '[2026-01-01,2026-01-11)'
           WHERE item_id = (SELECT id FROM subscriptions_item WHERE account_id = %s)""",
        [item],
    )
    by_hand("UPDATE subscriptions_item SET revision = 2 WHERE account_id = %s", [item])
    approved(run)
    assert ([amount for *_, amount in bills(changed)], bills(aside)) == (["10.00"], [])
    assert equation(run) == (2, 2, 0, 0, 1, 1)


def test_after_approval_nobody_leaves_or_joins() -> None:
    account = an_account_with("10.00")
    run, by = drafted(), a_user("finance").pk
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    for verb in (
        lambda: set_aside(run_id=run.pk, account_ids=[account.pk], reason="?", by=by, at=AT),
        lambda: ask_retry(run_id=run.pk, at=AT),
        lambda: veto_bill(
            run_id=run.pk, account_id=account.pk, reason="?", by=account.advocate_id, at=AT
        ),
    ):
        with pytest.raises(RunNotReady), transaction.atomic():
            verb()
    assert DraftInvoice.objects.count() == 1


def test_a_retry_that_comes_after_a_cancel_does_nothing() -> None:
    broken = an_account_with("20.00")
    by_hand(BREAK, ["usage", broken.pk])
    run = drafted()
    ask_retry(run_id=run.pk, at=AT)
    cancel_run(run_id=run.pk, at=AT)
    events.drain()
    assert (Outbox.objects.count(), ParkedAccount.objects.count()) == (0, 0)


def test_rows_that_are_not_what_was_counted_are_not_approved() -> None:
    an_account_with("10.00"), an_account_with("20.00")
    run = drafted()
    DraftInvoice.objects.order_by("pk")[:1].get().delete()
    with pytest.raises(RunIncomplete), transaction.atomic():
        approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)


def test_an_owner_is_told_and_may_be_another() -> None:
    broken = an_account_with("20.00")
    by_hand(BREAK, ["usage", broken.pk])
    run, other = drafted(), a_user("finance")
    row = ParkedAccount.objects.get(run=run)
    assert row.owner_id == broken.advocate_id
    assert assign_parked(parked_id=row.pk, owner_id=other.pk, at=AT).owner == other
    other.is_active = False
    other.save()
    with pytest.raises(Invalid), transaction.atomic():
        assign_parked(parked_id=row.pk, owner_id=other.pk, at=AT)


def test_a_veto_of_the_advocate_parks_the_account() -> None:
    account, other = an_account_with("10.00"), an_account_with("20.00")
    run = drafted()
    told = {"run_id": run.pk, "reason": "He was promised 8.", "at": AT}
    with pytest.raises(NotYourAccount), transaction.atomic():
        veto_bill(**told, account_id=account.pk, by=other.advocate_id)
    veto_bill(**told, account_id=account.pk, by=account.advocate_id)
    out = ParkedAccount.objects.get()
    assert (out.code, out.reason, out.owner_id) == (
        "veto",
        "He was promised 8.",
        account.advocate_id,
    )
    assert equation(run) == (2, 2, 0, 0, 1, 1)
    assert ask_retry(run_id=run.pk, account_ids=[account.pk], at=AT) == 1
    events.drain()
    assert equation(run) == (2, 2, 0, 0, 2, 0)
    kinds = list(BillWord.objects.values_list("kind", flat=True))
    assert kinds == ["veto", "retried"]


def test_advocates_are_told_once_and_approval_waits_if_it_is_set_so() -> None:
    rules(advocate_hours=24)
    account = an_account_with("10.00")
    run = drafted()
    notice = Notice.objects.get(user=account.advocate_id, topic="approval")
    assert notice.title == "1 bill to look at"
    assert notice.url == f"/billing/runs/{run.pk}/looks/"
    with pytest.raises(AdvocatesLooking), transaction.atomic():
        approve_run(run_id=run.pk, user_id=a_user().pk, at=run.drafted_at)
    say_fine(run_id=run.pk, account_id=account.pk, by=account.advocate_id, at=AT)
    approve_run(run_id=run.pk, user_id=a_user().pk, at=run.drafted_at)
    run.refresh_from_db()
    assert run.state == BillRun.State.APPROVED
