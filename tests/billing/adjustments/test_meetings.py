"""Discounts and minimums where documents are taken back, deferred, fused, set aside and retried."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.explaining.selectors.adjusted import explain_adjustments
from billing.models import DraftAdjustment, Invoice, InvoiceAdjustment, Posting
from billing.runs.services import ask_retry, cancel_run, set_aside
from o2b import events
from o2b.customers.models import Account
from tests.billing.adjustments.build import a_coupon, committed, documents, given_to, has
from tests.billing.control.worlds import approved, equation, net_of, reasons, rules
from tests.billing.test_journal import a_rate, a_year, books, posted
from tests.billing.test_reversal import asked, ledger_sums, reversed_
from tests.billing.worlds import AT, FEBRUARY, JANUARY, MARCH, drafted, finalised, in_service
from tests.billing.worlds import parked as parked_in
from tests.factories import a_product, a_tax_rate, a_user, an_account, monthly

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal
IN_MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)


def a_customer(price: str = "100.00") -> Account:
    return in_service([a_product(charges=[monthly(price)])])


def test_a_reversal_gives_the_discount_back_and_the_next_run_gives_it_again() -> None:
    a_tax_rate("19")
    account = a_customer()
    has(account, a_coupon("10"))
    finalised(JANUARY)
    note = reversed_(Invoice.objects.get())
    assert documents(account) == [("90.00", "17.10", "107.10"), ("-90.00", "-17.10", "-107.10")]
    assert ledger_sums() == {}
    assert not DraftAdjustment.objects.exists()
    (told,) = explain_adjustments(note)
    assert told.equal is True
    finalised(FEBRUARY)
    assert documents(account)[2:] == [("180.00", "34.20", "214.20")]
    assert given_to(account) == [
        ("2026-01-01", "1", "-10.00", "-1.90"),
        ("2026-01-01", "2", "10.00", "1.90"),
        ("2026-01-01", "3", "-10.00", "-1.90"),
        ("2026-02-01", "1", "-10.00", "-1.90"),
    ]


def test_a_period_of_a_coupon_is_not_used_up_by_what_was_taken_back() -> None:
    account = a_customer()
    has(account, a_coupon("25", periods=2))
    finalised(JANUARY)
    finalised(FEBRUARY)
    reversed_(Invoice.objects.latest("pk"), at=IN_MARCH)
    finalised(MARCH)
    # January and February are discounted once each, March never was.
    assert sum(D(row[2]) for row in given_to(account)) == D("-50.00")
    assert documents(account)[-1][0] == "175.00"


def test_a_fixed_amount_is_given_once_however_often_it_is_taken_back() -> None:
    account = a_customer("30.00")
    has(account, a_coupon("40", "amount", periods=1))
    for _ in range(2):
        finalised(JANUARY)
        reversed_(Invoice.objects.filter(account=account).latest("pk"))
    finalised(JANUARY)
    assert [row[0] for row in documents(account)] == ["0.00", "0.00", "0.00", "0.00", "0.00"]
    assert [row[1:3] for row in given_to(account)] == [
        ("1", "-30.00"),
        ("2", "30.00"),
        ("3", "-30.00"),
        ("4", "30.00"),
        ("5", "-30.00"),
    ]


def test_a_true_up_that_was_taken_back_is_billed_again() -> None:
    account = a_customer("30.00")
    committed(account, "100.00")
    finalised(JANUARY)
    finalised(FEBRUARY)
    second = Invoice.objects.latest("pk")
    assert second.net == D("100.00")  # February, and what January was short of
    reversed_(second, at=IN_MARCH)
    assert InvoiceAdjustment.objects.filter(kind="minimum").count() == 2
    finalised(FEBRUARY)
    assert documents(account)[-1][0] == "100.00"
    assert sum(D(row[2]) for row in given_to(account)) == D("70.00")


def test_a_reversal_that_is_cancelled_leaves_no_draft() -> None:
    has(a_customer(), a_coupon("10"))
    finalised(JANUARY)
    reversal = asked(Invoice.objects.get())
    assert DraftAdjustment.objects.count() == 1
    cancel_run(run_id=reversal.pk, at=AT)
    assert not DraftAdjustment.objects.exists()


def test_the_mirror_comes_after_what_was_corrected_while_it_waited() -> None:
    account = a_customer()
    grant = has(account, a_coupon("10"))
    finalised(JANUARY)
    reversal = asked(Invoice.objects.get())
    has(account, a_coupon("50"))  # of January, too, by the next run
    finalised(JANUARY)
    approved(reversal)
    rows = InvoiceAdjustment.objects.filter(source_id=grant.pk).order_by("revision")
    assert [f"{row.amount:.2f}" for row in rows] == ["-10.00", "10.00"]
    finalised(FEBRUARY)
    assert sum(i.net for i in Invoice.objects.filter(account=account)) == D("90.00")


def test_what_is_deferred_is_what_discounts_leave() -> None:
    books(defer_revenue=True)
    a_tax_rate("19")
    account = in_service([a_product(charges=[a_year("100.00")])])
    has(account, a_coupon("10"))
    finalised()
    invoice = Invoice.objects.get()
    rows = posted(invoice)
    assert rows[:3] == [
        ("2026-01-31", "receivable", "deferred", "82.36"),  # 91.51 − 9.15
        ("2026-01-31", "receivable", "revenue", "7.64"),
        ("2026-01-31", "receivable", "tax", "17.10"),
    ]
    assert sum(D(row[3]) for row in rows[3:]) == D("82.36")
    assert ledger_sums() == {"receivable": D("107.10"), "revenue": -90, "tax": D("-17.10")}
    reversed_(invoice, at=IN_MARCH)
    assert ledger_sums() == {}


def test_a_discount_that_comes_later_takes_from_what_is_deferred() -> None:
    books(defer_revenue=True)
    account = in_service([a_product(charges=[a_year("365.00")])])
    finalised()
    has(account, a_coupon("10"))
    finalised(FEBRUARY)
    late = Invoice.objects.latest("pk")
    assert late.net == D("-36.50")
    rows = posted(late)
    # 59 of 365 days are earned by the end of February.
    assert ("2026-02-28", "deferred", "receivable", "30.60") in rows
    assert ("2026-02-28", "revenue", "receivable", "5.90") in rows
    assert ledger_sums() == {"receivable": D("328.50"), "revenue": D("-328.50")}


def test_a_discount_is_valued_with_its_document() -> None:
    books(own_currency_books=True, defer_revenue=True)
    a_tax_rate("19")
    a_rate("0.9137", date(2026, 1, 29))
    account = in_service(
        [a_product(charges=[a_year("100.01")], currency="USD")], account=an_account(currency="USD")
    )
    has(account, a_coupon("33"))
    finalised()
    invoice = Invoice.objects.get()
    rows = list(Posting.objects.filter(invoice=invoice))
    own = {row.credit: row.entity_amount or D(0) for row in rows if row.debit == "receivable"}
    total = (invoice.total * D("0.9137")).quantize(D("0.01"))
    assert sum(own.values()) == total
    released = [row for row in rows if row.debit == "deferred"]
    assert sum((row.entity_amount or D(0)) for row in released) == own["deferred"]
    assert sum(row.amount for row in released) == sum(
        row.amount for row in rows if row.credit == "deferred"
    )


def test_fuses_look_at_what_discounts_leave() -> None:
    full, reduced = a_customer("100.00"), a_customer("100.00")
    has(reduced, a_coupon("60"))
    rules(most_amount=D("50.00"))
    run = drafted()
    assert list(reasons(run)) == [full.pk]
    assert not parked_in(run).get(reduced.pk)
    assert DraftAdjustment.objects.get().account_id == reduced.pk


def test_who_is_set_aside_or_retried_has_its_discount_once() -> None:
    account, other = a_customer("100.00"), a_customer("10.00")
    has(account, a_coupon("10"))
    has(other, a_coupon("10"))
    run = drafted()
    assert net_of(run) == D("99.00")
    by = a_user().pk
    set_aside(run_id=run.pk, account_ids=[account.pk], reason="odd", by=by, at=AT)
    assert DraftAdjustment.objects.get().account_id == other.pk
    assert net_of(run) == D("9.00")
    ask_retry(run_id=run.pk, at=AT, account_ids=[account.pk])
    events.drain()
    run.refresh_from_db()
    assert equation(run) == (2, 2, 0, 0, 2, 0)
    assert (DraftAdjustment.objects.count(), net_of(run)) == (2, D("99.00"))
    approved(run)
    assert [row[1:3] for row in given_to(account)] == [("1", "-10.00")]


def test_an_account_of_which_only_a_true_up_is_due_counts_as_billed() -> None:
    account = an_account()
    committed(account, "40.00")
    run = drafted(FEBRUARY)
    assert equation(run) == (1, 1, 0, 0, 1, 0)
    approved(run)
    assert documents(account) == [("40.00", "0.00", "40.00")]
