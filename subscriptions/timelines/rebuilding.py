"""Derive everything anew from the facts, and say where what is stored differs.

Versions are what was believed when: the facts are taken again in the order in which they were
recorded, those of one transaction together.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from psycopg2.extras import DateRange, DateTimeTZRange

from o2b import clock
from subscriptions.models import Item, ItemVersion, Subscription
from subscriptions.pools.services import touch_pools
from subscriptions.timelines.chains import Chain, by_item, chains_of, described_text
from subscriptions.timelines.services import span_shape
from subscriptions.timelines.turning import Stands, Together, project, projected, together_of
from subscriptions.usage.services import write_subjects

AT_ONCE = 1000
# item, shape of the version, known from, known to
Known = tuple[int, tuple[object, ...], datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many services and versions were looked at, and each difference in words."""

    services: int
    versions: int
    differences: tuple[str, ...]


def rebuild_versions(*, at: datetime, write: bool) -> Rebuilt:
    """Compare what is stored of every service with its facts; write what differs.

    These are the versions of items, and how items stand today. Without `write` nothing changes.
    """
    services = versions = 0
    said: list[str] = []
    for chains in _batches():
        with transaction.atomic():
            services += len(chains)
            stored = _stored([item.pk for chain in chains for item in chain.items])
            for chain in chains:
                wanted = derived(chain)
                versions += len(wanted)
                had = {row for item in chain.items for row in stored.get(item.pk, ())}
                if had != set(wanted):
                    said += _words(chain, had, set(wanted))
                    if write:
                        _write(chain, wanted)
                said += _misplaced(chain, at)
            said += _misplaced_subscriptions(chains)
            if write:
                _stand(chains, at)
                roots = [chain.root.pk for chain in chains]
                write_subjects(roots)
                touch_pools(roots)
    return Rebuilt(services, versions, tuple(said))


def derived(chain: Chain) -> list[Known]:
    """Every version that was ever believed of a chain, as its facts say."""
    moments = {1: chain.root.recorded_at} | {c.revision: c.recorded_at for c in chain.changes}
    told = sorted(chain.facts, key=lambda fact: (moments[fact.key], fact.key))
    found: list[Known] = []
    believed: dict[tuple[int, tuple[object, ...]], datetime] = {}
    facts = []
    for moment, several in groupby(told, key=lambda fact: moments[fact.key]):
        facts += list(several)
        spans = chain.described_spans(facts)
        # An account that has it later is not known before its transfer is.
        now = {
            (item, span_shape(span)) for item, own in by_item(chain, spans).items() for span in own
        }
        for key in [key for key in believed if key not in now]:
            found.append((*key, believed.pop(key), moment))
        for key in now - believed.keys():
            believed[key] = moment
    return [*found, *((*key, since, None) for key, since in believed.items())]


def _misplaced(chain: Chain, at: datetime) -> list[str]:
    """Items that stand otherwise than their facts say of today."""
    found = []
    for item in chain.items:
        now = clock.now(item.account) if item.account.test_now else at
        own = by_item(chain, chain.spans)[item.pk]
        stands = projected(item, own, clock.day(item.account, now))
        has = Stands(item.state, item.product_version_id, item.ended_on, item.next_turn_on)
        if has != stands:
            found.append(f"{item.number}: stands as {has}, by the facts as {stands}")
    return found


def _misplaced_subscriptions(chains: Sequence[Chain]) -> list[str]:
    """Subscriptions that stand otherwise than their items."""
    keys = {item.subscription_id for chain in chains for item in chain.items}
    found = []
    for subscription, stands in together_of(list(Subscription.objects.filter(pk__in=keys))):
        has = Together(subscription.state, subscription.started_on, subscription.ended_on)
        if has != stands:
            found.append(f"{subscription}: stands as {has}, by its items as {stands}")
    return found


def _stand(chains: Sequence[Chain], at: datetime) -> None:
    for chain in chains:
        now = chain.last.account.test_now or at
        project([chain], by_item(chain, chain.spans), at=now)


def _batches() -> Iterator[list[Chain]]:
    after = 0
    while True:
        roots = list(
            Item.objects.filter(root=None, pk__gt=after, anchor_on__isnull=False)
            .order_by("pk")
            .values_list("pk", flat=True)[:AT_ONCE]
        )
        if not roots:
            return
        yield list(chains_of(roots).values())
        after = roots[-1]


def _stored(item_ids: Sequence[int]) -> dict[int, list[Known]]:
    rows = ItemVersion.objects.filter(item__in=item_ids, recorded__isempty=False)
    found: dict[int, list[Known]] = {}
    for version in rows.annotate(first_line=F("item__order_line_id")):
        shape = (
            *(version.valid.lower, version.valid.upper, version.product_version_id),
            *(version.terms_id, version.quantity, version.standing == "in_use", version.billed),
            *(version.opens, version.order_line_id or version.first_line),
            described_text(version.described),
            version.delivered,
        )
        known = version.recorded
        row = (version.item_id, shape, known.lower, known.upper)
        found.setdefault(version.item_id, []).append(row)
    return found


def _words(chain: Chain, had: set[Known], wanted: set[Known]) -> list[str]:
    names = {item.pk: item.number for item in chain.items}

    def told(row: Known, verdict: str) -> str:
        since, until = (f"{moment.isoformat() if moment else 'now'}" for moment in row[2:])
        return f"{names[row[0]]}: {verdict} {row[1][0]} to {row[1][1]}, known {since} to {until}"

    return sorted(
        [told(row, "stored and not by the facts:") for row in had - wanted]
        + [told(row, "by the facts and not stored:") for row in wanted - had]
    )


def _write(chain: Chain, wanted: Sequence[Known]) -> None:
    """Put the versions of one chain in place of those that are stored."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL o2b.rebuilds = 'on'")
    items = [item.pk for item in chain.items]
    ItemVersion.objects.filter(item__in=items).delete()
    ItemVersion.objects.bulk_create([_row(*known) for known in wanted])


def _row(
    item: int, shape: tuple[Any, ...], since: datetime | None, until: datetime | None
) -> ItemVersion:
    start, end, version, terms, quantity, in_use, billed, opens, line, described, there = shape
    return ItemVersion(
        item_id=item,
        product_version_id=version,
        quantity=quantity,
        delivered=there,
        terms_id=terms,
        valid=DateRange(start, end, "[)"),
        recorded=DateTimeTZRange(since, until, "[)"),
        standing="in_use" if in_use else "suspended",
        billed=billed,
        opens=opens,
        order_line_id=line,
        described=None if described is None else json.loads(described),
    )
