"""Pools open when units come, follow the services that draw from them, and say what changed."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.models import Meter
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from subscriptions.models import Pool
from subscriptions.pools.statements import (
    CONCERNED,
    LIMIT,
    OF_ACCOUNTS,
    OF_SERVICES,
    PROJECT,
    REVISE_THESE,
)

ADDED_UP = ("sum", "count", "each")


class NotPooled(Invalid):
    """Only units that add up day by day can be covered by a pool."""

    code = "not_pooled"


class PoolStands(Refused):
    """There is a pool of the meter already."""

    code = "pool_stands"


@transaction.atomic
def touch_pools(roots: Collection[int], *, new: bool = False) -> None:
    """Pools follow services whose versions changed; what Terms bring units into is opened.

    `new`: the services have only begun, none on a day that is over, so that nothing that was
    billed can change. One query where no pool is concerned.
    """
    if not roots:
        return
    with connection.cursor() as cursor:
        cursor.execute(OF_SERVICES + CONCERNED, {"roots": sorted(roots)})
        pools = sorted(pk for (pk,) in cursor.fetchall())
        if pools:
            cursor.execute(PROJECT, {"pools": pools})
            cursor.execute(LIMIT, {"pools": pools})
            if not new:
                cursor.execute(REVISE_THESE, {"pools": pools})


def wait_for_others(account_ids: Collection[int]) -> None:
    """Nobody else begins a service of these accounts or says who draws, until the end of this."""
    with connection.cursor() as cursor:
        cursor.execute(OF_ACCOUNTS, {"accounts": sorted(set(account_ids))})


def revise_pools(pool_ids: Collection[int]) -> None:
    """Who draws from these pools is looked at again by billing; in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(PROJECT, {"pools": sorted(pool_ids)})
        cursor.execute(LIMIT, {"pools": sorted(pool_ids)})
        cursor.execute(REVISE_THESE, {"pools": sorted(pool_ids)})


@transaction.atomic
def open_pool(*, account_id: int, meter: str, name: str = "", at: datetime, by: int) -> Pool:
    """A pool without units yet: for some that are given by hand, or to be a hard limit."""
    account = Account.objects.get(pk=account_id)
    wait_for_others([account.pk])
    known = Meter.objects.filter(code=meter).first()
    if known is None:
        message = _("There is no meter “%(meter)s”.") % {"meter": meter}
        raise NotPooled(message, field="meter")
    if known.aggregation not in ADDED_UP:
        message = _("Units of %(meter)s do not add up: a pool cannot cover them.")
        raise NotPooled(message % {"meter": meter}, field="meter")
    pool, made = Pool.objects.get_or_create(
        account=account, meter=meter, defaults={"name": name.strip()[:80]}
    )
    if not made:
        message = _("The account has a pool of %(meter)s already.") % {"meter": meter}
        raise PoolStands(message, field="meter")
    revise_pools([pool.pk])
    events.record("pool.opened", pool, at=at, actor_id=by, meter=meter)
    return pool


@transaction.atomic
def rename_pool(*, pool_id: int, name: str, at: datetime, by: int) -> Pool:
    """Another name; empty: that of its account and meter."""
    pool = Pool.objects.select_for_update().get(pk=pool_id)
    pool.name = " ".join(name.split())[:80]
    pool.save(update_fields=["name"])
    events.record("pool.renamed", pool, at=at, actor_id=by, called=pool.name)
    return pool


@transaction.atomic
def set_hard(*, pool_id: int, hard: bool, at: datetime, by: int) -> Pool:
    """From now on usage beyond what the pool holds is refused, or it is counted and charged."""
    pool = Pool.objects.select_for_update().get(pk=pool_id)
    if pool.hard != hard:
        pool.hard = hard
        pool.save(update_fields=["hard"])
        with connection.cursor() as cursor:
            cursor.execute(LIMIT, {"pools": [pool.pk]})
        events.record("pool.hardened" if hard else "pool.softened", pool, at=at, actor_id=by)
    return pool
