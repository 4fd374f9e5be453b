"""Tell services new facts: versions are derived again, and what is not believed any more is closed.

Whoever tells facts holds the accounts locked; chains are locked here, in ascending key.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from django.db import connection
from django.db.models import Func, OuterRef, Subquery, Value, prefetch_related_objects
from django.db.models.functions import Lower
from psycopg2.extras import DateRange, DateTimeTZRange

from o2b import events
from o2b.copying import write_all
from o2b.customers.models import Account
from o2b.periods import FOREVER
from subscriptions.models import (
    Act,
    Commitment,
    Item,
    ItemChange,
    ItemVersion,
    RenewalDue,
    ServiceState,
    Standing,
    Subscription,
)
from subscriptions.pools.services import touch_pools
from subscriptions.rules.checks import check_facts
from subscriptions.rules.timeline import Span
from subscriptions.timelines.chains import (
    Chain,
    believed,
    by_item,
    chains_of,
    described_text,
    describes,
    fact_of,
    lock_chains,
    priced_anew,
)
from subscriptions.timelines.turning import project
from subscriptions.usage.services import write_subjects


@dataclass(frozen=True, slots=True)
class NewFact:
    """One fact to be told of a service, and the order line that changed it."""

    act: Act
    on: date
    order_line_id: int
    product_version_id: int | None = None
    terms_id: int | None = None
    quantity: Decimal | None = None
    billing: str = ""
    account_id: int | None = None
    withdraws_id: int | None = None
    reason: str = ""
    delivered: Decimal | None = None


def tell_facts(
    told: Mapping[int, Sequence[NewFact]],
    *,
    at: datetime,
    actor_id: int | None = None,
    moment: datetime | None = None,
    chains: dict[int, Chain] | None = None,
) -> dict[int, Chain]:
    """Write facts of the chains with these roots, and all that follows from them.

    Refuses what contradicts the facts that are known; then nothing at all is written. They are
    known from now on, or from the moment at which this transaction opened what they are about.
    Who gives the `chains` has read them behind their locks.
    """
    if chains is None:
        lock_chains(told.keys())
        chains = chains_of(told.keys())
    moment = moment or database_now()
    changes = [c for root, facts in told.items() for c in _changes_of(chains[root], facts, moment)]
    prefetch_related_objects([c for c in changes if describes(c)], "order_line")
    for root in told:
        check_facts(chains[root].facts)
    write_all(changes)
    _continue(chains, changes)
    _due_again(changes)
    derive_versions(chains.values(), at=at, moment=moment)
    _tell(chains, changes, at, actor_id)
    return chains


def database_now() -> datetime:
    """This moment by the clock of Postgres; taken behind the locks, so that moments follow."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cast(datetime, cursor.fetchone()[0])


def _changes_of(chain: Chain, facts: Sequence[NewFact], moment: datetime) -> list[ItemChange]:
    """The rows to write; the chain knows them from here on."""
    made = []
    for key, fact in enumerate(facts, start=chain.next_key):
        change = row_of(fact, chain, key)
        change.recorded_at = moment
        made.append(change)
        chain.changes.append(change)
        chain.facts.append(fact_of(change))
    return made


def row_of(fact: NewFact, chain: Chain, key: int) -> ItemChange:
    """The row of a fact, not written yet; `key` is the revision that it makes."""
    return ItemChange(
        item=chain.root,
        revision=key,
        act=fact.act,
        on=fact.on,
        product_version_id=fact.product_version_id,
        terms_id=fact.terms_id,
        quantity=fact.quantity,
        billing=fact.billing,
        account_id=fact.account_id,
        withdraws_id=fact.withdraws_id,
        order_line_id=fact.order_line_id,
        reason=fact.reason[:500],
        delivered=fact.delivered,
    )


def _continue(chains: Mapping[int, Chain], changes: Sequence[ItemChange]) -> None:
    """A transfer gives the service another item: of the new account, on the same grid."""
    moved = [change for change in changes if change.act == Act.TRANSFER]
    if not moved:
        return
    subscriptions = Subscription.objects.bulk_create(
        Subscription(
            account=cast(Account, change.account),
            order_id=change.order_line.order_id,
            state=ServiceState.PENDING,
        )
        for change in moved
    )
    items = Item.objects.bulk_create(
        Item(
            subscription=subscription,
            account=cast(Account, change.account),
            order_line_id=change.order_line_id,
            product_version_id=change.item.product_version_id,
            serial=change.item.serial,
            state=ServiceState.PENDING,
            root=change.item,
            anchor_on=change.item.anchor_on,
            anchor_day=change.item.anchor_day,
        )
        for change, subscription in zip(moved, subscriptions, strict=True)
    )
    fresh = Item.objects.select_related("account__test_clock", "subscription", "order_line")
    for item in fresh.filter(pk__in=[item.pk for item in items]):
        chains[item.root_id_or_own].items.append(item)


