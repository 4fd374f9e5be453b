"""Reversals and books of documents that bear discounts and true-ups; control of their runs."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.explaining.selectors.adjusted import (
    explain_adjustments,
    explain_adjustments_of_run,
)
from billing.invoices.details import details_csv
from billing.models import ChargeState, Invoice, InvoiceAdjustment, Posting
from billing.runs.services import ask_retry, reverse_run, set_aside
from o2b import events
from tests.billing.adjustments.build import a_coupon, committed, documents, given_to, has, total
from tests.billing.control.worlds import approved, equation, net_of
from tests.billing.pages import client_of
from tests.billing.test_journal import a_year, books
from tests.billing.test_reversal import LATER, ledger_sums, reversed_
from tests.billing.worlds import AT, FEBRUARY, JANUARY, MARCH, drafted, finalised, in_service
from tests.factories import a_product, a_tax_rate, a_user, an_account, monthly

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def test_a_reversal_gives_the_discount_back_and_the_next_run_gives_it_again() -> None:
    a_tax_rate("19")
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10", periods=2))
    bill = Invoice.objects.get(run=finalised(JANUARY))
    note = reversed_(bill)
    assert (note.net, note.tax) == (-bill.net, -bill.tax) == (Decimal(-90), Decimal("-17.10"))
    assert given_to(account) == [
        ("2026-01-01", "1", "-10.00", "-1.90"),
        ("2026-01-01", "2", "10.00", "1.90"),
    ]
    assert ledger_sums() == {}
    finalised(FEBRUARY)
    assert documents(account)[2] == ("180.00", "34.20", "214.20")
    finalised(MARCH)
    assert documents(account)[3] == ("100.00", "19.00", "119.00")  # two periods had it


def test_what_takes_a_discount_back_tells_its_tax() -> None:
    a_tax_rate("19")
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10"))
    note = reversed_(Invoice.objects.get(run=finalised(JANUARY)))
    (told,) = client_of("finance").get(f"/api/v1/invoices/{note.pk}/adjustments").json()
    assert (told["equal"], told["tax"], told["tax_billed"]) == (True, "1.90", "1.90")
    assert [step["label"] for step in told["tax_steps"]] == ["taken back"]
    row = InvoiceAdjustment.objects.get(invoice=note)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        InvoiceAdjustment.objects.filter(pk=row.pk).update(tax="1.89")
        (found,) = explain_adjustments(note)
        assert found.equal is False
        InvoiceAdjustment.objects.filter(pk=row.pk).update(tax="1.90")
        cursor.execute("SET session_replication_role = DEFAULT")


def test_the_command_names_discounts_too() -> None:
    a_tax_rate("19")
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10"))
    bill = Invoice.objects.get(run=finalised(JANUARY))
    for named in (f"{bill.number}/a1", f"{bill.number}/adjustment 1"):
        out = StringIO()
        call_command("explain", named, stdout=out)
        assert "net: -10.00 = -10.00 EUR billed" in out.getvalue()
        assert "tax: -1.90 = -1.90 EUR billed" in out.getvalue()
        out = StringIO()
        call_command("explain", named, "--json", stdout=out)
        assert json.loads(out.getvalue())["equal"] is True
    for named in (f"{bill.number}/a2", "x/a1", f"{bill.number}/a", f"{bill.number}/a{'9' * 5000}"):
        with pytest.raises(CommandError, match="There is no invoice line"):
            call_command("explain", named)


@pytest.mark.parametrize("value", ["-0.94", "-0.96"])
def test_the_tax_of_a_discount_is_told_to_the_cent(value: str) -> None:
    """-0.94 would be its tax if it were rounded together with its lines."""
    a_tax_rate("19")
    account = in_service([a_product(charges=[monthly("49.90")]) for _ in range(2)])
    has(account, a_coupon("10"))
    run = finalised(JANUARY)
    assert {row[3] for row in given_to(account)} == {"-0.95"}
    row = InvoiceAdjustment.objects.order_by("pk")[1]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        InvoiceAdjustment.objects.filter(pk=row.pk).update(tax=value)
        found = [each.equal for each in explain_adjustments_of_run(run_id=run.pk)]
        assert sorted(map(bool, found)) == [False, True]
        InvoiceAdjustment.objects.filter(pk=row.pk).update(tax="-0.95")
        cursor.execute("SET session_replication_role = DEFAULT")


def test_all_of_a_run_is_taken_back_with_documents_that_are_true_ups_alone() -> None:
    account, other = an_account(), in_service([a_product(charges=[monthly("10.00")])])
    committed(account, "50.00")
    run = finalised(FEBRUARY)
    assert sorted(documents(account) + documents(other)) == [
        ("20.00", "0.00", "20.00"),
        ("50.00", "0.00", "50.00"),
    ]
    reversal = reverse_run(
        run_id=run.pk, reason="all wrong", opened_by_id=a_user().pk, at=LATER.replace(month=3)
    )
    events.drain()
    assert equation(reversal) == (2, 2, 0, 0, 2, 0)
    approved(reversal)
    assert (total(account), total(other), ledger_sums()) == (0, 0, {})
    finalised(MARCH)
    assert (total(account), total(other)) == (100, 30)


def test_what_was_given_meanwhile_does_not_meet_the_reversal() -> None:
    """The reversal was drafted, then a run corrected the discount; both can become final."""
    account = in_service([a_product(charges=[monthly("100.00")])])
    grant = has(account, a_coupon("10"))
    bill = Invoice.objects.get(run=finalised(JANUARY))
    reversal = reverse_run(run_id=bill.run_id, reason="wrong", opened_by_id=a_user().pk, at=LATER)
    events.drain()
    has(account, a_coupon("50"))
    finalised(FEBRUARY)
    approved(reversal)
    assert grant.coupon.value == 10
    revisions = InvoiceAdjustment.objects.filter(source_id=grant.pk).order_by("revision")
    january = revisions.filter(period_start="2026-01-01").values_list("revision", flat=True)
    assert list(january) == list(range(1, len(january) + 1))
    finalised(MARCH)
    assert total(account) == Decimal("135.00")  # 45 a month, whatever came between


def test_what_is_deferred_is_less_its_discount() -> None:
    books(defer_revenue=True)
    account = in_service([a_product(charges=[a_year("365.00")])])
    has(account, a_coupon("10"))
    finalised(JANUARY)
    rows = Posting.objects.order_by("on", "credit")
    sides = [(row.debit, row.credit, f"{row.amount:.2f}") for row in rows[:2]]
    assert sides == [("receivable", "deferred", "300.60"), ("receivable", "revenue", "27.90")]
    released = [row.amount for row in rows if row.debit == "deferred"]
    assert (released[0], sum(released)) == (Decimal("25.20"), Decimal("300.60"))
    assert ledger_sums() == {"receivable": Decimal("328.50"), "revenue": Decimal("-328.50")}


def test_a_discounted_bill_is_set_aside_and_comes_back() -> None:
    account = in_service([a_product(charges=[monthly("100.00")])])
    has(account, a_coupon("10"))
    run, by = drafted(), a_user("finance").pk
    assert net_of(run) == 90
    set_aside(run_id=run.pk, account_ids=[account.pk], reason="?", by=by, at=AT)
    assert (equation(run), net_of(run)) == ((1, 1, 0, 0, 0, 1), 0)
    ask_retry(run_id=run.pk, account_ids=[account.pk], at=AT)
    events.drain()
    assert (equation(run), net_of(run)) == ((1, 1, 0, 0, 1, 0), 90)
    approved(run)
    assert documents(account) == [("90.00", "0.00", "90.00")]


def test_a_minimum_alone_is_a_bill_of_the_equation() -> None:
    committed(an_account(), "50.00")
    run = drafted(FEBRUARY)
    assert equation(run) == (1, 1, 0, 0, 1, 0)
    assert not ChargeState.objects.exists()
    approved(run)


def test_details_add_up_to_the_net_with_their_discounts() -> None:
    account = in_service([a_product(charges=[monthly("1.00")]) for _ in range(2)])
    has(account, a_coupon("10"))
    bill = Invoice.objects.get(run=finalised(date(2026, 1, 31)))
    lines = list(bill.lines.select_related("charge__item__product_version__product"))
    text = details_csv(bill, lines * 251, {}, list(bill.adjustments.all()))
    assert text is not None
    rows = [row.split(",") for row in text.decode().splitlines()[1:]]
    assert sum(Decimal(row[-3]) for row in rows) == Decimal("501.80")
    assert [row[1] for row in rows[-2:]] == ["coupon", "coupon"]
