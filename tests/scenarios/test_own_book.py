"""An account with a book of its own is billed by it, from the order after its publication on."""

from datetime import date

import pytest

from o2b.catalog.models import Price
from o2b.catalog.services import publish_price_book_version, retire_price_book_version
from tests.factories import LONG_AGO, a_book_version, a_product, monthly
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db


def test_an_accounts_own_book_is_what_it_is_billed_by(world: World) -> None:
    """(MONEY) before, an account had no book: its segment's or the default one priced it."""
    product = a_product(charges=[monthly("40.00")])
    world.on("2026-01-01").account.customer.segment = "s"
    world.account.customer.save()
    other = world.an_account(customer=world.account.customer)
    shelf = a_book_version(is_default=False, segment="s")
    own = a_book_version(is_default=False, account=world.account, valid_from=date(2026, 1, 1))
    for version, price in ((shelf, "30.00"), (own, "20.00")):
        Price.objects.create(version=version, product=product.product, **monthly(price))
        publish_price_book_version(version_id=version.pk, at=LONG_AGO)
    world.sell(products=[product])
    world.sell(products=[product], account=other)
    world.bill("2026-01-31")
    assert world.balance() == "20.00"
    assert world.balance(other) == "30.00"

    retire_price_book_version(version_id=own.pk, on=date(2026, 2, 1), at=world.now)
    world.on("2026-02-01").sell(products=[product])
    world.bill("2026-02-28")
    # What was sold keeps its Terms; what is sold after the book's days is the segment's.
    assert world.balance() == "70.00"
    assert world.parked() == []
