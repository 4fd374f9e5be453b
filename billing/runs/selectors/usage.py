"""What metered charges are drafted from: totals by day, and whether usage came after the bill."""

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db import DatabaseError

from billing.rules.metering import UsageOf
from o2b.catalog.selectors.decks import decks_in_force
from o2b.charging import Aggregation, Used
from o2b.charging.facts import Prepaid
from o2b.sql import ask
from subscriptions.pools.rules import Ref, joined
from subscriptions.pools.selectors import first_days_open, prepaid_of
from subscriptions.pools.statements import USAGE_REVISION
from subscriptions.usage.rules.metering import ByDeck, Total, used_of

A_DAY = timedelta(days=1)

# `since` is the first day whose usage can matter; empty: all of it. A day is over an hour after it
# ended: what was being counted at midnight is seen by then. A test clock stands still meanwhile.
# Days are those of whose service it is, whoever pays.
METERED = (
    """
SELECT charge.id, COALESCE(item.root_id, item.id), meter.id, meter.aggregation,
       priced.details -> 'where', priced.details -> 'call' ->> 'deck',
       priced.details -> 'call' ->> 'number', account.time_zone,
       (COALESCE(clock.now, now() - interval '1 hour') AT TIME ZONE account.time_zone)::date,
       told.revision, told.revision > standing.seen_usage,
       standing.seen_revision < item.revision OR standing.billed_through IS NULL
           OR standing.taken_back_to > standing.billed_through
           OR COALESCE(share.seen < share.mark, false),
       item.revision > 1,
       CASE WHEN item.revision > 1 OR told.revision > standing.seen_usage
                OR share.seen < share.mark OR standing.taken_back_to > standing.billed_through
                OR priced.details ? 'allowance' OR meter.aggregation = 'average' THEN NULL
            ELSE standing.billed_through END AS since,
       charge.item_id, charge.terms_id, priced.key,
       ARRAY(SELECT drawer.pool_id FROM subscriptions_poolservice AS drawer
                 WHERE drawer.service_id = COALESCE(item.root_id, item.id)
                   AND drawer.meter_id = meter.id)
    FROM billing_charge AS charge
    JOIN billing_chargestate AS standing ON standing.charge_id = charge.id
    JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
    JOIN subscriptions_item AS item ON item.id = charge.item_id
    JOIN customers_account AS account ON account.id = item.account_id
    LEFT JOIN billing_chargeshare AS share ON share.charge_id = charge.id
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    LEFT JOIN catalog_meter AS meter
        ON meter.code = COALESCE(priced.details ->> 'meter', priced.key)
    CROSS JOIN LATERAL (SELECT """
    + USAGE_REVISION.format(service="COALESCE(item.root_id, item.id)", meter="meter.id")
    + """ AS revision) AS told
    WHERE charge.id = ANY(%s)
"""
)

# When a day was used last matters to the last value alone. The bounds are told twice, the second
# time so that Postgres leaves out whole months.
TOTALS = """
SELECT asked.charge_id, total.day, total.part, total.quantity, total.count,
       CASE WHEN asked.by_time THEN total.last_at AT TIME ZONE asked.zone END
    FROM unnest(%(charges)s::bigint[], %(services)s::bigint[], %(meters)s::bigint[],
                %(since)s::date[], %(today)s::date[], %(zones)s::text[], %(by_time)s::boolean[])
        AS asked (charge_id, service_id, meter_id, since, today, zone, by_time)
    JOIN subscriptions_usagetotal AS total
        ON total.service_id = asked.service_id AND total.meter_id = asked.meter_id
        AND total.day >= COALESCE(asked.since, '-infinity') AND total.day < asked.today
        AND total.count > 0
    WHERE total.day < %(last)s AND total.day >= COALESCE(%(first)s::date, '-infinity')
    ORDER BY asked.charge_id
"""


class _Asked(NamedTuple):
    charge: int
    service: int
    meter: int | None
    aggregation: str | None
    where: str | None
    deck: str | None
    number: str | None
    zone: str
    today: date
    seen: int
    unseen: bool
    changed: bool
    was_changed: bool
    since: date | None
    item: int
    terms: int
    key: str
    pools: list[int]


