"""Write down what was passed, once for ever, and tell of it: the advocate at once, the customer."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from o2b import events
from o2b.customers.models import Account, Contact
from o2b.people.notices.services import tell_many
from o2b.sql import ask
from subscriptions.models import UsageAlertSent
from subscriptions.usage.alerts.rules import Passed, Rule, Watched, passed
from subscriptions.usage.alerts.selectors import known_of, rules_of
from subscriptions.usage.alerts.services.notes import note_of
from subscriptions.usage.alerts.statements import COLUMNS, TELL_ONCE


def tell_passed(seen: Sequence[Watched], machine_now: datetime) -> int:
    """Tell of what rules say of these charges; of how many thresholds.

    Call it in a transaction. Whoever told of the same before, also a moment ago, has told it.
    """
    rules = rules_of({each.account.pk for each in seen})
    known = known_of(seen)
    rows = []
    for each in seen:
        whose = (each.account.pk, each.item.pk if each.item else None, each.charge)
        for of, rule in rules.of_watched(each).items():
            if rule.active and of in each.readings:
                before = known.get((*whose, of, each.period.start), set())
                news = passed(rule.thresholds, each.readings[of], known=before)
                rows += [_row(each, rule, new, machine_now) for new in news]
    return tell_rows(rows)


def tell_rows(rows: Sequence[UsageAlertSent]) -> int:
    """Write the facts that nobody wrote before, and tell of those to be told; in a transaction."""
    told = [row for row in _written(rows) if row.told]
    _tell(told)
    return len(told)


def _row(each: Watched, rule: Rule, new: Passed, machine_now: datetime) -> UsageAlertSent:
    reading = each.readings[rule.of]
    return UsageAlertSent(
        rule_id=rule.key,
        account=each.account,
        item=each.item,
        charge=each.charge,
        meter=each.meter,
        of=rule.of,
        threshold=new.threshold,
        period_start=each.period.start,
        period_end=each.period.end,
        reached=reading.reached,
        limit=reading.limit,
        used=each.used,
        forecast=each.forecast,
        amount=each.amount,
        currency=each.currency,
        unit=each.unit,
        told=new.told,
        at=each.account.test_now or machine_now,
    )


def _written(rows: Sequence[UsageAlertSent]) -> list[UsageAlertSent]:
    """The rows that nobody had written before, with their numbers."""
    if not rows:
        return []
    reachable = _with_address({row.account.customer_id for row in rows if row.told})
    for row in rows:
        row.letter_owed = row.told and row.account.customer_id in reachable
    values = {name: [getattr(row, name) for row in rows] for name in COLUMNS}
    keys = {tuple(key): pk for pk, *key in ask(TELL_ONCE, values)}
    found = []
    for row in rows:
        whose = (row.account_id, row.item_id, row.charge)
        if pk := keys.get((*whose, row.of, row.period_start, row.threshold)):
            row.pk = pk
            found.append(row)
    return found


def _with_address(customers: Iterable[int]) -> set[int]:
    """The customers who can be written to."""
    rows = Contact.objects.filter(customer__in=customers).order_by()
    return set(rows.values_list("customer_id", flat=True))


def _tell(rows: Sequence[UsageAlertSent]) -> None:
    """A fact for each, and one notice an account; the letter follows by the outbox."""
    by_moment: dict[datetime, list[UsageAlertSent]] = defaultdict(list)
    by_account: dict[Account, list[UsageAlertSent]] = defaultdict(list)
    for row in rows:
        by_moment[row.at].append(row)
        by_account[row.account].append(row)
    for at, some in by_moment.items():
        events.record_many("usage_alert.passed", some, at=at, facts_of=_facts)
    tell_many([note_of(account, some) for account, some in by_account.items()])


def _facts(row: UsageAlertSent) -> dict[str, Any]:
    return {
        "item": row.item_id,
        "charge": row.charge,
        "of": row.of,
        "threshold": f"{row.threshold.normalize():f}",
        "period_start": row.period_start.isoformat(),
    }
