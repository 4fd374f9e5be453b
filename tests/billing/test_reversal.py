"""Final documents taken back: to the cent, once, by two people, and billed again by difference."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.invoices.selectors import with_standing
from billing.models import (
    Allocation,
    BillRun,
    ChargeState,
    Invoice,
    InvoiceLine,
    Payment,
    Posting,
)
from billing.payments.selectors import account_balance, with_credit
from billing.payments.services import record_payment
from billing.runs.services import (
    NotReversible,
    OwnRun,
    ReasonMissing,
    RunOverlaps,
    RunUnderWay,
    approve_run,
    cancel_run,
    finalise_run,
    finalise_shard,
    finalising,
    open_run,
    opening,
    pause_run,
    resume_run,
    reverse_invoice,
    reverse_run,
)
from o2b import events
from o2b.customers.models import Account
from subscriptions.models import Item
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
from tests.factories import a_product, a_tax_rate, a_user, an_entity, monthly, setup_fee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]

LATER = datetime(2026, 2, 10, 9, tzinfo=UTC)


def asked(invoice: Invoice, *, at: datetime = LATER) -> BillRun:
    reversal = reverse_invoice(
        invoice_id=invoice.pk, reason="wrong address", opened_by_id=a_user().pk, at=at
    )
    events.drain()
    reversal.refresh_from_db()
    return reversal


def reversed_(invoice: Invoice, *, at: datetime = LATER) -> Invoice:
    """Asked by one person, approved by another, done."""
    reversal = asked(invoice, at=at)
    approve_run(run_id=reversal.pk, user_id=a_user().pk, at=at)
    events.drain()
    reversal.refresh_from_db()
    assert reversal.state == BillRun.State.FINALISED
    return Invoice.objects.get(reverses=invoice)


def status(invoice: Invoice, on: date = FEBRUARY) -> tuple[str, Decimal]:
    row = with_standing(Invoice.objects.filter(pk=invoice.pk), on=on).get()
    return row.status, row.open_amount


def end(on: str) -> None:
    """The only item ends on a day of January, told later."""
    item = Item.objects.get()
    by_hand(
        "UPDATE subscriptions_itemversion SET valid = daterange('2026-01-01', %s)"
        " WHERE item_id = %s",
        [on, item.pk],
    )
    by_hand("UPDATE subscriptions_item SET revision = revision + 1 WHERE id = %s", [item.pk])


def ledger_sums() -> dict[str, Decimal]:
    """Ledger account → its balance; the sum of all is nothing."""
    found: dict[str, Decimal] = {}
    for row in Posting.objects.all():
        found[row.debit] = found.get(row.debit, Decimal(0)) + row.amount
        found[row.credit] = found.get(row.credit, Decimal(0)) - row.amount
    return {name: amount for name, amount in found.items() if amount}


def test_a_mirror_to_the_cent_and_the_next_run_bills_again() -> None:
    a_tax_rate("19")
    account = in_service([a_product(charges=[monthly("49.90"), setup_fee("99.00")])])
    first = Invoice.objects.get(run=finalised(JANUARY))
    note = reversed_(first)
    assert (note.kind, note.number, note.issued_on) == ("credit_note", "INV-00000002", LATER.date())
    assert (note.net, note.tax, note.total) == (-first.net, -first.tax, -first.total)
    rows = list(
        note.lines.order_by("position").values_list(
            "amount", "tax", "tax_rate", "revision", "cause", "reverses"
        )
    )
    assert [row[0] for row in rows] == [Decimal("-49.90"), Decimal("-99.00")]
    assert {row[2:] for row in rows} == {(Decimal(19), 2, "reversal", 1)}
    assert ledger_sums() == {}
    assert (status(first), status(note)) == (("reversed", 0), ("reversal", 0))
    assert account_balance(account).owed.amount == account_balance(account).open.amount == 0
    again = finalised(FEBRUARY)
    assert parked(again) == {}
    assert bills(account)[-3:] == [
        ("2026-01-01", "2026-02-01", "49.90"),
        ("2026-02-01", "2026-03-01", "49.90"),
        ("2026-01-01", "2026-01-02", "99.00"),
    ]
    new = InvoiceLine.objects.filter(invoice__run=again, period_start="2026-01-01")
    assert set(new.values_list("revision", "cause")) == {(3, "period"), (3, "one_time")}
    assert finalised(FEBRUARY).invoices.count() == 0
    assert parked(finalised(MARCH)) == {}
    assert bills(account)[-1] == ("2026-03-01", "2026-04-01", "49.90")


def test_a_run_for_an_earlier_day_bills_nothing_ahead_and_loses_nothing() -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    finalised(JANUARY)
    finalised(FEBRUARY)
    february = Invoice.objects.order_by("pk").last()
    assert february is not None
    reversed_(february)
    assert finalised(JANUARY).invoices.count() == 0
    state = ChargeState.objects.get()
    assert (state.billed_through, state.next_due_on) == (date(2026, 2, 1), date(2026, 2, 1))
    assert finalised(FEBRUARY).invoices.count() == 1
    assert [amount for *_, amount in bills(account)] == ["31.00", "31.00", "-31.00", "31.00"]


def test_of_an_old_period_below_newer_ones() -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    january = Invoice.objects.get(run=finalised(JANUARY))
    finalised(FEBRUARY)
    reversed_(january)
    run = finalised(FEBRUARY)
    assert parked(run) == {}
    assert bills(account)[2:] == [
        ("2026-01-01", "2026-02-01", "-31.00"),
        ("2026-01-01", "2026-02-01", "31.00"),
    ]
    assert parked(finalised(MARCH)) == {}
    assert Invoice.objects.count() == 5


def test_what_was_corrected_since_is_right_after_the_next_run() -> None:
    a_tax_rate("19")
    account = in_service([a_product(charges=[monthly("31.00")])])
    january = Invoice.objects.get(run=finalised(JANUARY))
    end("2026-01-11")
    credit = Invoice.objects.get(run=finalised(JANUARY))
    reversed_(january)
    assert InvoiceLine.objects.order_by("-pk")[0].revision == 3
    run = finalised(FEBRUARY)
    assert parked(run) == {}
    assert [amount for *_, amount in bills(account)] == ["31.00", "-21.00", "-31.00", "31.00"]
    line = InvoiceLine.objects.get(invoice__run=run)
    assert (line.revision, line.cause, line.tax) == (4, "change", Decimal("5.89"))
    reversed_(credit)  # a credit note is taken back too: by an invoice, billed again as a credit
    again = Invoice.objects.get(reverses=credit)
    assert (again.kind, again.total, status(again)) == (
        "invoice",
        Decimal("24.99"),
        ("reversal", 0),
    )
    run = finalised(FEBRUARY)
    assert parked(run) == {}
    assert [amount for *_, amount in bills(account)][-2:] == ["21.00", "-21.00"]
    total = sum(Invoice.objects.values_list("total", flat=True))
    assert total == Decimal("11.90")
    assert finalised(FEBRUARY).invoices.count() == 0


def test_a_service_that_ended_is_billed_as_it_ended() -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    january = Invoice.objects.get(run=finalised(JANUARY))
    reversed_(january)
    end("2026-01-11")
    run = finalised(FEBRUARY)
    assert parked(run) == {}
    assert [amount for *_, amount in bills(account)] == ["31.00", "-31.00", "10.00"]
    assert parked(finalised(MARCH)) == {}
    assert Invoice.objects.count() == 3


def test_what_is_billed_again_bears_todays_rate() -> None:
    """The wrong rate is why many a bill is taken back; a correction keeps the rate of its bill."""
    a_tax_rate("7", valid_from=date(2025, 1, 1), valid_until=date(2026, 2, 1))
    a_tax_rate("19", valid_from=date(2026, 2, 1))
    account = in_service([a_product(charges=[monthly("100.00")])])
    january = Invoice.objects.get(run=finalised(JANUARY))
    assert january.tax == 7
    reversed_(january)
    run = finalised(FEBRUARY)
    lines = list(InvoiceLine.objects.filter(invoice__run=run).order_by("period_start"))
    assert [(line.tax_rate, line.tax) for line in lines] == [(19, 19), (19, 19)]
    end("2026-01-11")
    finalised(FEBRUARY)
    rows = InvoiceLine.objects.filter(account_id=account.pk, period_start="2026-01-01")
    last = rows.order_by("revision").last()
    assert last is not None
    assert (last.tax_rate, last.revision) == (19, 4)


def test_money_paid_is_credit_again() -> None:
    account = in_service([a_product(charges=[monthly("50.00")])])
    first = Invoice.objects.get(run=finalised(JANUARY))
    record_payment(
        account_id=account.pk,
        amount="30.00",
        on=JANUARY,
        method="bank",
        reference="1",
        at=LATER,
        actor_id=a_user().pk,
    )
    reversed_(first)
    amounts = list(Allocation.objects.order_by("pk").values_list("invoice", "amount"))
    assert amounts == [(first.pk, Decimal(30)), (first.pk, Decimal(-30))]
    stands = account_balance(account)
    assert (stands.owed.amount, stands.open.amount, stands.credit.amount) == (-30, 0, 30)
    assert with_credit(Payment.objects.all()).get().credit == 30
    assert ledger_sums() == {"bank": Decimal(30), "receivable": Decimal(-30)}
    pay = """INSERT INTO billing_allocation (payment_id, invoice_id, amount, at)
        SELECT id, %s, 1, now() FROM billing_payment"""
    assert "was reversed" in refused(pay, [first.pk])


def test_of_a_whole_run_without_what_was_reversed_before() -> None:
    accounts = [in_service([a_product(charges=[monthly(f"{n}.00")])]) for n in (10, 20, 30)]
    run = finalised(JANUARY)
    reversed_(Invoice.objects.get(account=accounts[1]))
    reversal = reverse_run(run_id=run.pk, reason="wrong month", opened_by_id=a_user().pk, at=LATER)
    events.drain()
    approve_run(run_id=reversal.pk, user_id=a_user().pk, at=LATER)
    events.drain()
    reversal.refresh_from_db()
    assert (reversal.state, reversal.invoices.count()) == ("finalised", 2)
    assert ledger_sums() == {}
    numbers = list(Invoice.objects.order_by("serial").values_list("number", "total"))
    assert [number for number, _ in numbers] == [f"INV-0000000{n}" for n in range(1, 7)]
    assert [total for _, total in numbers] == [10, 20, 30, -20, -10, -30]
    again = finalised(JANUARY)
    assert parked(again) == {}
    assert again.invoices.count() == 3
    with pytest.raises(NotReversible), transaction.atomic():
        reverse_run(run_id=run.pk, reason="twice", opened_by_id=a_user().pk, at=LATER)
    with pytest.raises(NotReversible), transaction.atomic():
        reverse_run(run_id=reversal.pk, reason="back", opened_by_id=a_user().pk, at=LATER)


def test_what_is_refused_changes_nothing() -> None:
    account = in_service([a_product()])
    run = finalised(JANUARY)
    invoice = Invoice.objects.get()
    asker = a_user()
    told: dict[str, Any] = {"invoice_id": invoice.pk, "opened_by_id": asker.pk, "at": LATER}
    with pytest.raises(ReasonMissing), transaction.atomic():
        reverse_invoice(**told, reason=" ")
    reversal = reverse_invoice(**told, reason="wrong")
    events.drain()
    for asks in (
        lambda: reverse_invoice(**told, reason="twice"),
        lambda: reverse_run(run_id=run.pk, reason="all", opened_by_id=asker.pk, at=LATER),
    ):
        with pytest.raises(NotReversible), transaction.atomic():
            asks()
    with pytest.raises(OwnRun), transaction.atomic():
        approve_run(run_id=reversal.pk, user_id=asker.pk, at=LATER)
    assert (Invoice.objects.count(), BillRun.objects.count()) == (1, 2)
    cancel_run(run_id=reversal.pk, at=LATER)
    note = reversed_(invoice)
    for each in (invoice, note):
        with pytest.raises(NotReversible), transaction.atomic():
            asked(each)
    assert Invoice.objects.filter(account=account).count() == 2


def test_a_run_under_way_keeps_a_reversal_waiting_and_not_the_other_way_round() -> None:
    account = in_service([a_product(charges=[monthly("31.00")])])
    finalised(JANUARY)
    reversal = asked(Invoice.objects.get())
    run = drafted(FEBRUARY)  # nobody waits for a reversal that waits for its approval
    with pytest.raises(RunUnderWay), transaction.atomic():
        approve_run(run_id=reversal.pk, user_id=a_user().pk, at=LATER)
    reversal.refresh_from_db()
    assert reversal.state == BillRun.State.TO_APPROVE
    approve_run(run_id=run.pk, user_id=a_user().pk, at=LATER)
    events.drain()
    approve_run(run_id=reversal.pk, user_id=a_user().pk, at=LATER)
    with pytest.raises(RunOverlaps), transaction.atomic():
        open_run(legal_entity_id=an_entity().pk, on=FEBRUARY, opened_by_id=a_user().pk, at=LATER)
    events.drain()
    assert [amount for *_, amount in bills(account)] == ["31.00", "31.00", "-31.00"]
    assert finalised(FEBRUARY).invoices.count() == 1


def test_a_worker_that_dies_leaves_the_same_reversal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shard by shard, each all or nothing: numbers, lines and money are as if nobody had died."""
    monkeypatch.setattr(opening, "MOST_ACCOUNTS", 1)
    accounts = [in_service([a_product(charges=[monthly(f"{n}0.00")])]) for n in (1, 2, 3)]
    run = finalised(JANUARY)
    record_payment(
        account_id=accounts[1].pk,
        amount="20.00",
        on=JANUARY,
        method="bank",
        reference="1",
        at=LATER,
        actor_id=None,
    )
    reversal = reverse_run(run_id=run.pk, reason="x", opened_by_id=a_user().pk, at=LATER)
    events.drain()
    approve_run(run_id=reversal.pk, user_id=a_user().pk, at=LATER)
    finalise_run(run_id=reversal.pk, at=LATER)
    first, second, third = reversal.shards.order_by("n")
    finalise_shard(shard_id=third.pk, at=LATER)
    real = finalising.settle_wallets

    def dies(*_: Any, **__: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr(finalising, "settle_wallets", dies)
    with pytest.raises(RuntimeError), transaction.atomic():
        finalise_shard(shard_id=second.pk, at=LATER)
    assert Invoice.objects.filter(reverses__isnull=False).count() == 1
    assert Allocation.objects.count() == 1
    monkeypatch.setattr(finalising, "settle_wallets", real)
    pause_run(run_id=reversal.pk, at=LATER)
    finalise_shard(shard_id=second.pk, at=LATER)  # it stands still
    assert Invoice.objects.filter(reverses__isnull=False).count() == 1
    resume_run(run_id=reversal.pk, at=LATER)
    for shard in (first, second, second, third):
        finalise_shard(shard_id=shard.pk, at=LATER)
    events.drain()
    reversal.refresh_from_db()
    assert reversal.state == BillRun.State.FINALISED
    told = Invoice.objects.order_by("serial").values_list("serial", "account", "total")
    assert list(told)[3:] == [(4 + n, each.pk, -10 * (n + 1)) for n, each in enumerate(accounts)]
    assert list(Allocation.objects.values_list("amount", flat=True)) == [20, -20]
    assert ledger_sums() == {"bank": Decimal(20), "receivable": Decimal(-20)}


def refused(statement: str, values: list[Any]) -> str:
    with pytest.raises(Exception) as caught, transaction.atomic(), connection.cursor() as cursor:  # noqa: PT011
        cursor.execute(statement, values)
    return str(caught.value)


COPY_OF = """
INSERT INTO billing_invoice (number, serial, legal_entity_id, account_id, run_id, kind, currency,
        issued_on, due_on, net, tax, total, line_count, reverses_id)
    SELECT 'X-' || random(), 77, legal_entity_id, account_id, run_id, 'credit_note', currency,
        issued_on, due_on, %s * net, tax, %s * net + tax, line_count, id
    FROM billing_invoice WHERE id = %s
"""


def test_postgres_refuses_a_second_reversal_and_one_that_is_no_mirror() -> None:
    in_service([a_product(charges=[monthly("31.00")])])
    finalised(JANUARY)
    invoice = Invoice.objects.get()
    assert "is no reversal" in refused(COPY_OF, ["-0.5", "-0.5", invoice.pk])
    note = reversed_(invoice)
    assert "no_invoice_reversed_twice" in refused(COPY_OF, ["-1", "-1", invoice.pk])
    assert "is no reversal" in refused(COPY_OF, ["-1", "-1", note.pk])


def test_an_account_of_many_documents_in_one_reversal(re_executed: None) -> None:
    a_tax_rate("19")
    accounts = [in_service([a_product(charges=[monthly("9.99")])]) for _ in range(3)]
    runs = [finalised(day) for day in (JANUARY, FEBRUARY, MARCH)]
    for run in runs[:2]:
        reversal = reverse_run(run_id=run.pk, reason="x", opened_by_id=a_user().pk, at=LATER)
        events.drain()
        approve_run(run_id=reversal.pk, user_id=a_user().pk, at=LATER)
        events.drain()
    run = finalised(MARCH)
    assert parked(run) == {}
    for account in Account.objects.filter(pk__in=[each.pk for each in accounts]):
        sums: dict[str, Decimal] = {}
        for start, _end, amount in bills(account):
            sums[start] = sums.get(start, Decimal(0)) + Decimal(amount)
        assert sums == dict.fromkeys(("2026-01-01", "2026-02-01", "2026-03-01"), Decimal("9.99"))
