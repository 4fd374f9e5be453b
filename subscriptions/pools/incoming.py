"""What comes into pools: lots of the charges in service that grant units, and of grants by hand."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from o2b.catalog.models import TermsCharge
from o2b.charging import ChargeFacts, ChargeTerms, Kind, from_canonical
from o2b.charging.granting import lots_of
from o2b.charging.pooling import Lot
from o2b.money import EXACT
from subscriptions.models import Item, ItemVersion, Pool, PoolGrant
from subscriptions.selectors import known_now
from subscriptions.usage.metered import begins_of, facts_of

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a lot comes from: the item whose charge grants it, or what was given by hand."""

    item: Item | None = None
    terms: ChargeTerms | None = None
    grant: PoolGrant | None = None


class _Granting(NamedTuple):
    """A charge that grants, with the days that are billed under its Terms."""

    ref: str
    item: Item
    terms: ChargeTerms
    facts: ChargeFacts


def lots_into(
    pools: Collection[Pool], meter: str, on: Mapping[int, date]
) -> tuple[dict[int, list[Lot]], dict[str, Source]]:
    """The lots of each pool up to a day of each, and where they come from; pools of one meter.

    Sources are told by the part of a lot's reference before the colon.
    """
    found: dict[int, list[Lot]] = {pool.pk: [] for pool in pools}
    sources: dict[str, Source] = {}
    owners = {pool.account_id: pool for pool in pools}
    for each in _granting(owners, meter):
        pool = owners[each.item.account_id]
        sources[each.ref] = Source(each.item, each.terms)
        found[pool.pk] += lots_of(each.ref, each.facts, on=on[pool.pk])
    given = PoolGrant.objects.filter(pool__in=pools).select_related("granted_by")
    for grant in given.order_by("pk"):
        sources[ref_of(grant)] = Source(grant=grant)
        if grant.begins_on <= on[grant.pool_id] and grant.ends_on != grant.begins_on:
            found[grant.pool_id].append(_lot_of(grant))
    return found, sources


def ref_of(grant: PoolGrant) -> str:
    """The reference of the lot that was given by hand."""
    return f"g{grant.pk}"


def _lot_of(grant: PoolGrant) -> Lot:
    """What was taken back left the pool on the last day on which the lot is good."""
    lot = Lot(ref_of(grant), grant.units, grant.begins_on, priority=grant.priority)
    if grant.ends_on is None:
        return lot
    lot = lot._replace(ends=grant.ends_on)
    if grant.kept is None or grant.kept == grant.units:
        return lot
    return lot._replace(taken=(grant.ends_on - A_DAY, EXACT.subtract(grant.units, grant.kept)))


def _granting(accounts: Collection[int], meter: str) -> Iterator[_Granting]:
    granting = TermsCharge.objects.filter(details__grant__meter=meter)
    versions = (
        known_now()
        .filter(item__account__in=accounts, billed=True)
        .filter(terms__in=granting.values("terms"))
        .select_related("terms", "item__account", "item__product_version__product")
        .order_by("item", "valid")
    )
    by_item: dict[int, list[ItemVersion]] = defaultdict(list)
    for version in versions:
        by_item[version.item_id].append(version)
    begins = begins_of([several[0].item for several in by_item.values()]) if by_item else set()
    for several in by_item.values():
        yield from _of_item(several, meter, begins)


def _of_item(
    versions: list[ItemVersion], meter: str, begins: set[tuple[int, date]]
) -> Iterable[_Granting]:
    """One charge for all Terms that grant the same in the same periods, whatever their price.

    A correction of a price or a renewal brings no unit twice. What is owed once counts where its
    Terms first hold.
    """
    groups: dict[Any, list[ItemVersion]] = defaultdict(list)
    terms_of: dict[Any, ChargeTerms] = {}
    for version in versions:
        for terms in from_canonical(version.terms.body).charges:
            if terms.grant is None or terms.grant.meter != meter:
                continue
            once = terms.kind is Kind.ONE_TIME
            if not once or version.opens:
                name = (terms.key, version.terms_id) if once else _grid(terms)
                terms_of[name] = terms
                groups[name].append(version)
    item = versions[0].item
    for name, terms in terms_of.items():
        several = groups[name]
        if terms.kind is Kind.ONE_TIME:
            several = several[:1]
        facts = facts_of(item, terms, several, begins)
        if terms.kind is Kind.ONE_TIME:
            facts = facts._replace(started_on=facts.segments[0].period.start)
        yield _Granting(f"i{item.pk}.{several[0].terms_id}.{terms.key}", item, terms, facts)


def _grid(terms: ChargeTerms) -> tuple[Any, ...]:
    """What has to be equal for two Terms to grant as one."""
    return (
        *(terms.key, terms.kind, terms.interval, terms.timing, terms.alignment),
        *(terms.proration, terms.trial, terms.conventions, terms.grant),
    )
