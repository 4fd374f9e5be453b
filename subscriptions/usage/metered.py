"""Metered charges of services with what was used of them, as billing drafts them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from json import dumps
from typing import Any, NamedTuple

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
)
from o2b.periods import FOREVER, Period
from o2b.sql import ask
from subscriptions.models import Item, ItemVersion
from subscriptions.selectors import known_now
from subscriptions.usage.rules.metering import ByDeck, Total, used_of

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


class Metered(NamedTuple):
    """One charge that is sold by a meter, with the days under its Terms; nothing used yet.

    `by_deck`: how its calls find their rates, once it is told with usage; None without a deck.
    """

    item: Item
    terms_id: int
    terms: ChargeTerms
    facts: ChargeFacts
    meter: Meter | None
    by_deck: ByDeck | None = None

    @property
    def aggregation(self) -> Aggregation:
        return Aggregation(self.meter.aggregation) if self.meter else Aggregation.SUM

    @property
    def ref(self) -> tuple[int, int, str]:
        """Which charge of billing it is: item, Terms, key."""
        return self.item.pk, self.terms_id, self.terms.key


def metered(items: Collection[Item], *, meter: str = "") -> list[Metered]:
    """The metered charges of items (with their account), of one meter or of any.

    Few queries, whatever the number of items; none but the first for items without usage.
    """
    by_key = {item.pk: item for item in items}
    spans: dict[tuple[int, int], list[ItemVersion]] = defaultdict(list)
    bodies: dict[int, str] = {}
    versions = known_now().filter(item__in=by_key, billed=True).select_related("terms")
    for version in versions.order_by("item", "valid"):
        spans[version.item_id, version.terms_id].append(version)
        bodies[version.terms_id] = version.terms.body
    charges = {
        pk: [each for each in from_canonical(body).charges if _counts(each, meter)]
        for pk, body in bodies.items()
    }
    codes = {each.meter_code for several in charges.values() for each in several}
    meters = {found.code: found for found in Meter.objects.filter(code__in=codes)} if codes else {}
    begins = begins_of(by_key.values()) if codes else set()
    return [
        Metered(
            by_key[item_id],
            terms_id,
            terms,
            facts_of(by_key[item_id], terms, several, begins),
            meters.get(terms.meter_code),
        )
        for (item_id, terms_id), several in spans.items()
        for terms in charges[terms_id]
    ]


def _counts(terms: ChargeTerms, meter: str) -> bool:
    return terms.kind is Kind.USAGE and meter in ("", terms.meter_code)


def begins_of(items: Iterable[Item]) -> set[tuple[int, date]]:
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


def facts_of(
    item: Item,
    terms: ChargeTerms,
    versions: Iterable[ItemVersion],
    begins: set[tuple[int, date]],
) -> ChargeFacts:
    """The charge as billing drafts it, as if nothing had been billed or used."""
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


def with_usage(charges: Sequence[Metered], since: Sequence[date | None]) -> list[Metered]:
    """The same charges with what was used of each since a day (None: all of it); in one query."""
    by_deck = _by_deck([each.terms for each in charges])
    decked = [each._replace(by_deck=found) for each, found in zip(charges, by_deck, strict=True)]
    used = _used(decked, since)
    return [
        each._replace(facts=each.facts._replace(usage=tuple(used[n]), aggregation=each.aggregation))
        for n, each in enumerate(decked)
    ]


def _used(charges: Sequence[Metered], since: Sequence[date | None]) -> dict[int, list[Used]]:
    found: dict[int, list[Used]] = {n: [] for n in range(len(charges))}
    asked = [(n, each, each.meter) for n, each in enumerate(charges)]
    measured = [(n, each, meter) for n, each, meter in asked if meter is not None]
    if not measured:
        return found
    first = [since[n] for n, *_ in measured]
    values: dict[str, Any] = {
        "n": [n for n, *_ in measured],
        "services": [each.item.root_id_or_own for _, each, _ in measured],
        "meters": [meter.pk for *_, meter in measured],
        "since": first,
        "zones": [each.item.account.time_zone for _, each, _ in measured],
        "first": None if None in first else min(day for day in first if day),
    }
    wheres = [where_of(each.terms) for each in charges]
    rows = ask(TOTALS, values)
    for n, *total in rows:
        used = used_of(Total(*total), charges[n].aggregation, wheres[n], charges[n].by_deck)
        if used is not None:
            found[n].append(used)
    return found


def _by_deck(charges: Sequence[ChargeTerms]) -> list[ByDeck | None]:
    """How calls find their rates, as in a bill run; None of a charge without a deck."""
    named = [each.call if isinstance(each.call, DeckRates) else None for each in charges]
    codes = {each.deck for each in named if each}
    decks = decks_in_force(codes) if codes else {}
    return [ByDeck(each.number, decks[each.deck].rate) if each else None for each in named]


def where_of(terms: ChargeTerms) -> str | None:
    """The dimensions that count for a charge as one text; None: all of them."""
    if not terms.where:
        return None
    return dumps({each.name: each.values for each in terms.where})
