"""Bill runs from opening to the last number: what they bill, refuse, and bear."""

import pytest

from billing.models import BillRun, Invoice, Posting
from tests.billing.worlds import FEBRUARY, JANUARY, bills, finalised, in_service, numbers, parked
from tests.factories import a_product, monthly, setup_fee

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
    assert list(Posting.objects.values_list("debit", "credit", "amount")) == [
        ("receivable", "revenue", Invoice.objects.get(serial=1).net),
        ("receivable", "revenue", Invoice.objects.get(serial=2).net),
    ]
