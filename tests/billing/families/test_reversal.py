"""A family's document is taken back with all of its members, and billed again by difference."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.db.models import Sum

from billing.models import ChargeState, Invoice, InvoiceLine, InvoicePart, Posting
from billing.runs.services import approve_run, reverse_run
from o2b import events
from tests.billing.adjustments.build import a_coupon, committed, has
from tests.billing.families.worlds import a_family, an_account_with, documents, parts, tied
from tests.billing.payers import billed
from tests.billing.test_reversal import reversed_
from tests.billing.worlds import AT, FEBRUARY, JANUARY, finalised, parked
from tests.factories import a_tax_rate, a_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal


def test_a_reversal_takes_back_the_standings_of_all_members() -> None:
    a_tax_rate("19")
    payer, first, second = a_family("10.00", "20.00", "30.00")
    has(first, a_coupon("10"))
    finalised()
    undoing = reversed_(Invoice.objects.get())
    assert set(undoing.run.account_ids or ()) == {payer.pk, first.pk, second.pk}
    assert (undoing.net, undoing.tax) == (D("-58"), D("-11.02"))
    assert parts(payer)[3:] == [
        (payer.pk, "-10.00", "-1.90"),
        (first.pk, "-18.00", "-3.42"),
        (second.pk, "-30.00", "-5.70"),
    ]
    assert [billed(each) for each in (payer, first, second)] == [0, 0, 0]
    assert {str(day) for day in ChargeState.objects.values_list("billed_through", flat=True)} == {
        "2026-01-01"
    }
    assert parked(finalised(FEBRUARY)) == {}
    assert documents(payer)[2:] == [("116.00", "22.04", "138.04")]


def test_a_member_who_left_since_is_billed_again_by_himself() -> None:
    payer, member = a_family("10.00", "20.00")
    finalised()
    tied(member, None)
    reversed_(Invoice.objects.get())
    finalised(JANUARY)
    assert documents(payer)[2:] == [("10.00", "0.00", "10.00")]
    assert documents(member) == [("20.00", "0.00", "20.00")]


def test_a_run_with_families_is_taken_back() -> None:
    payer, member = a_family("10.00", "20.00")
    other = an_account_with("5.00")
    run = finalised()
    reversal = reverse_run(run_id=run.pk, reason="Wrong.", opened_by_id=a_user().pk, at=AT)
    events.drain()
    approve_run(run_id=reversal.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert Invoice.objects.aggregate(net=Sum("net"))["net"] == 0
    assert InvoicePart.objects.aggregate(net=Sum("net"))["net"] == 0
    finalised()
    assert [billed(each) for each in (payer, member, other)] == [10, 20, 5]


def test_a_document_of_true_ups_alone_is_taken_back() -> None:
    payer, member = a_family("10.00", "20.00")
    finalised(FEBRUARY)
    committed(member, "50.00")
    finalised(FEBRUARY)
    bill = Invoice.objects.order_by("-pk").first()
    assert bill is not None
    assert (bill.account, bill.net, bill.line_count) == (payer, D(30), 0)
    undoing = reversed_(bill)
    assert member.pk in (undoing.run.account_ids or ())
    assert parts(payer)[-1] == (member.pk, "-30.00", "0.00")


def test_postings_of_a_family_cancel_each_other() -> None:
    a_family("10.00", "20.00")
    finalised()
    reversed_(Invoice.objects.get())
    debits = Posting.objects.filter(debit="receivable").aggregate(sum=Sum("amount"))["sum"]
    credits_ = Posting.objects.filter(credit="receivable").aggregate(sum=Sum("amount"))["sum"]
    assert debits == credits_ == 30


def test_parts_that_do_not_add_up_are_refused_by_postgres() -> None:
    payer, member = a_family("10.00", "20.00")
    plain = an_account_with("7.00")
    finalised()
    family, own = Invoice.objects.get(account=payer), Invoice.objects.get(account=plain)
    for invoice, account, net, lines in (
        (own, plain, "6.99", 1),  # not the document
        (own, plain, "7.00", 2),  # not its lines
        (own, member, "7.00", 1),  # of nobody on it
        (family, plain, "0.00", 0),  # beside those that are there
    ):
        with pytest.raises(DatabaseError, match="do not add up"), transaction.atomic():
            InvoicePart.objects.create(
                invoice=invoice, account=account, net=net, tax=0, line_count=lines
            )
    with pytest.raises(DatabaseError), transaction.atomic():
        InvoicePart.objects.filter(account=member).update(net=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        InvoicePart.objects.filter(account=member).delete()
    whole = InvoiceLine.objects.filter(invoice=family).aggregate(sum=Sum("amount"))["sum"]
    assert whole == sum(D(net) for _account, net, _tax in parts(payer)) == family.net
