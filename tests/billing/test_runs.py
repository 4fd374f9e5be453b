"""Bill runs from opening to the last number: what they bill, refuse, and bear."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import translation

from billing.models import BillRun, DraftInvoice, DraftLine, Invoice, InvoiceLine, Posting, Shard
from billing.runs.selectors import counts_of, totals_of
from billing.runs.services import (
    DayTooFar,
    OwnRun,
    RunNotReady,
    RunOverlaps,
    ScopeEmpty,
    approve_run,
    cancel_run,
    draft_shard,
    finalise_run,
    open_run,
    pause_run,
    plan_run,
    resume_run,
)
from billing.runs.services.opening import LAST_ACCOUNT, covering, cut
from o2b import events
from o2b.models import Outbox
from subscriptions.models import Item, ItemVersion
from tests.billing.worlds import (
    AT,
    FEBRUARY,
    JANUARY,
    MARCH,
    bills,
    by_hand,
    drafted,
    finalised,
    in_service,
    numbers,
    parked,
)
from tests.factories import a_product, a_user, an_account, an_entity, monthly, setup_fee

pytestmark = pytest.mark.django_db


def test_a_month_is_billed_once_and_the_next_one_after_it() -> None:
    account = in_service([a_product(charges=[monthly("49.90"), setup_fee("99.00")])])
    first = finalised(JANUARY)
    assert parked(first) == {}
    assert first.state == BillRun.State.FINALISED
    assert bills(account) == [
        ("2026-01-01", "2026-02-01", "49.90"),
        ("2026-01-01", "2026-01-02", "99.00"),
    ]
    assert finalised(JANUARY).invoices.count() == 0
    assert finalised(FEBRUARY).invoices.count() == 1
    assert bills(account)[2:] == [("2026-02-01", "2026-03-01", "49.90")]
    assert numbers() == ["INV-00000001", "INV-00000002"]
    assert list(Posting.objects.order_by("pk").values_list("debit", "credit", "amount")) == [
        ("receivable", "revenue", Decimal("148.90")),
        ("receivable", "revenue", Decimal("49.90")),
    ]


def test_a_late_run_catches_up_and_arrears_wait_for_the_end() -> None:
    advance = in_service([a_product(charges=[monthly("10.00")])])
    arrears = in_service([a_product(charges=[monthly("20.00", timing="arrears")])])
    finalised(MARCH)
    assert [amount for *_, amount in bills(advance)] == ["10.00", "10.00", "10.00"]
    assert [amount for *_, amount in bills(arrears)] == ["20.00", "20.00"]
    invoice = Invoice.objects.get(account=advance)
    assert (invoice.issued_on, invoice.net, invoice.line_count) == (MARCH, Decimal(30), 3)
    assert (invoice.due_on - invoice.issued_on).days == advance.payment_days


def test_a_free_service_gets_its_invoice_and_no_posting() -> None:
    in_service([a_product(charges=[monthly("0.00")])])
    run = finalised()
    assert (Invoice.objects.get().total, Posting.objects.count()) == (Decimal(0), 0)
    assert totals_of(run_id=run.pk) == {"EUR": dict.fromkeys(("net", "tax", "total"), Decimal(0))}


def test_what_ends_in_the_middle_is_taken_back_by_a_credit_note() -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    finalised()
    item = Item.objects.get()
    by_hand(
        "UPDATE subscriptions_itemversion SET valid = '[2026-01-01,2026-01-11)' WHERE item_id = %s",
        [item.pk],
    )
    by_hand("UPDATE subscriptions_item SET revision = 2 WHERE id = %s", [item.pk])
    assert ItemVersion.objects.count() == 1
    run = finalised(FEBRUARY)
    assert parked(run) == {}
    assert [amount for *_, amount in bills(account)] == ["31.00", "-21.00"]
    credit = Invoice.objects.get(run=run)
    assert (credit.kind, credit.total) == ("credit_note", Decimal(-21))
    posting = Posting.objects.get(invoice=credit)
    assert (posting.debit, posting.credit, posting.amount) == ("revenue", "receivable", 21)
    assert finalised(FEBRUARY).invoices.count() == 0


def test_a_change_after_approval_is_the_next_runs_difference() -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    run = drafted()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    item = Item.objects.get()
    by_hand(
        "UPDATE subscriptions_itemversion SET valid = '[2026-01-01,2026-01-11)' WHERE item_id = %s",
        [item.pk],
    )
    by_hand("UPDATE subscriptions_item SET revision = 2 WHERE id = %s", [item.pk])
    events.drain()
    assert [amount for *_, amount in bills(account)] == ["31.00"]
    finalised()
    assert [amount for *_, amount in bills(account)] == ["31.00", "-21.00"]


def test_a_change_before_approval_is_drafted_again() -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    run = drafted()
    item = Item.objects.get()
    by_hand(
        "UPDATE subscriptions_itemversion SET valid = '[2026-01-01,2026-01-11)' WHERE item_id = %s",
        [item.pk],
    )
    by_hand("UPDATE subscriptions_item SET revision = 2 WHERE id = %s", [item.pk])
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert [amount for *_, amount in bills(account)] == ["10.00"]


def test_runs_that_overlap_are_refused() -> None:
    first = in_service([a_product()])
    second = in_service([a_product()])
    told = {"legal_entity_id": an_entity().pk, "on": JANUARY, "opened_by_id": a_user().pk, "at": AT}
    run = open_run(**told, account_ids=[first.pk])
    for scope in (None, [first.pk], [second.pk, first.pk]):
        with pytest.raises(RunOverlaps), transaction.atomic():
            open_run(**told, account_ids=scope)
    with pytest.raises(ScopeEmpty), transaction.atomic():
        open_run(**told, account_ids=[])
    assert list(BillRun.objects.all()) == [run]
    open_run(**told, account_ids=[second.pk])
    cancel_run(run_id=run.pk, at=AT)
    open_run(**told, account_ids=[first.pk])


def test_a_run_for_a_day_in_a_far_year_is_refused() -> None:
    told = {"legal_entity_id": an_entity().pk, "opened_by_id": a_user().pk, "at": AT}
    for on in (date(AT.year + 3, 1, 1), date.max):
        with pytest.raises(DayTooFar) as refused, transaction.atomic():
            open_run(**told, on=on)
        assert (refused.value.field, refused.value.status) == ("on", 422)
    assert not BillRun.objects.exists()


def test_two_runs_of_one_entity_leave_no_gap_in_the_numbers() -> None:
    accounts = [in_service([a_product()]) for _ in range(4)]
    runs = [
        drafted(account_ids=[accounts[0].pk, accounts[3].pk]),
        drafted(account_ids=[accounts[1].pk, accounts[2].pk]),
    ]
    approver = a_user()
    for run in reversed(runs):
        approve_run(run_id=run.pk, user_id=approver.pk, at=AT)
    for run in runs:
        finalise_run(run_id=run.pk, at=AT)
    events.drain()
    order = Invoice.objects.order_by("serial").values_list("serial", "account_id")
    assert list(order) == [
        (1, accounts[1].pk),
        (2, accounts[2].pk),
        (3, accounts[0].pk),
        (4, accounts[3].pk),
    ]


def test_nobody_approves_an_own_run_nor_twice() -> None:
    in_service([a_product()])
    run = drafted()
    with pytest.raises(OwnRun), transaction.atomic():
        approve_run(run_id=run.pk, user_id=run.opened_by_id, at=AT)
    run.refresh_from_db()
    assert (run.state, Outbox.objects.count()) == (BillRun.State.TO_APPROVE, 0)
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    with pytest.raises(RunNotReady), transaction.atomic():
        approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    with pytest.raises(RunNotReady), transaction.atomic():
        cancel_run(run_id=run.pk, at=AT)
    events.drain()
    assert Invoice.objects.count() == 1


def test_a_cancelled_run_leaves_nothing() -> None:
    account = in_service([a_product()])
    cancel_run(run_id=drafted().pk, at=AT)
    assert (DraftInvoice.objects.count(), DraftLine.objects.count()) == (0, 0)
    finalised()
    assert len(bills(account)) == 1


def test_a_paused_run_waits_and_goes_on() -> None:
    in_service([a_product()])
    run = open_run(legal_entity_id=an_entity().pk, on=JANUARY, opened_by_id=a_user().pk, at=AT)
    plan_run(run_id=run.pk, at=AT)
    pause_run(run_id=run.pk, at=AT)
    events.drain()
    assert DraftInvoice.objects.count() == 0
    resume_run(run_id=run.pk, at=AT)
    events.drain()
    run.refresh_from_db()
    assert (run.state, DraftInvoice.objects.count()) == (BillRun.State.TO_APPROVE, 1)


def test_every_step_may_come_twice() -> None:
    in_service([a_product()])
    run = drafted()
    shard = Shard.objects.get()
    plan_run(run_id=run.pk, at=AT)
    draft_shard(shard_id=shard.pk, at=AT)
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    for _ in range(2):
        finalise_run(run_id=run.pk, at=AT)
        events.drain()
    assert (Invoice.objects.count(), InvoiceLine.objects.count()) == (1, 1)
    assert DraftLine.objects.count() == 0


def test_an_account_that_cannot_be_computed_is_parked_alone() -> None:
    good = in_service([a_product(charges=[monthly("10.00")])])
    bad = in_service([a_product(charges=[monthly("20.00")])])
    by_hand(
        """UPDATE catalog_termscharge SET kind = 'usage' WHERE id =
           (SELECT terms_charge_id FROM billing_charge WHERE account_id = %s)""",
        [bad.pk],
    )
    run = finalised()
    assert parked(run) == {bad.pk: "error"}
    assert list(Invoice.objects.values_list("account_id", flat=True)) == [good.pk]
    assert counts_of(run_id=run.pk).holds


def test_an_account_that_postgres_refuses_is_found_by_halving() -> None:
    product = a_product(charges=[monthly("10.00")])
    accounts = [in_service([product]) for _ in range(5)]
    too_much = in_service([a_product(charges=[monthly("20.00")])], quantity="1000000")
    by_hand(
        """UPDATE catalog_termscharge SET unit_price = 99999999999999 WHERE id =
           (SELECT terms_charge_id FROM billing_charge WHERE account_id = %s)""",
        [too_much.pk],
    )
    run = finalised()
    assert parked(run) == {too_much.pk: "database"}
    assert sorted(Invoice.objects.values_list("account_id", flat=True)) == [a.pk for a in accounts]
    assert numbers() == [f"INV-0000000{n}" for n in range(1, 6)]


@pytest.mark.parametrize(
    ("lines", "cuts"),
    [
        ([], []),
        ([(7, 4)], [(7, 7, 1, 4)]),
        ([(1, 9_999), (2, 1), (3, 1)], [(1, 2, 2, 10_000), (3, 3, 1, 1)]),
        ([(1, 50_000), (2, 1)], [(1, 1, 1, 50_000), (2, 2, 1, 1)]),
        ([(n, 1) for n in range(2_501)], [(0, 2_499, 2_500, 2_500), (2_500, 2_500, 1, 1)]),
    ],
)
def test_shards_are_cut_by_accounts_and_lines(
    lines: list[tuple[int, int]], cuts: list[tuple[int, int, int, int]]
) -> None:
    assert list(cut(iter(lines))) == cuts


def test_shards_leave_no_account_out() -> None:
    ranges = [(first, last) for first, last, *_ in covering(iter([(5, 10_000), (9, 10_000)]))]
    assert ranges == [(0, 8), (9, LAST_ACCOUNT)]


def test_a_run_keeps_its_moments() -> None:
    run = finalised()
    assert run.drafted_at is not None
    assert run.approved_at == AT == datetime(2026, 1, 1, 9, tzinfo=UTC)


def test_how_accounts_were_chosen_is_told_in_the_readers_language() -> None:
    account = an_account(bill_day=5, bill_group="north")
    told = {"legal_entity_id": an_entity().pk, "on": JANUARY, "opened_by_id": a_user().pk, "at": AT}
    with translation.override("de"):
        run = open_run(**told, bill_day=5, bill_group="north")
        assert run.scope == "Abrechnungstag 5, Gruppe north"
    run.refresh_from_db()
    assert (run.scope, run.is_by_name) == ("bill day 5, group north", False)
    cancel_run(run_id=run.pk, at=AT)
    named = open_run(**told, account_ids=[account.pk])
    assert (named.scope, named.is_by_name) == ("", True)
