"""Who else draws from a pool: an account with all its services, or one service."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.web.show import day_text
from subscriptions.models import Item, Pool, PoolMember
from subscriptions.pools.services.keeping import revise_pools, wait_for_others
from subscriptions.pools.services.limiting import BeyondLimit, covered_stays


class CannotShare(Invalid):
    """Whoever was named cannot draw from this pool."""

    code = "cannot_share"


class SharedElsewhere(Refused):
    """It draws from another pool of the meter on one of these days."""

    code = "shared_elsewhere"


class CoveredByLimit(Refused):
    """A hard pool covered what would be charged then."""

    code = "covered_by_limit"


class EndRefused(Invalid):
    """An end that has come already, or that lies before the beginning."""

    code = "end_refused"


@transaction.atomic
def share_pool(
    *,
    pool_id: int,
    account: Account | None = None,
    service: Item | None = None,
    begins_on: date | None = None,
    at: datetime,
    by: int,
) -> PoolMember:
    """An account, or one service, draws from the pool from a day on (today).

    A day that is over is possible: what was billed since is looked at again by the next run. Not
    if it takes away what a hard pool has covered: whoever used that was told that it is.
    """
    told_of = Pool.objects.values_list("account_id", flat=True).get(pk=pool_id)
    owners = [each.pk for each in (account, service and service.account) if each]
    wait_for_others([told_of, *owners])
    pool = Pool.objects.select_related("account").get(pk=pool_id)
    if service is not None and account is None:
        _check(pool, service.account, field="service")
    elif account is not None and service is None:
        _check(pool, account, field="account")
    else:
        raise CannotShare(_("Name an account or a service."), field="account")
    root = None if service is None else service.root or service
    first = begins_on or clock.day(pool.account, at)
    standing = PoolMember.objects.filter(meter=pool.meter).filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=first)
    )
    mine = Q(service=root) if root is not None else Q(account=account)
    held = standing.filter(mine).first()
    if held is not None:
        message = _("It draws from pool %(pool)s on one of these days. End that first.")
        raise SharedElsewhere(
            message % {"pool": held.pool.number},
            field="service" if root is not None else "account",
        )
    member = PoolMember(
        pool=pool,
        meter=pool.meter,
        account=account,
        service=root,
        holder=None if service is None else service.account,
        begins_on=first,
        added_by_id=by,
    )
    with _nobody_loses(member, field="begins_on"):
        member.save()
        revise_pools(_pools_of(member))
    events.record(
        "pool.shared", pool, at=at, actor_id=by, who=_named(member), begins_on=first.isoformat()
    )
    return member


def _check(pool: Pool, owner: Account, *, field: str) -> None:
    if field == "account" and owner.pk == pool.account_id:
        raise CannotShare(_("An account draws from its own pool anyway."), field=field)
    if owner.legal_entity_id != pool.account.legal_entity_id:
        message = _("The pool belongs to an account of another legal entity.")
        raise CannotShare(message, field=field)
    if owner.test_clock_id != pool.account.test_clock_id:
        message = _("The pool's account stands under another clock.")
        raise CannotShare(message, field=field)


@transaction.atomic
def end_sharing(
    *, member_id: int, ends_on: date | None = None, at: datetime, by: int
) -> PoolMember:
    """It draws from the pool no more, from a day on (today); the day of its begin: never did.

    An end that lies ahead may be told anew; one that has come stands. None takes away what a hard
    pool has covered.
    """
    member = (
        PoolMember.objects.select_for_update(of=["self"])
        .select_related("pool__account")
        .get(pk=member_id)
    )
    today = clock.day(member.pool.account, at)
    if member.ends_on is not None and member.ends_on <= today:
        raise EndRefused(_("It has ended already."), field="ends_on")
    last = ends_on or max(today, member.begins_on)
    if last < member.begins_on:
        raise EndRefused(_("It ends before it began."), field="ends_on")
    _refuse_elsewhere(member, until=last)
    with _nobody_loses(member, field="ends_on"):
        member.ends_on = last
        member.save(update_fields=["ends_on"])
        revise_pools(_pools_of(member))
    events.record(
        "pool.unshared",
        member.pool,
        at=at,
        actor_id=by,
        who=_named(member),
        ends_on=last.isoformat(),
    )
    return member


@contextmanager
def _nobody_loses(member: PoolMember, *, field: str) -> Iterator[None]:
    """What hard pools covered until now stays covered, on days that are over and today."""
    try:
        with covered_stays(_pools_of(member)):
            yield
    except BeyondLimit as exc:
        message = _(
            "A pool that is a hard limit has covered usage that would be charged then. Take a later"
            " day, or give units first."
        )
        raise CoveredByLimit(message, field=field) from exc


def _refuse_elsewhere(member: PoolMember, *, until: date) -> None:
    """A later end may reach into days on which it draws from another pool."""
    beyond = Q(ends_on__isnull=True) | Q(ends_on__gt=member.begins_on)
    others = PoolMember.objects.filter(beyond, meter=member.meter, begins_on__lt=until)
    mine = others.filter(account=member.account_id, service=member.service_id)
    held = mine.exclude(pk=member.pk).exclude(ends_on=F("begins_on")).first()
    if held is not None and until > member.begins_on:
        message = _("It draws from pool %(pool)s from %(day)s on. End it by then.")
        told = {"pool": held.pool.number, "day": day_text(held.begins_on)}
        raise SharedElsewhere(message % told, field="ends_on")


def _pools_of(member: PoolMember) -> set[int]:
    """The pool, and those that whoever it is drew from or draws from otherwise."""
    owner = member.account if member.service is None else member.service.account
    mine = Q(service=member.service_id) if member.service_id else Q(account=owner)
    others = PoolMember.objects.filter(mine | Q(account=owner), meter=member.meter)
    own = Pool.objects.filter(account=owner, meter=member.meter)
    return {
        member.pool_id,
        *others.values_list("pool_id", flat=True),
        *own.values_list("pk", flat=True),
    }


def _named(member: PoolMember) -> str:
    if member.account is not None:
        return member.account.reference
    return member.service.number if member.service else ""