def usage_of(charge_ids: Collection[int], *, through: date | None = None) -> dict[int, UsageOf]:
    """What was used of each metered charge until today; nothing without a meter.

    With `through` as if that day were over, which a projection asks and no bill.

    Two queries; where decks rate calls, one more, and one for each version that this process has
    not read yet.

    A charge whose meter nobody has made yet bills nothing: no event of it can have come. Who draws
    from a pool is billed once the day is over for all who do, a few queries for each meter.
    """
    if not charge_ids:
        return {}
    asked = [_Asked(*row) for row in ask(METERED, [sorted(charge_ids)])]
    if through is not None:
        asked = [each._replace(today=through + A_DAY) for each in asked]
    used: dict[int, list[Used]] = {each.charge: [] for each in asked}
    by_deck = _by_deck(asked)
    told = {
        each.charge: (_aggregation(each), each.where, by_deck.get(each.charge)) for each in asked
    }
    plain = {each.charge: used[each.charge] for each in asked if _is_plain(each)}
    for row in _totals(asked):
        own = None if row[2] else plain.get(row[0])
        if own is not None:
            own.append(Used(row[1], row[3]))
            continue
        found = used_of(Total(*row[1:]), *told[row[0]])
        if found is not None:
            used[row[0]].append(found)
    pools = {pool for each in asked for pool in each.pools}
    opens = first_days_open(pools) if through is None else dict.fromkeys(pools, through + A_DAY)
    prepaid, broken = _covered(pools, opens)
    return {
        each.charge: UsageOf(
            tuple(used[each.charge]),
            told[each.charge][0],
            min([each.today, *(opens[pool] for pool in each.pools)]),
            each.seen,
            each.unseen,
            each.unseen and not each.changed,
            each.unseen or each.was_changed,
            prepaid.get((each.item, each.terms, each.key), ()) if each.pools else None,
            next((broken[pool] for pool in each.pools if pool in broken), ""),
        )
        for each in asked
    }


def _by_deck(asked: Collection[_Asked]) -> dict[int, ByDeck]:
    """How the calls of charges by deck find their rates: those of the version of their day."""
    codes = {each.deck for each in asked if each.deck}
    decks = decks_in_force(codes) if codes else {}
    return {
        each.charge: ByDeck(each.number or "", decks[each.deck].rate) for each in asked if each.deck
    }


def _covered(
    pools: Collection[int], until: Mapping[int, date]
) -> tuple[dict[Ref, tuple[Prepaid, ...]], dict[int, str]]:
    """What pools cover; and why some cannot be computed, which concerns who draws from them."""
    try:
        return (prepaid_of(pools, until=until) if pools else {}), {}
    except DatabaseError:
        raise
    except Exception:  # whatever it is, it is that of one pool: looked at one by one
        found, broken = [], {}
        for pool in sorted(pools):
            try:
                found.append(prepaid_of([pool], until=until))
            except (ArithmeticError, LookupError, TypeError, ValueError) as exc:
                broken[pool] = f"pool U-{pool}: {type(exc).__name__}: {exc}"
        return joined(found), broken


def _aggregation(charge: _Asked) -> Aggregation:
    return Aggregation(charge.aggregation or Aggregation.SUM)


def _is_plain(charge: _Asked) -> bool:
    """Whether a total that is not cut into parts counts as it is, which most do."""
    return not charge.where and charge.aggregation != Aggregation.LAST


def _totals(asked: Collection[_Asked]) -> list[tuple[Any, ...]]:
    """Charge, and the fields of its Total."""
    metered = [each for each in asked if each.meter is not None]
    if not metered:
        return []
    first = [each.since for each in metered]
    return ask(
        TOTALS,
        {
            "charges": [each.charge for each in metered],
            "services": [each.service for each in metered],
            "meters": [each.meter for each in metered],
            "since": first,
            "zones": [each.zone for each in metered],
            "today": [each.today for each in metered],
            "by_time": [each.aggregation == Aggregation.LAST for each in metered],
            "last": max(each.today for each in metered),
            "first": None if None in first else min(day for day in first if day),
        },
    )
