"""Products that bring units into a pool, and services that draw from it."""

from decimal import Decimal
from typing import Any

from subscriptions.models import Item
from tests.factories import a_product, monthly
from tests.scenarios.world import World
from tests.subscriptions.usage.build import by_meter


def granting(units: str, meter: str = "minutes", **given: Any) -> dict[str, Any]:
    """What a price says of units."""
    return {"units": units, "meter": meter} | given


def a_plan(units: str = "100", price: str = "20.00", **given: Any) -> dict[str, Any]:
    """A monthly charge of the calendar that brings units of each month."""
    return monthly(price) | {"key": "plan", "details": {"grant": granting(units, **given)}}


def a_top_up(units: str = "50", price: str = "5.00", **given: Any) -> dict[str, Any]:
    """A price owed once that brings units for good, or as long as `lasts` says."""
    return {
        "key": "top-up",
        "kind": "one_time",
        "model": "per_unit",
        "unit_price": Decimal(price),
        "details": {"grant": granting(units, **given)},
    }


def sold(world: World, *charges: dict[str, Any], on: str = "2026-01-01", **given: Any) -> Item:
    """A service under these charges from a day on; the world stands on it."""
    world.on(on)
    before = set(Item.objects.values_list("pk", flat=True))
    world.sell(products=[a_product(charges=list(charges))], **given)
    return Item.objects.exclude(pk__in=before).get()


def a_drawer(world: World, price: str = "0.10", on: str = "2026-01-01", **given: Any) -> Item:
    """A service that is sold by the minute, beyond what the pool covers."""
    charge = by_meter(price=price, **given.pop("charge", {}))
    return sold(world, charge, on=on, **given)
