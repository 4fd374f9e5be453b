"""The promise check: four faults planted behind the triggers' back, told apart and parked."""

import pytest

from billing.models import Breach, Invoice, ParkedAccount
from billing.runs.selectors import counts_of
from o2b.customers.models import Account
from orders.models import OrderLine
from tests.billing.worlds import by_hand, drafted, finalised, in_service, parked
from tests.factories import a_product, monthly
from tests.factories import a_version_after as another_version

pytestmark = pytest.mark.django_db


def the_line(account: Account) -> OrderLine:
    return OrderLine.objects.select_related("product_version").get(account=account)


def an_own_price(price: str) -> Account:
    """An account with a product, and so Terms, of its own."""
    return in_service([a_product(charges=[monthly(price)])])
