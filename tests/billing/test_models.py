"""What Postgres holds for billing: the laws of the tables, whoever writes to them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from billing.models import (
    Allocation,
    BillRun,
    Charge,
    Invoice,
    InvoiceLine,
    LinesOwed,
    Payment,
    Posting,
    Promise,
    PromiseFact,
)
from o2b.fsm import law
from tests.billing.worlds import AT, FEBRUARY, finalised, in_service
from tests.factories import a_product, a_user, monthly


def test_the_law_of_bill_runs() -> None:
    assert law(BillRun) == {
        ("open", "begin_drafting", "drafting"),
        ("drafting", "ask_approval", "to_approve"),
        ("to_approve", "approve", "approved"),
        ("approved", "begin_finalising", "finalising"),
        ("finalising", "finish", "finalised"),
        ("drafting", "pause", "paused"),
        ("finalising", "pause", "paused"),
        ("paused", "resume_drafting", "drafting"),
        ("paused", "resume_finalising", "finalising"),
        ("open", "cancel", "cancelled"),
        ("drafting", "cancel", "cancelled"),
        ("to_approve", "cancel", "cancelled"),
        ("drafting", "show_rehearsal", "rehearsed"),
        ("rehearsed", "cancel", "cancelled"),
        ("paused", "cancel_paused", "cancelled"),
    }


@pytest.fixture
def invoice(db: None) -> Invoice:
    in_service([a_product(charges=[monthly("49.90")])])
    finalised()
    return Invoice.objects.get()


@pytest.mark.parametrize("model", [Charge, Invoice, InvoiceLine, Posting, Promise, PromiseFact])
@pytest.mark.parametrize("verb", ["UPDATE {0} SET id = id", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_final_rows_are_frozen(invoice: Invoice, model: type, verb: str) -> None:
    table = model._meta.db_table  # type: ignore[attr-defined]
    tail = " CASCADE" if verb.startswith("TRUNCATE") else ""
    run("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="Cannot update or delete|never truncated"), savepoint():
        run(verb.format(table) + tail)


def savepoint() -> transaction.Atomic:
    return transaction.atomic()


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def copy_of(line: InvoiceLine, **changes: object) -> InvoiceLine:
    line.pk = None
    for name, value in changes.items():
        setattr(line, name, value)
    return line


def an_empty_invoice(like: Invoice, **changes: object) -> Invoice:
    fields = {
        "number": "INV-99999999",
        "serial": 99999999,
        "legal_entity": like.legal_entity,
        "account": like.account,
        "run": like.run,
        "kind": "invoice",
        "currency": "EUR",
        "issued_on": FEBRUARY,
        "due_on": FEBRUARY,
        "net": Decimal("49.90"),
        "tax": Decimal(0),
        "total": Decimal("49.90"),
        "line_count": 1,
    } | changes
    return Invoice.objects.create(**fields)


def with_the_line_of(like: Invoice, *, period_start: date, **changes: object) -> None:
    """Another document, with a line like the first one's for a period."""
    other = an_empty_invoice(like, **changes)
    copy_of(like.lines.get(), invoice=other, period_start=period_start).save(force_insert=True)


def ends(*writes: Callable[[], object]) -> None:
    """What a transaction owes is asked at its end; here, at once."""
    with savepoint():
        for write in writes:
            write()
        run("SET CONSTRAINTS ALL IMMEDIATE")
    run("SET CONSTRAINTS ALL DEFERRED")


def test_a_charge_and_period_is_never_billed_twice(invoice: Invoice) -> None:
    with pytest.raises(IntegrityError, match="charge_id_period_start_segment"), savepoint():
        with_the_line_of(invoice, period_start=invoice.lines.get().period_start)
    assert InvoiceLine.objects.count() == 1


def test_a_final_invoice_gets_no_other_line(invoice: Invoice) -> None:
    more = copy_of(invoice.lines.get(), period_start=date(2026, 2, 1), amount=Decimal(1))
    with pytest.raises(IntegrityError, match="do not add up"), savepoint():
        more.save(force_insert=True)
    assert InvoiceLine.objects.count() == 1


def test_a_final_invoice_gets_no_second_set_of_lines(invoice: Invoice) -> None:
    """They add up to it by themselves; with what it has they do not."""
    for position in (1, 2):
        again = copy_of(
            invoice.lines.get(), period_start=date(2026, 2, 1), position=position, revision=1
        )
        with pytest.raises(IntegrityError, match="nothing is added to it"), savepoint():
            again.save(force_insert=True)
    assert InvoiceLine.objects.count() == 1


def test_of_many_documents_the_one_that_has_lines_is_found(invoice: Invoice) -> None:
    line = invoice.lines.get()
    others = [
        an_empty_invoice(invoice, number=f"INV-9999999{n}", serial=99999990 + n) for n in range(3)
    ]
    rows = [
        copy_of(invoice.lines.get(), invoice=other, period_start=date(2026, n, 1))
        for n, other in enumerate(others, start=2)
    ]
    again = copy_of(line, period_start=date(2026, 9, 1))
    with pytest.raises(IntegrityError, match="nothing is added to it"), savepoint():
        InvoiceLine.objects.bulk_create([*rows, again])
    InvoiceLine.objects.bulk_create(rows)
    assert InvoiceLine.objects.count() == 4


