"""Usage that is counted and that no price is for: whoever looks sees it before the bill."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from decimal import Decimal
from json import dumps
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from o2b.catalog.models import Meter, TermsCharge
from o2b.charging import Aggregation, Kind
from o2b.charging.pooling import may_pool
from o2b.periods import Period
from o2b.sql import ask
from subscriptions.models import Item, UsageTotal
from subscriptions.usage.metered import Metered, metered, where_of
from subscriptions.usage.rules.metering import is_for
from subscriptions.usage.rules.parts import read_part

SHOWN_DAYS = 92
MOST_ROWS = 20
MOST_OF_ALL = 50

# By meter and day what the dimensions say, without values and times of their own.
BY_DIMENSIONS = """
SELECT meter_id, day, COALESCE(substring(part FROM '^{.*}'), ''), sum(quantity), sum(count)::bigint
    FROM subscriptions_usagetotal
    WHERE service_id = %(service)s AND meter_id = ANY(%(meters)s) AND count > 0
        AND day BETWEEN %(since)s AND %(until)s
    GROUP BY 1, 2, 3
"""

# What came by some meters, whoever used it; then who used some of it, the most first.
BY_METER = """
SELECT DISTINCT meter_id, COALESCE(substring(part FROM '^{.*}'), '')
    FROM subscriptions_usagetotal
    WHERE meter_id = ANY(%(meters)s) AND count > 0 AND day BETWEEN %(since)s AND %(until)s
"""
BY_SERVICE = """
SELECT total.service_id, total.meter_id, asked.part, min(day), max(day), sum(quantity),
       sum(count)::bigint
    FROM subscriptions_usagetotal AS total
    JOIN unnest(%(meters)s::bigint[], %(parts)s::text[]) AS asked (meter_id, part)
        ON asked.meter_id = total.meter_id
        AND asked.part = COALESCE(substring(total.part FROM '^{.*}'), '')
    WHERE count > 0 AND day BETWEEN %(since)s AND %(until)s
    GROUP BY 1, 2, 3
    ORDER BY 7 DESC, 1, 2, 3
    LIMIT %(most)s
"""


class Prices:
    """Which usage of some services a price is for."""

    def __init__(self, charges: Iterable[Metered]) -> None:
        self.sold: dict[tuple[int, int], list[tuple[tuple[Period, ...], str | None]]] = defaultdict(
            list
        )
        for each in charges:
            if each.meter is not None:
                periods = tuple(segment.period for segment in each.facts.segments)
                key = each.item.root_id_or_own, each.meter.pk
                self.sold[key].append((periods, where_of(each.terms)))

    def limited(self, service: int) -> list[int]:
        """The meters of a service that each price takes only some values of."""
        return [
            meter
            for (owner, meter), told in self.sold.items()
            if owner == service and all(where is not None for _, where in told)
        ]

    def hold(self, service: int, meter: int, day: date, part: str) -> bool:
        """Whether a price is for this; false also of a day on which nothing is billed."""
        dimensions = read_part(part).dimensions
        return any(
            (where is None or is_for(dimensions, where))
            and any(period.contains(day) for period in periods)
            for periods, where in self.sold.get((service, meter), ())
        )


class Unpriced(NamedTuple):
    """Usage of a meter with some dimensions, from its first to its last day.

    `quantity` is None where days do not add up.
    """

    meter: Meter
    dimensions: dict[str, str]
    first: date
    last: date
    events: int
    quantity: Decimal | None


def prices_of(services: Collection[int]) -> Prices:
    """What these services (first of their chains) were ever sold by; few queries."""
    chains = Item.objects.filter(Q(pk__in=services) | Q(root__in=services))
    return Prices(metered(list(chains.select_related("account__test_clock"))))


def unpriced_usage(item: Item, *, today: date) -> list[Unpriced]:
    """What of a service no price is for, of the last months, the newest first.

    Nothing is asked of totals where every meter has a price for all of it.
    """
    service = item.root_id_or_own
    prices = prices_of({service})
    meters = prices.limited(service)
    if not meters:
        return []
    values: dict[str, Any] = {
        "service": service,
        "meters": meters,
        "until": today + timedelta(days=1),
    }
    rows = [
        row
        for row in ask(BY_DIMENSIONS, values | {"since": today - timedelta(days=SHOWN_DAYS)})
        if not prices.hold(service, *row[:3])
    ]
    return _together(rows)


def _together(rows: Iterable[tuple[Any, ...]]) -> list[Unpriced]:
    groups: dict[tuple[int, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        groups[row[0], row[2]].append(row)
    meters = Meter.objects.in_bulk({meter for meter, _ in groups}) if groups else {}
    found = []
    for (meter_id, part), told in groups.items():
        meter = meters[meter_id]
        days = [row[1] for row in told]
        total = sum((row[3] for row in told), Decimal(0))
        events = sum(row[4] for row in told)
        found.append(_row(meter, part, min(days), max(days), total, events))
    return sorted(found, key=lambda each: each.last, reverse=True)[:MOST_ROWS]


def unpriced_of_all(*, since: date, until: date) -> list[tuple[Item, Unpriced]]:
    """Usage of these days whose dimensions no price of its meter names, the most events first.

    At most so many rows; what only the prices of one service leave out, its own page shows.
    """
    wheres = _wheres()
    meters = {each.pk: each for each in Meter.objects.filter(code__in=wheres)}
    days: dict[str, Any] = {"since": since, "until": until}
    with connection.cursor() as cursor:
        cursor.execute(BY_METER, days | {"meters": sorted(meters)})
        left = [
            (meter, part)
            for meter, part in cursor.fetchall()
            if not any(
                is_for(read_part(part).dimensions, each) for each in wheres[meters[meter].code]
            )
        ]
        asked: dict[str, Any] = {
            "meters": [meter for meter, _ in left],
            "parts": [part for _, part in left],
        }
        cursor.execute(BY_SERVICE, days | asked | {"most": MOST_OF_ALL})
        rows = cursor.fetchall()
    prices = prices_of({row[0] for row in rows})
    items = Item.objects.select_related("account", "product_version__product").in_bulk(
        {row[0] for row in rows}
    )
    return [
        (items[service], _row(meters[meter], part, *told))
        for service, meter, part, *told in rows
        if not prices.hold(service, meter, told[1], part)
    ]


def _wheres() -> dict[str, set[str]]:
    """What prices that were ever promised are for, by meter; meters without such are not there."""
    charges = TermsCharge.objects.filter(kind=Kind.USAGE.value, details__has_key="where")
    found: dict[str, set[str]] = defaultdict(set)
    told = charges.order_by().values_list("key", "details__meter", "details__where").distinct()
    for key, meter, where in told:
        found[meter or key].add(dumps(where, sort_keys=True))
    return found


def _row(
    meter: Meter, part: str, first: date, last: date, quantity: Decimal, events: int
) -> Unpriced:
    adds_up = may_pool(Aggregation(meter.aggregation))
    dimensions = dict(read_part(part).dimensions)
    return Unpriced(meter, dimensions, first, last, events, quantity if adds_up else None)


def with_prices(totals: Iterable[UsageTotal]) -> list[bool]:
    """Of each total whether a price is for it."""
    told = list(totals)
    prices = prices_of({each.service_id for each in told})
    return [prices.hold(each.service_id, each.meter_id, each.day, each.part) for each in told]
