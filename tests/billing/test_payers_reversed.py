"""A part that a payer was billed is taken back alone, and billed again to whoever owes it then."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Invoice
from tests.billing.payers import agreed, billed, ended
from tests.billing.test_reversal import reversed_
from tests.billing.worlds import FEBRUARY, JANUARY, finalised, in_service, parked
from tests.factories import a_product, an_account, monthly

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]


def test_the_part_of_one_payer_is_taken_back_and_billed_again() -> None:
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("99.99")])])
    agreed(customer, (sponsor, "60"))
    finalised(JANUARY)
    reversed_(Invoice.objects.get(account=sponsor))
    assert (billed(sponsor), billed(customer)) == (0, Decimal("40.00"))
    assert parked(finalised(FEBRUARY)) == {}
    assert (billed(sponsor), billed(customer)) == (Decimal("119.98"), Decimal("80.00"))


def test_who_pays_no_more_is_not_billed_again() -> None:
    sponsor = an_account()
    customer = in_service([a_product(charges=[monthly("100.00")])])
    agreement = agreed(customer, (sponsor, "60"))
    finalised(JANUARY)
    reversed_(Invoice.objects.get(account=sponsor))
    ended(agreement, date(2026, 1, 1))
    assert parked(finalised(FEBRUARY)) == {}
    assert (billed(sponsor), billed(customer)) == (0, 200)
