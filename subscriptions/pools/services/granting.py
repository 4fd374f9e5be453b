"""Units given by hand: goodwill, a promotion, a correction; ended when they are taken back."""

from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock, events
from o2b.charging.pooling import Draw
from o2b.charging.terms import TermsInvalid
from o2b.charging.terms.checks import check_count, check_positive
from o2b.charging.terms.granted import MOST_PRIORITY
from o2b.errors import Invalid
from subscriptions.models import Pool, PoolGrant
from subscriptions.pools.incoming import ref_of
from subscriptions.pools.selectors import pool_states
from subscriptions.pools.services.keeping import revise_pools
from subscriptions.pools.services.limiting import AHEAD
from subscriptions.pools.services.sharing import EndRefused

PLACES = 6
MOST_UNITS = Decimal(10) ** 12
A_DAY = timedelta(days=1)
SMALLEST = Decimal("1E-12")


class GrantRefused(Invalid):
    """Units, priority, days or reason that cannot be."""

    code = "grant_refused"


@transaction.atomic
def grant_units(
    *,
    pool_id: int,
    units: Decimal,
    reason: str,
    priority: int = 100,
    begins_on: date | None = None,
    ends_on: date | None = None,
    at: datetime,
    by: int,
) -> PoolGrant:
    """Units for a pool from a day on (today) until another (for ever).

    A day that is over is possible: what was billed since is looked at again by the next run.
    """
    why = " ".join(reason.split())[:200]
    if not why:
        raise GrantRefused(_("Say why."), field="reason")
    _check_units(units)
    try:
        check_count("priority", priority, most=MOST_PRIORITY)
    except TermsInvalid as fault:
        message = _("A whole number from 0 to %(most)s.") % {"most": MOST_PRIORITY}
        raise GrantRefused(message, field="priority") from fault
    pool = Pool.objects.select_for_update(of=["self"]).select_related("account").get(pk=pool_id)
    first = begins_on or clock.day(pool.account, at)
    if ends_on is not None and ends_on <= first:
        raise GrantRefused(_("They end after they begin."), field="ends_on")
    grant = PoolGrant.objects.create(
        pool=pool,
        units=units,
        priority=priority,
        begins_on=first,
        ends_on=ends_on,
        reason=why,
        granted_by_id=by,
        granted_at=at,
    )
    revise_pools([pool.pk])
    events.record(
        "pool.granted", pool, at=at, actor_id=by, units=f"{units:f}", reason=why, grant=grant.pk
    )
    return grant


def _check_units(units: Decimal) -> None:
    try:
        check_positive("units", units)
    except TermsInvalid as fault:
        raise GrantRefused(_("A number of units above zero."), field="units") from fault
    if units >= MOST_UNITS or units != round(units, PLACES):
        message = _("Below 10^12 and with at most %(places)s decimals.") % {"places": PLACES}
        raise GrantRefused(message, field="units")


@transaction.atomic
def end_grant(*, grant_id: int, reason: str, at: datetime, by: int) -> PoolGrant:
    """What is left of units given by hand is taken back today; what was drawn stays drawn.

    Also what was drawn today, which goes on: so they end tomorrow, or after the last day drawn on;
    never having come, if they begin today or later and nobody drew.
    """
    why = " ".join(reason.split())[:200]
    if not why:
        raise GrantRefused(_("Say why."), field="reason")
    grant = (
        PoolGrant.objects.select_for_update(of=["self"])
        .select_related("pool__account")
        .get(pk=grant_id)
    )
    Pool.objects.select_for_update(no_key=True).get(pk=grant.pool_id)
    today = clock.day(grant.pool.account, at)
    if grant.kept is not None or (grant.ends_on is not None and grant.ends_on <= today):
        raise EndRefused(_("They have ended."), field="ends_on")
    drawn = _drawn_of(grant, today)
    units = sum((each.units for each in drawn), Decimal(0))
    grant.kept = min(units.quantize(SMALLEST, rounding=ROUND_UP), grant.units)
    last = max([today, *(each.day for each in drawn)])
    undone = not drawn and grant.begins_on >= today
    grant.ends_on = grant.begins_on if undone else last + A_DAY
    grant.save(update_fields=["ends_on", "kept"])
    revise_pools([grant.pool_id])
    events.record("pool.grant_ended", grant.pool, at=at, actor_id=by, grant=grant.pk, reason=why)
    return grant


def _drawn_of(grant: PoolGrant, today: date) -> list[Draw]:
    """What was drawn of it, also where it is tomorrow already."""
    (state,) = pool_states([grant.pool_id], until={grant.pool_id: today + AHEAD})
    return [each for each in state.drawing.draws if each.lot == ref_of(grant)]
