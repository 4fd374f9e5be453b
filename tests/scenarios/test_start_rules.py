"""When a service begins to cost: on delivery, on an agreed day, never before it is there."""

from datetime import date

import pytest

from tests.factories import a_product, monthly
from tests.orders.build import by_hand
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db

JANUARY_1 = date(2026, 1, 1)


def by_a_fitter(price: str = "31.00"):
    return a_product(charges=[monthly(price)], tasks=[by_hand()])


def test_nobody_pays_days_before_the_delivery(world: World) -> None:
    """Agreed for 1 January, delivered on the 21st: eleven days of January."""
    world.on("2025-12-20").sell(products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2026-01-02").bill()
    world.on("2026-01-21").deliver_by_hand()
    world.on("2026-02-01").bill()
    assert world.bills() == [
        ("2026-01-21", "2026-02-01", "11.00"),
        ("2026-02-01", "2026-03-01", "31.00"),
    ]
    assert world.parked() == []


def test_what_is_delivered_early_starts_on_the_agreed_day(world: World) -> None:
    world.on("2025-12-20").sell(products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2025-12-23").deliver_by_hand()
    world.on("2026-01-01").bill()
    assert world.bills() == [("2026-01-01", "2026-02-01", "31.00")]
    assert world.parked() == []


def test_what_was_there_before_it_was_ordered_starts_as_agreed(world: World) -> None:
    """A service that is taken over from another system."""
    world.on("2026-01-10").sell(products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2026-01-21").deliver_by_hand()
    world.bill()
    assert world.bills() == [("2026-01-01", "2026-02-01", "31.00")]
    assert world.parked() == []


@pytest.mark.parametrize(
    ("zone", "starts"),
    [("Pacific/Auckland", "2026-01-01"), ("UTC", "2026-01-21"), ("America/Lima", "2026-01-21")],
)
def test_the_day_of_the_order_is_that_of_the_account(world: World, zone: str, starts: str) -> None:
    """Noon of 1 January is the 2nd in Auckland: there the agreed day lies before the order."""
    account = world.an_account(time_zone=zone)
    world.on("2026-01-01").sell(account=account, products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2026-01-20" if zone == "Pacific/Auckland" else "2026-01-21").deliver_by_hand()
    world.on("2026-01-31").bill()
    (billed,) = world.bills()
    assert billed[0] == starts
    assert world.parked() == []
