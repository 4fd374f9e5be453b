"""What the demo's metered services used, each day until yesterday; and some of what goes wrong.

Sent through ingest like anybody's usage, with ids by service and day: a second load sends
duplicates, a later one the days since.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from subscriptions.models import Item, UsageRejected, UsageSubject
from subscriptions.usage.rules.judging import Dimension, Meters, MeterVersion
from subscriptions.usage.rules.told import Told
from subscriptions.usage.selectors import meters_to_judge_by
from subscriptions.usage.services import AT_ONCE, take_usage

SOURCE = "demo"
DAYS = 45
A_DAY = 3  # events
STRANGER = "+49 30 901820"
NUMBERS = ("+49 30 901820", "+49 171 5550100", "+44 20 7946 0100", "+1 202 555 0100")


def consume(*, at: datetime) -> int:
    """Usage of the last weeks of every metered service; how many events count by now."""
    meters = meters_to_judge_by()
    events = [event for known in _services() for event in _used(known, meters, at)]
    if events and not UsageRejected.objects.filter(source=SOURCE).exists():
        events += _oddities(events[-1])
    counted = 0
    for start in range(0, len(events), AT_ONCE):
        answers = take_usage(events[start : start + AT_ONCE], at=at).answers
        counted += sum(answer.status == "accepted" for answer in answers)
    return counted


def _services() -> Iterator[UsageSubject]:
    """Each service of a real clock by its item's own number, once a meter."""
    known = UsageSubject.objects.filter(account__test_clock=None).select_related("item")
    for each in known.order_by("item_id", "meter"):
        if each.value == each.item.number:
            yield each


def _used(known: UsageSubject, meters: Meters, at: datetime) -> Iterator[Told]:
    versions = meters.get(known.meter)
    if not versions:
        return
    version, until = versions[0], known.ends_on or date.max
    for ago in range(DAYS, 0, -1):
        day = at.date() - timedelta(days=ago)
        if max(known.begins_on, version.begins_at.date()) <= day < until:
            for n in range(A_DAY):
                yield _event(known.item, version, day, n)


def _event(item: Item, version: MeterVersion, day: date, n: int) -> Told:
    """Some more on working days, and never the same twice; within what the meter takes."""
    size = (item.pk * 7 + day.toordinal() * 13 + n * 29) % 90 + 10
    value = Decimal(size if day.weekday() < 5 else size // 4)
    if version.decimals:
        value = value.scaleb(-1)
    return Told(
        id=f"{item.pk}-{version.code}-{day}-{n}",
        source=SOURCE,
        meter=version.code,
        subject=item.number,
        time=datetime.combine(day, time(9 + n * 3, size % 60), UTC),
        value=min(max(value, version.least), version.most),
        unit=version.unit,
        properties={
            each.name: _said(each, size)
            for each in version.dimensions
            if each.choices or each.required
        }
        or None,
    )


def _said(dimension: Dimension, size: int) -> str:
    """One of the choices, a number abroad where a number is asked, else any text."""
    if dimension.choices:
        return dimension.choices[size % len(dimension.choices)]
    return NUMBERS[size % len(NUMBERS)] if dimension.digits else "demo"


def _oddities(like: Told) -> Iterator[Told]:
    """A number that nobody has, another unit, a value that cannot be: what desks are for."""
    for name, change in (
        ("stranger", {"subject": STRANGER}),
        ("unit", {"unit": "furlong"}),
        ("value", {"value": Decimal(-1)}),
    ):
        said = {field: getattr(like, field) for field in like.__struct_fields__}
        yield Told(**said | {"id": f"odd-{name}"} | change)