def _due_again(changes: Sequence[ItemChange]) -> None:
    """An end that is taken back: its renewal is due again when the term ends, not at that end."""
    gone = [change.withdraws_id for change in changes if change.withdraws_id]
    ends = ItemChange.objects.filter(pk__in=gone, act=Act.END).values("item") if gone else ()
    if roots := [row["item"] for row in ends]:
        term = Commitment.objects.filter(pk=OuterRef("commitment")).values("ends_on")[:1]
        RenewalDue.objects.filter(item__in=roots).update(due_on=Subquery(term))


def derive_versions(chains: Iterable[Chain], *, at: datetime, moment: datetime) -> None:
    """Let the believed versions be what the facts say: close what is no more, write what is new."""
    chains = list(chains)
    wanted = {
        pk: spans
        for chain in chains
        for pk, spans in by_item(chain, chain.described_spans(chain.facts)).items()
    }
    known = believed(wanted.keys())
    new: list[ItemVersion] = []
    gone: list[int] = []
    touched: set[int] = set()
    for item_id, spans in wanted.items():
        rows = {_shape(version): version.pk for version in known[item_id]}
        shapes = {span_shape(span) for span in spans}
        gone += [pk for shape, pk in rows.items() if shape not in shapes]
        fresh = [span for span in spans if span_shape(span) not in rows]
        new += [version_of(item_id, span, moment) for span in fresh]
        if fresh or not rows.keys() <= shapes:
            touched.add(item_id)
    touched |= priced_anew(chains, wanted, known)
    _close(gone, moment)
    write_all(new)
    _stand(chains, wanted, touched, at)
    roots = [chain.root.pk for chain in chains]
    write_subjects(roots)
    touch_pools(roots)


def _close(versions: Collection[int], moment: datetime) -> None:
    """What is not believed any more, from this moment on."""
    if versions:
        known = Func(Lower("recorded"), Value(moment), Value("[)"), function="tstzrange")
        ItemVersion.objects.filter(pk__in=versions).update(recorded=known)


def _stand(
    chains: Sequence[Chain],
    spans: Mapping[int, Sequence[Span]],
    touched: Collection[int],
    at: datetime,
) -> None:
    """Count the revision of every item that was touched, and let it stand as of today."""
    for chain in chains:
        for item in chain.items:
            if item is chain.root:
                item.revision = max(fact.key for fact in chain.facts)
            elif item.pk in touched:
                item.revision += 1
            item.started_on = spans[item.pk][0].period.start if spans[item.pk] else item.started_on
    project(chains, spans, at=at)


def _tell(
    chains: Mapping[int, Chain], changes: Sequence[ItemChange], at: datetime, actor_id: int | None
) -> None:
    by_root: dict[int, list[dict[str, object]]] = defaultdict(list)
    for c in changes:
        told = {"act": c.act, "on": c.on.isoformat(), "order_line": c.order_line_id}
        by_root[c.item_id].append(told)
    events.record_many(
        "item.changed",
        [chain.root for chain in chains.values()],
        at=at,
        actor_id=actor_id,
        facts_of=lambda item: {"revision": item.revision, "changes": by_root[item.pk]},
    )
    touched = {i.subscription_id: i.subscription for c in chains.values() for i in c.items}
    events.record_many("subscription.changed", list(touched.values()), at=at, actor_id=actor_id)


def version_of(item_id: int, span: Span, moment: datetime) -> ItemVersion:
    """A span as it is stored, known from a moment on."""
    return ItemVersion(
        item_id=item_id,
        product_version_id=span.product_version,
        quantity=span.quantity,
        delivered=span.delivered,
        terms_id=span.terms,
        valid=DateRange(span.period.start, _open(span.period.end), "[)"),
        recorded=DateTimeTZRange(moment, None, "[)"),
        standing=Standing.IN_USE if span.in_use else Standing.SUSPENDED,
        billed=span.billed,
        opens=span.opens,
        order_line_id=span.line,
        described=None if span.described is None else json.loads(span.described),
    )


def _open(end: date) -> date | None:
    return None if end == FOREVER else end


def span_shape(span: Span) -> tuple[object, ...]:
    """All that makes two versions of an item the same."""
    return (
        *(span.period.start, _open(span.period.end), span.product_version, span.terms),
        *(span.quantity, span.in_use, span.billed, span.opens, span.line, span.described),
        span.delivered,
    )


def _shape(version: ItemVersion) -> tuple[object, ...]:
    return (
        *(version.valid.lower, version.valid.upper, version.product_version_id, version.terms_id),
        *(version.quantity, version.standing == Standing.IN_USE, version.billed, version.opens),
        *(version.order_line_id, described_text(version.described), version.delivered),
    )