def test_an_approved_run_stays_and_numbers_are_of_documents(invoice: Invoice) -> None:
    for statement in (
        "DELETE FROM billing_billrun",
        "TRUNCATE billing_billrun CASCADE",
        "UPDATE billing_numberseries SET next_number = next_number + 100",
        "UPDATE billing_numberseries SET next_number = next_number + 1",
    ):
        run("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="o2b:"), savepoint():
            run(statement)
    assert BillRun.objects.count() == 1


def test_lines_add_up_to_their_invoice(invoice: Invoice) -> None:
    fifty = {"net": Decimal(50), "total": Decimal(50)}
    with pytest.raises(IntegrityError, match="do not add up"), savepoint():
        with_the_line_of(invoice, period_start=FEBRUARY, **fifty)


def test_a_document_is_not_written_without_its_lines(invoice: Invoice) -> None:
    ends()
    with pytest.raises(IntegrityError, match="with its lines; 1 are missing"):
        ends(partial(an_empty_invoice, invoice))
    assert Invoice.objects.count() == 1


def test_of_two_documents_both_have_lines(invoice: Invoice) -> None:
    """The lines of one do not stand for the other's."""
    ends()
    whole = partial(with_the_line_of, invoice, period_start=FEBRUARY)
    with pytest.raises(IntegrityError, match="with its lines; 1 are missing"):
        ends(whole, partial(an_empty_invoice, invoice, number="INV-99999998"))
    ends(whole)
    assert Invoice.objects.count() == 2
    assert not LinesOwed.objects.exists()


def test_a_document_without_lines_is_adjusted(invoice: Invoice) -> None:
    ends()
    nothing = {"line_count": 0, "net": Decimal(0), "total": Decimal(0)}
    with pytest.raises(IntegrityError, match="is of nothing"):
        ends(partial(an_empty_invoice, invoice, **nothing))
    assert Invoice.objects.count() == 1


def test_a_number_is_given_once_by_a_legal_entity(invoice: Invoice) -> None:
    with pytest.raises(IntegrityError, match="one_invoice_a_number"), savepoint():
        an_empty_invoice(invoice, number=invoice.number)


@pytest.mark.parametrize(
    ("changes", "law_of"),
    [
        ({"amount": Decimal(0)}, "posting_above_zero"),
        ({"amount": Decimal(-1)}, "posting_above_zero"),
        ({"credit": "receivable"}, "posting_has_two_sides"),
        ({"credit": "pocket"}, "posting_to_known_accounts"),
        ({"invoice": None}, "posting_has_a_document"),
    ],
)
def test_a_posting_is_balanced(invoice: Invoice, changes: dict[str, object], law_of: str) -> None:
    fields = {
        "on": FEBRUARY,
        "legal_entity_id": invoice.legal_entity_id,
        "account_id": invoice.account_id,
        "invoice": invoice,
        "debit": "receivable",
        "credit": "revenue",
        "currency": "EUR",
        "amount": Decimal(1),
    } | changes
    with pytest.raises(IntegrityError, match=law_of), savepoint():
        Posting.objects.create(**fields)


def a_payment(invoice: Invoice, amount: str, **changes: object) -> Payment:
    fields = {
        "account": invoice.account,
        "legal_entity_id": invoice.legal_entity_id,
        "currency": "EUR",
        "amount": Decimal(amount),
        "received_on": FEBRUARY,
        "recorded_by": a_user(),
    } | changes
    return Payment.objects.create(**fields)


def allocate(payment: Payment, invoice: Invoice, amount: str) -> Allocation:
    with transaction.atomic():
        return Allocation.objects.create(
            payment=payment, invoice=invoice, amount=Decimal(amount), at=AT
        )


@pytest.mark.parametrize(("paid", "allocated"), [("10.00", "10.01"), ("60.00", "49.91")])
def test_no_more_is_allocated_than_was_paid_or_billed(
    invoice: Invoice, paid: str, allocated: str
) -> None:
    payment = a_payment(invoice, paid)
    with pytest.raises(IntegrityError, match="o2b:"):
        allocate(payment, invoice, allocated)
    allocate(payment, invoice, "9.00")
    with pytest.raises(IntegrityError, match="o2b:"):
        allocate(payment, invoice, allocated)
    allocate(payment, invoice, "-9.00")
    with pytest.raises(IntegrityError, match="o2b:"):
        allocate(payment, invoice, "-0.01")


def test_a_payment_settles_its_own_account_in_its_own_currency(invoice: Invoice) -> None:
    with pytest.raises(IntegrityError, match="two accounts or currencies"):
        allocate(a_payment(invoice, "10.00", currency="USD"), invoice, "1.00")
    assert Allocation.objects.count() == 0
