"""What was billed of charges so far, each period counted for the charge that answers for it."""

from collections.abc import Iterable
from decimal import Decimal

from o2b.charging import Billed
from o2b.charging.succeeding import Days, History, Successor, succeeded, with_rates
from o2b.periods import FOREVER
from o2b.sql import ask

HISTORY = """
SELECT charge_id, period_start, segment, max(revision), sum(amount), max(period_end),
       (array_agg(tax_rate ORDER BY revision))[1], sum(tax), bool_or(reverses IS NOT NULL),
       max(served_to)
    FROM billing_invoiceline WHERE charge_id = ANY(%s)
    GROUP BY charge_id, period_start, segment ORDER BY charge_id, period_start, segment
"""

# Of periods of which something was reversed: the rate of the first line that stands, if one does.
STANDING = """
SELECT line.charge_id, line.period_start, line.segment,
       (array_agg(line.tax_rate ORDER BY line.revision))[1]
    FROM billing_invoiceline AS line
    WHERE line.charge_id = ANY(%s) AND line.reverses IS NULL AND NOT EXISTS (
        SELECT FROM billing_invoiceline AS undoing
            WHERE undoing.charge_id = line.charge_id AND undoing.period_start = line.period_start
                AND undoing.segment = line.segment AND undoing.reverses = line.revision
    )
    GROUP BY line.charge_id, line.period_start, line.segment
"""

# Charges of one measure: the same product of an item, counted by the same key and meter on the
# same grid for the same payer, of which only the price differs. A trial moves the grid. What recurs
# is told too, of whatever product: its periods have one rate of tax. Only those that have others.
MEASURES = """
WITH asked AS MATERIALIZED (
    SELECT DISTINCT charge.item_id
        FROM billing_charge AS charge
        JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
        JOIN subscriptions_item AS item ON item.id = charge.item_id
        WHERE charge.id = ANY(%s) AND priced.kind <> 'one_time' AND item.revision > 1
), alike AS (
    SELECT charge.id, charge.item_id, charge.terms_id, priced.kind,
           min(charge.id) OVER same AS measure, count(*) OVER same AS number
        FROM asked
        JOIN billing_charge AS charge ON charge.item_id = asked.item_id
        JOIN catalog_termscharge AS priced ON priced.id = charge.terms_charge_id
        JOIN catalog_terms AS terms ON terms.id = charge.terms_id
        JOIN catalog_productversion AS is_ ON is_.id = terms.product_version_id
        WHERE priced.kind <> 'one_time' AND NOT (priced.kind = 'usage' AND priced.details ? 'trial')
        WINDOW same AS (
            PARTITION BY charge.item_id, charge.account_id, priced.kind, priced.key,
                COALESCE(priced.details ->> 'meter', priced.key),
                CASE WHEN priced.kind = 'usage' THEN is_.product_id END,
                priced.details ->> 'trial', charge.brings_money,
                charge.currency, charge.started_on, charge.anchor_day,
                priced.interval_unit, priced.interval_count, priced.timing, priced.alignment,
                priced.tax_code, priced.revenue_rule
        )
)
SELECT alike.kind = 'usage', alike.measure, alike.id, lower(version.valid), upper(version.valid),
    EXISTS (
        SELECT FROM subscriptions_itemversion AS next
            WHERE next.item_id = alike.item_id AND upper_inf(next.recorded) AND next.billed
                AND lower(next.valid) = upper(version.valid)
    )
    FROM alike
    LEFT JOIN subscriptions_itemversion AS version
        ON version.item_id = alike.item_id AND version.terms_id = alike.terms_id
        AND upper_inf(version.recorded) AND version.billed
    WHERE alike.number > 1
    ORDER BY alike.measure, alike.id, lower(version.valid)
"""


def with_history(told: History, charge_ids: Iterable[int]) -> History:
    """What is told already, and of those charges that nobody has asked about what was billed."""
    unasked = set(charge_ids) - told.keys()
    return {**told, **billed_history(unasked)} if unasked else told


def billed_history(charge_ids: Iterable[int]) -> History:
    """What has been billed of each of these charges, by full period and segment; () if nothing.

    A usage charge answers for what one of another price was billed for days that are its own now,
    if that has none left of the period; otherwise, and of what recurs, it bears the rate of tax
    that the other one was billed at for such days.
    """
    wanted = sorted(set(charge_ids))
    if not wanted:
        return {}
    usage, recurring = _measures(wanted)
    others = {each.charge_id for measure in (*usage, *recurring) for each in measure}
    found: dict[int, list[Billed]] = {pk: [] for pk in wanted}
    reversed_ = set()
    for charge_id, *row in ask(HISTORY, [sorted(others.union(wanted))]):
        billed = Billed(*row)
        found.setdefault(charge_id, []).append(billed)
        if billed.undone:  # something of it was: what stands is looked at
            reversed_.add(charge_id)
    if reversed_:
        _look_at_reversed(found, sorted(reversed_))
    history = {charge_id: tuple(rows) for charge_id, rows in found.items()}
    if usage:
        history = succeeded(usage, history)
    return with_rates((*usage, *recurring), history) if others else history


def _look_at_reversed(history: dict[int, list[Billed]], charge_ids: list[int]) -> None:
    """Tell what was undone altogether from what other lines still bill, at their rate."""
    stands = {tuple(key): percent for *key, percent in ask(STANDING, [charge_ids])}
    for charge_id in charge_ids:
        history[charge_id] = [
            _standing(each, stands.get((charge_id, each.period_start, each.segment)))
            if each.undone
            else each
            for each in history[charge_id]
        ]


def _standing(billed: Billed, percent: Decimal | None) -> Billed:
    if percent is None:
        return billed
    return billed._replace(percent=percent, undone=False)


Measures = list[list[Successor]]


def _measures(charge_ids: list[int]) -> tuple[Measures, Measures]:
    """Those of usage, and of what recurs."""
    days: dict[tuple[bool, int, int], list[Days]] = {}
    for is_usage, measure, charge_id, start, end, goes_on in ask(MEASURES, [charge_ids]):
        of_charge = days.setdefault((is_usage, measure, charge_id), [])
        if start is not None:
            of_charge.append(Days(start, end or FOREVER, end is None or goes_on))
    found: dict[bool, dict[int, list[Successor]]] = {True: {}, False: {}}
    for (is_usage, measure, charge_id), own in days.items():
        found[is_usage].setdefault(measure, []).append(Successor(charge_id, tuple(own)))
    return list(found[True].values()), list(found[False].values())
