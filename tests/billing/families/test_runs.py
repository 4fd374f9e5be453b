"""Families in real runs: one document for all, every amount its member's, nothing lost or twice."""

from decimal import Decimal

import pytest

from billing.models import FamilyMember, Invoice, Posting, Shard
from tests.billing.control.worlds import approved, equation
from tests.billing.families.worlds import (
    a_family,
    an_account_with,
    documents,
    lines_on,
    parts,
    tied,
)
from tests.billing.test_tax import rounds
from tests.billing.worlds import FEBRUARY, drafted, finalised, numbers, parked
from tests.factories import a_tax_rate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def test_a_family_gets_one_document_with_the_lines_of_all() -> None:
    a_tax_rate("19")
    payer, first, second = a_family("10.00", "20.00", "30.00")
    other = an_account_with("5.00")
    run = drafted()
    assert (run.families, equation(run)) == (1, (4, 4, 0, 0, 4, 0))
    approved(run)
    assert documents(payer) == [("60.00", "11.40", "71.40")]
    assert documents(first) == documents(second) == []
    assert documents(other) == [("5.00", "0.95", "5.95")]
    assert lines_on(payer) == [
        (payer.pk, "10.00"),
        (first.pk, "20.00"),
        (second.pk, "30.00"),
    ]
    assert parts(payer) == [
        (payer.pk, "10.00", "1.90"),
        (first.pk, "20.00", "3.80"),
        (second.pk, "30.00", "5.70"),
    ]
    assert numbers() == ["INV-00000001", "INV-00000002"]
    posted = Posting.objects.filter(invoice_id=Invoice.objects.get(account=payer).pk)
    assert set(posted.values_list("account_id", "debit")) == {(payer.pk, "receivable")}
    assert sorted(posted.values_list("amount", flat=True)) == [Decimal("11.40"), Decimal("60.00")]
    assert [shard.families for shard in Shard.objects.order_by("n")] == [0, 1]


def test_the_next_month_is_compared_with_what_each_came_to() -> None:
    payer, first, _second = a_family("10.00", "20.00", "30.00")
    finalised()
    run = drafted(FEBRUARY)
    rows = run_variances(run)
    assert rows == {payer.pk: ("10.00", ""), first.pk: ("20.00", ""), _second.pk: ("30.00", "")}
    approved(run)
    assert documents(payer) == [("60.00", "0.00", "60.00")] * 2
    assert parked(run) == {}


def run_variances(run):  # type: ignore[no-untyped-def]
    from billing.models import Variance

    return {v.account_id: (f"{v.before:.2f}", v.rule) for v in Variance.objects.filter(run=run)}
