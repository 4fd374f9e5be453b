"""Live usage of services: each metered charge with its running period, from totals by day."""

from collections.abc import Collection
from datetime import date, timedelta

from o2b.charging import Aggregation, running_period
from subscriptions.models import Item
from subscriptions.pools.rules import Ref, joined
from subscriptions.pools.selectors import PoolState, pool_states, pools_of_services
from subscriptions.usage.metered import Metered, metered, with_usage
from subscriptions.usage.rules.live import Live, PoolNow, live

PERIODS_BEFORE = 6
A_DAY = timedelta(days=1)


def live_usage(items: Collection[Item], *, today: date) -> list[Live]:
    """Every metered charge of these items (with their account), those that run first.

    Few queries, whatever the number of items; none but the first for items without usage.
    """
    charges = metered(items)
    if not charges:
        return []
    pools = pools_of_services({item.root_id_or_own for item in items})
    states = pool_states(pools) if pools else []
    prepaid = joined(each.covered for each in states)
    drawn = _pools_now(states, today)
    found = [
        live(
            item=each.item,
            charge=each.terms,
            facts=each.facts._replace(prepaid=prepaid.get(each.ref)),
            meter=each.meter,
            today=today,
            pool=drawn.get(each.ref),
        )
        for each in with_usage(charges, [_since(each, today) for each in charges])
    ]
    return sorted(found, key=lambda each: (each.running is None, each.item.pk))


def _pools_now(states: Collection[PoolState], today: date) -> dict[Ref, PoolNow]:
    """The pool that each charge draws from today, by charge."""
    return {
        drawer.ref: PoolNow(state.pool, state.drawing.left)
        for state in states
        for drawer in state.drawers
        if drawer.draws.on(today) == state.pool.pk
    }


def _since(charge: Metered, today: date) -> date | None:
    """The first day whose usage is shown or matters; None: all of it, as in a bill run."""
    facts = charge.facts
    if charge.terms.allowance is not None or charge.aggregation is Aggregation.AVERAGE:
        return None
    last = min(today, facts.segments[-1].period.end - A_DAY)
    full = running_period(facts, on=last)
    for _period in range(PERIODS_BEFORE):
        before = full and running_period(facts, on=full.start - A_DAY)
        if before is None:
            break
        full = before
    return full.start if full else facts.segments[0].period.start
