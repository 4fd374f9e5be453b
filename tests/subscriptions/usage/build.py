"""Meters, and services that are sold by them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from o2b.catalog.models import Meter, MeterVersion
from o2b.charging import Aggregation
from subscriptions.models import Item, UsageEvent, UsageTotal
from subscriptions.usage.rules.answers import Answer
from subscriptions.usage.rules.told import Told
from subscriptions.usage.services import take_usage
from tests.factories import a_product
from tests.scenarios.world import World

_numbers = count(1)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def a_meter(
    code: str = "minutes", *, aggregation: str = "sum", unit: str = "min", **given: Any
) -> Meter:
    """A meter with one published version."""
    meter = Meter.objects.create(
        code=code, name=code.title(), unit=unit, aggregation=Aggregation(aggregation)
    )
    fields = {"starts_on": date(2020, 1, 1)} | given
    version = MeterVersion(meter=meter, number=1, **fields)
    version.publish(at=LONG_AGO)
    version.save()
    return meter


def by_meter(code: str = "minutes", price: str = "0.10", **given: Any) -> dict[str, Any]:
    """A charge of usage by the month, per unit."""
    return {
        "key": code,
        "kind": "usage",
        "model": "per_unit",
        "unit_price": Decimal(price),
        "interval_unit": "month",
        "timing": "arrears",
    } | given


def a_metered_service(
    world: World, *charges: dict[str, Any], since: str = "2026-01-01", **given: Any
) -> Item:
    """A service that is sold by usage, in use since a day; the world stands on 10 February."""
    world.on(since)
    product = a_product(charges=charges or [by_meter()])
    before = set(Item.objects.values_list("pk", flat=True))
    world.sell(products=[product], **given)
    world.on("2026-02-10")
    return Item.objects.exclude(pk__in=before).get()


def an_event(
    item: Item | str, value: str = "1", at: str = "2026-02-09T12:00:00Z", **given: Any
) -> Told:
    """An event of a service's own number, with a new id."""
    subject = item if isinstance(item, str) else item.number
    fields: dict[str, Any] = {"source": "pbx", "meter": "minutes", "id": f"e{next(_numbers)}"}
    fields |= {"subject": subject, "value": Decimal(value), "time": datetime.fromisoformat(at)}
    return Told(**fields | given)


def taken(*events: Told, now: str = "2026-02-10T12:00:00Z") -> list[Answer]:
    """What became of the events."""
    return take_usage(events, at=datetime.fromisoformat(now)).answers


def statuses(answers: Iterable[Answer]) -> list[str]:
    """What became of each, with why."""
    return [f"{a.status}: {a.code}" if a.code else a.status for a in answers]


def totals() -> list[tuple[str, str, str, int]]:
    """Day, part, quantity and count of every total that holds something."""
    rows = UsageTotal.objects.filter(count__gt=0).order_by("service_id", "day", "part")
    return [(f"{r.day}", r.part, f"{r.quantity.normalize():f}", r.count) for r in rows]


def events() -> int:
    return UsageEvent.objects.count()
