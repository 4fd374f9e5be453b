"""Finding events: by source and id, or by whose usage they are and their days; and their story."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from o2b.catalog.models import Meter
from o2b.sql import ask
from subscriptions.models import (
    Item,
    UsageCorrection,
    UsageEvent,
    UsageKey,
    UsagePending,
    UsageRejected,
    UsageSubject,
    UsageTotal,
)
from subscriptions.models.usage import DISMISSED

LONGEST_KEY = 18
MOST_OF_A_CHAIN = 50

CHAIN = """
WITH RECURSIVE back (id, depth) AS (
    SELECT %(id)s::bigint, 0
    UNION ALL
    SELECT gone.corrected_id, depth + 1 FROM back
        JOIN subscriptions_usagecorrection AS gone ON gone.event_id = back.id
        WHERE depth < %(most)s
), forth (id, depth) AS (
    SELECT %(id)s::bigint, 0
    UNION ALL
    SELECT gone.event_id, depth + 1 FROM forth
        JOIN subscriptions_usagecorrection AS gone ON gone.corrected_id = forth.id
        WHERE depth < %(most)s
)
SELECT id FROM back UNION SELECT id FROM forth
"""


def dressed(rows: QuerySet[UsageEvent]) -> QuerySet[Any]:
    """Events with `meter`, `unit`, `subscription` of their service, `corrects` and `by` (ids)."""
    meter = Meter.objects.filter(pk=OuterRef("meter_id"))
    item = Item.objects.filter(pk=OuterRef("service_id"))
    corrected = UsageCorrection.objects.filter(pk=OuterRef("pk"))
    others = UsageEvent.objects.order_by()
    return rows.annotate(
        meter=Subquery(meter.values("code")),
        unit=Subquery(meter.values("unit")),
        subscription=Subquery(item.values("subscription_id")),
        corrects=Subquery(others.filter(pk=OuterRef("corrects_id")).values("key")[:1]),
        by_id=Subquery(corrected.values("event_id")),
    ).annotate(by=Subquery(others.filter(pk=OuterRef("by_id")).values("key")[:1]))


def no_events() -> QuerySet[Any]:
    """None: a list of all would be without end."""
    return dressed(UsageEvent.objects.none())


def with_id(source: str, key: str) -> QuerySet[UsageEvent]:
    """The event of an id, or none; the key tells in which month it lies."""
    known = UsageKey.objects.filter(source=source, key=key).first()
    if known is None:
        return UsageEvent.objects.none()
    since = datetime.combine(known.recorded_on, time(), UTC)
    return UsageEvent.objects.filter(pk=known.event_id, recorded_at__gte=since)


def of_service(told: str) -> QuerySet[UsageEvent]:
    """Events of what a text names: a service's or subscription's number, or a subject of theirs."""
    named = services_named(told)
    if named:
        return UsageEvent.objects.filter(service_id__in=named)
    # The subject itself, for a service has several.
    return UsageEvent.objects.filter(service_id__in=services_of_text(told), subject=told)


def services_of_text(told: str) -> set[int]:
    """The services that a text names: by number, or by a subject of theirs."""
    named = services_named(told)
    if named:
        return named
    rows = UsageSubject.objects.filter(value=told).order_by()
    return set(rows.values_list("service_id", flat=True))


def services_named(told: str) -> set[int]:
    """The services of a number such as S-3 or S-3.7."""
    text = told.upper()
    if not text.startswith("S-"):
        return set()
    subscription, dot, item = text[2:].partition(".")
    number = item if dot else subscription
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_KEY):
        return set()
    meant = Q(pk=int(number)) if dot else Q(subscription=int(number))
    rows = Item.objects.filter(meant).annotate(service=Coalesce("root_id", "pk"))
    return set(rows.values_list("service", flat=True))


def on_days(rows: QuerySet[Any], since: date | None, until: date | None) -> QuerySet[Any]:
    """Events that count on these days, both included."""
    if since:
        rows = rows.filter(day__gte=since)
    return rows.filter(day__lte=until) if until else rows


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where an id stands that is no counted event: waiting, or dismissed."""

    pending: UsagePending | None = None
    dismissed: UsageRejected | None = None


def elsewhere(source: str, key: str) -> Elsewhere | None:
    """Of an id that was taken and does not count; None where nothing is known of it."""
    waits = UsagePending.objects.filter(source=source, key=key).first()
    if waits:
        return Elsewhere(pending=waits)
    gone = UsageRejected.objects.filter(source=source, key=key, code=DISMISSED).first()
    return Elsewhere(dismissed=gone) if gone else None


@dataclass(frozen=True, slots=True)
class Story:
    """One event: whose it is, what the day's total is with it, and all that corrected it."""

    event: Any
    service: Item
    total: Decimal
    events_of_total: int
    chain: list[Any]


def story_of(event_id: int) -> Story:
    """Raises DoesNotExist."""
    keys = [key for (key,) in ask(CHAIN, {"id": event_id, "most": MOST_OF_A_CHAIN})]
    chain = list(dressed(UsageEvent.objects.filter(pk__in=keys)).order_by("recorded_at", "pk"))
    event = next((each for each in chain if each.pk == event_id), None)
    if event is None:
        raise UsageEvent.DoesNotExist(f"no event {event_id}")
    related = ("account__test_clock", "product_version__product", "subscription")
    service = Item.objects.select_related(*related).get(pk=event.service_id)
    total = UsageTotal.objects.filter(
        service_id=event.service_id, meter_id=event.meter_id, day=event.day, part=event.part
    ).first()
    return Story(
        event,
        service,
        total.quantity if total else Decimal(0),
        total.count if total else 0,
        chain,
    )


def totals_of(services: Collection[int]) -> QuerySet[Any]:
    """Totals by day and part that hold something, with `meter`, `unit` and `subscription`."""
    meter = Meter.objects.filter(pk=OuterRef("meter_id"))
    item = Item.objects.filter(pk=OuterRef("service_id"))
    return UsageTotal.objects.filter(service_id__in=services, count__gt=0).annotate(
        meter=Subquery(meter.values("code")),
        unit=Subquery(meter.values("unit")),
        subscription=Subquery(item.values("subscription_id")),
    )
