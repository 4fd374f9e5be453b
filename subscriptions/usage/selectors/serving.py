"""Live usage of services: each metered charge with its running period, from totals by day."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from json import dumps
from typing import Any, NamedTuple

from django.db import connection

from o2b.catalog.models import Meter
from o2b.catalog.selectors.decks import decks_in_force
from o2b.charging import (
    Aggregation,
    ChargeFacts,
    ChargeTerms,
    DeckRates,
    Kind,
    Segment,
    Used,
    from_canonical,
    running_period,
)
from o2b.periods import FOREVER, Period
from subscriptions.models import Item, ItemVersion
from subscriptions.selectors import known_now
from subscriptions.usage.rules.live import Live, live
from subscriptions.usage.rules.metering import ByDeck, Total, used_of

PERIODS_BEFORE = 6
A_DAY = timedelta(days=1)

# The same totals that bill runs read.
TOTALS = """
SELECT asked.n, total.day, total.part, total.quantity, total.count,
       total.last_at AT TIME ZONE asked.zone
    FROM unnest(%(n)s::int[], %(services)s::bigint[], %(meters)s::bigint[], %(since)s::date[],
                %(zones)s::text[]) AS asked (n, service_id, meter_id, since, zone)
    JOIN subscriptions_usagetotal AS total
        ON total.service_id = asked.service_id AND total.meter_id = asked.meter_id
        AND total.day >= COALESCE(asked.since, '-infinity') AND total.count > 0
    WHERE total.day >= COALESCE(%(first)s::date, '-infinity')
"""


class _Metered(NamedTuple):
    """One charge that is sold by a meter, with the days under its Terms."""

    item: Item
    terms: ChargeTerms
    facts: ChargeFacts
    meter: Meter | None
    since: date | None

    @property
    def aggregation(self) -> Aggregation:
        return Aggregation(self.meter.aggregation) if self.meter else Aggregation.SUM


def live_usage(items: Collection[Item], *, today: date) -> list[Live]:
    """Every metered charge of these items (with their account), those that run first.

    Few queries, whatever the number of items; none but the first for items without usage.
    """
    charges = list(_metered(items, today))
    if not charges:
        return []
    used = _used(charges)
    found = [
        live(
            item=each.item,
            charge=each.terms,
            facts=each.facts._replace(usage=tuple(used[n]), aggregation=each.aggregation),
            meter=each.meter,
            today=today,
        )
        for n, each in enumerate(charges)
    ]
    return sorted(found, key=lambda each: (each.running is None, each.item.pk))


def _metered(items: Collection[Item], today: date) -> Iterable[_Metered]:
    by_key = {item.pk: item for item in items}
    spans: dict[tuple[int, int], list[ItemVersion]] = defaultdict(list)
    bodies: dict[int, Any] = {}
    versions = known_now().filter(item__in=by_key, billed=True).select_related("terms")
    for version in versions.order_by("item", "valid"):
        spans[version.item_id, version.terms_id].append(version)
        bodies[version.terms_id] = version.terms
    charges = {
        pk: [each for each in from_canonical(terms.body).charges if each.kind is Kind.USAGE]
        for pk, terms in bodies.items()
    }
    codes = {each.meter_code for several in charges.values() for each in several}
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in=codes)} if codes else {}
    begins = _begins(by_key.values()) if codes else set()
    for (item_id, terms_id), several in spans.items():
        item = by_key[item_id]
        for terms in charges[terms_id]:
            facts = _facts(item, terms, several, begins)
            since = _since(facts, terms, meters.get(terms.meter_code), today)
            yield _Metered(item, terms, facts, meters.get(terms.meter_code), since)


def _begins(items: Iterable[Item]) -> set[tuple[int, date]]:
    """(service, day) on which billed days of a service begin, whoever has it."""
    roots = {item.root_id_or_own for item in items}
    rows = known_now().filter(billed=True).select_related("item")
    found = (rows.filter(item__in=roots), rows.filter(item__root__in=roots))
    return {
        (version.item.root_id_or_own, version.valid.lower)
        for some in found
        for version in some.only("valid", "item__root")
        if version.valid.lower
    }


def _facts(
    item: Item,
    terms: ChargeTerms,
    versions: Iterable[ItemVersion],
    begins: set[tuple[int, date]],
) -> ChargeFacts:
    """The charge as billing drafts it, as if nothing had been billed."""
    started_on = item.anchor_on or item.started_on or date.min
    segments = tuple(
        Segment(
            Period(version.valid.lower or started_on, version.valid.upper or FOREVER),
            version.quantity,
            (item.root_id_or_own, version.valid.upper) not in begins,
        )
        for version in versions
    )
    anchor_day = item.anchor_day or item.account.bill_day
    return ChargeFacts(0, terms, started_on, anchor_day, segments, None, ())


def _since(facts: ChargeFacts, terms: ChargeTerms, meter: Meter | None, today: date) -> date | None:
    """The first day whose usage is shown or matters; None: all of it, as in a bill run."""
    if terms.allowance is not None or (meter and meter.aggregation == Aggregation.AVERAGE):
        return None
    last = min(today, facts.segments[-1].period.end - A_DAY)
    full = running_period(facts, on=last)
    for _period in range(PERIODS_BEFORE):
        before = full and running_period(facts, on=full.start - A_DAY)
        if before is None:
            break
        full = before
    return full.start if full else facts.segments[0].period.start


def _used(charges: list[_Metered]) -> dict[int, list[Used]]:
    """What was used of each charge, by its place in the list; in one query."""
    found: dict[int, list[Used]] = {n: [] for n in range(len(charges))}
    asked = [(n, each, each.meter) for n, each in enumerate(charges)]
    metered = [(n, each, meter) for n, each, meter in asked if meter is not None]
    if not metered:
        return found
    since = [each.since for _, each, _ in metered]
    values: dict[str, Any] = {
        "n": [n for n, *_ in metered],
        "services": [each.item.root_id_or_own for _, each, _ in metered],
        "meters": [meter.pk for *_, meter in metered],
        "since": since,
        "zones": [each.item.account.time_zone for _, each, _ in metered],
        "first": None if None in since else min(day for day in since if day),
    }
    wheres = [_where(each.terms) for each in charges]
    by_deck = _by_deck([each.terms for each in charges])
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, values)
        rows = cursor.fetchall()
    for n, *total in rows:
        used = used_of(Total(*total), charges[n].aggregation, wheres[n], by_deck[n])
        if used is not None:
            found[n].append(used)
    return found


def _by_deck(charges: list[ChargeTerms]) -> list[ByDeck | None]:
    """How calls find their rates, as in a bill run; None of a charge without a deck."""
    named = [each.call if isinstance(each.call, DeckRates) else None for each in charges]
    codes = {each.deck for each in named if each}
    decks = decks_in_force(codes) if codes else {}
    return [ByDeck(each.number, decks[each.deck].rate) if each else None for each in named]


def _where(terms: ChargeTerms) -> str | None:
    if not terms.where:
        return None
    return dumps({each.name: each.values for each in terms.where})
