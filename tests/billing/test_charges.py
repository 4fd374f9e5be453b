"""Charges are opened once for each item and each charge of its Terms."""

from datetime import date

import pytest

from billing.charges.services import open_charges
from billing.models import Charge
from subscriptions.models import Subscription
from tests.billing.worlds import AT, in_service
from tests.factories import a_product, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db


def test_one_charge_an_item_and_terms_charge() -> None:
    account = an_account(bill_day=15)
    in_service([a_product(charges=[monthly("49.90"), setup_fee("99.00")])], account=account)
    subscription = Subscription.objects.get(account=account)
    assert open_charges(subscription_id=subscription.pk, at=AT) == 0
    assert list(Charge.objects.values_list("terms_charge__key", "started_on", "anchor_day")) == [
        ("monthly", date(2026, 1, 1), 15),
        ("setup", date(2026, 1, 1), 15),
    ]
    standing = Charge.objects.earliest("pk").standing
    assert (standing.billed_through, standing.next_due_on) == (None, date(2026, 1, 1))
