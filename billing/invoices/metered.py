"""The usage behind invoice lines: totals by day as they stand, for many lines in one query."""

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from billing.models import InvoiceLine
from o2b.catalog.models import Meter
from o2b.catalog.resolution import charge_terms
from o2b.catalog.selectors.decks import decks_in_force
from o2b.charging import Aggregation, ChargeTerms, Kind
from o2b.charging.ramps import terms_on
from o2b.charging.usage import Used
from subscriptions.usage.rules.metering import ByDeck, Total, used_of
from subscriptions.usage.rules.parts import Part, read_part

TOTALS = """
SELECT asked.line_id, total.day, total.part, total.quantity, total.count,
       total.last_at AT TIME ZONE asked.zone
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::date[], %s::date[], %s::text[])
        AS asked (line_id, service_id, meter_id, since, until, zone)
    JOIN subscriptions_usagetotal AS total
        ON total.service_id = asked.service_id AND total.meter_id = asked.meter_id
        AND total.day >= asked.since AND total.day < asked.until AND total.count > 0
    WHERE total.day >= %s AND total.day < %s
    ORDER BY asked.line_id, total.day, total.part
"""


class Portion(NamedTuple):
    """What was used on a day in one part, as it counts for a line."""

    used: Used
    events: int
    part: Part


class LineUsage(NamedTuple):
    """The usage of one line: what it is measured by, its price, and its days."""

    unit: str
    aggregation: Aggregation
    terms: ChargeTerms
    portions: list[Portion]


class _Asked(NamedTuple):
    line: InvoiceLine
    meter: Meter
    details: dict[str, Any]


def is_usage(line: InvoiceLine) -> bool:
    """Whether it bills what was measured."""
    return line.charge.terms_charge.kind == Kind.USAGE


def usage_of_lines(lines: Iterable[InvoiceLine]) -> dict[int, LineUsage]:
    """line → its usage, for lines of usage whose meter is there; two queries, none without any.

    Lines come with charge, Terms, item and account. Decks cost a query, and one for each version
    that this process has not read yet.
    """
    metered = [line for line in lines if is_usage(line)]
    if not metered:
        return {}
    asked = _asked(metered)
    decks = decks_in_force({each.details["call"]["deck"] for each in asked if _deck(each)})
    found: dict[int, LineUsage] = {}
    by_deck: dict[int, ByDeck] = {}
    for each in asked:
        line, charge = each.line, each.line.charge
        terms = charge_terms(charge.terms_charge, charge.currency)
        terms = terms_on(terms, line.period_start, started_on=charge.started_on)
        found[line.pk] = LineUsage(each.meter.unit, Aggregation(each.meter.aggregation), terms, [])
        if _deck(each):
            call = each.details["call"]
            by_deck[line.pk] = ByDeck(call.get("number") or "", decks[call["deck"]].rate)
    where = {each.line.pk: each.details for each in asked}
    for line_id, total in _totals(asked):
        usage = found[line_id]
        used = used_of(total, usage.aggregation, _where(where[line_id]), by_deck.get(line_id))
        if used is not None:
            usage.portions.append(Portion(used, total.events, read_part(total.part)))
    return found


def _asked(lines: Sequence[InvoiceLine]) -> list[_Asked]:
    told = [(line, line.charge.terms_charge.details or {}) for line in lines]
    codes = {details.get("meter") or line.charge.terms_charge.key for line, details in told}
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in=codes)}
    found = []
    for line, details in told:
        meter = meters.get(details.get("meter") or line.charge.terms_charge.key)
        if meter is not None:
            found.append(_Asked(line, meter, details))
    return found


def _deck(asked: _Asked) -> str:
    call = asked.details.get("call")
    return call.get("deck", "") if isinstance(call, dict) else ""


def _where(details: dict[str, Any]) -> str | None:
    where = details.get("where")
    return None if where is None else json.dumps(where)


def _totals(asked: Sequence[_Asked]) -> Iterable[tuple[int, Total]]:
    if not asked:
        return
    lines = [each.line for each in asked]
    values: list[Any] = [
        [line.pk for line in lines],
        [line.charge.item.root_id or line.charge.item_id for line in lines],
        [each.meter.pk for each in asked],
        [line.served_from for line in lines],
        [line.served_to for line in lines],
        [line.invoice.account.time_zone for line in lines],
        min(line.served_from for line in lines),  # so that Postgres leaves out whole months
        max(line.served_to for line in lines),
    ]
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, values)
        for line_id, *total in cursor.fetchall():
            yield line_id, Total(*total)


def units_of(usage: LineUsage) -> Decimal | None:
    """What the portions add up to; None where a period is measured otherwise than by its sum."""
    if usage.aggregation not in (Aggregation.SUM, Aggregation.COUNT, Aggregation.EACH):
        return None
    return sum((each.used.quantity for each in usage.portions), Decimal(0))
