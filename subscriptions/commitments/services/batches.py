"""Work on many services at once: whole accounts that nobody holds, and one bad one never stops all.

Two processes at the same work take different accounts.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from o2b.customers.models import Account
from subscriptions.commitments.selectors import roots_held_by
from subscriptions.timelines.chains import lock_chains

log = logging.getLogger(__name__)

AT_ONCE = 500
MOST = 5000  # of one account in one transaction
SHARDS = 4  # so many processes find something to do beside each other

Effect = Callable[[Sequence[Any], dict[int, Account], datetime], None]
Whose = Callable[[Collection[int]], QuerySet[Any, Any]]
Fault = Callable[[Any, Account, Exception, datetime], None]


def take(
    due: QuerySet[Any], *, limit: int = AT_ONCE, whose: Whose = roots_held_by
) -> tuple[list[Any], dict[int, Account]]:
    """Rows that are due, all of an account together, and those accounts, locked.

    Call it in a transaction. The rows have `holder`, the account, and `root`, the first item of
    the chain; `whose` says which values of `item` belong to some accounts.
    """
    waiting = list(due.values_list("holder", flat=True)[: limit * SHARDS])
    for n in range(0, len(waiting), limit):
        locked = (
            Account.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
            .select_related("customer", "test_clock", "advocate")
            .filter(pk__in=set(waiting[n : n + limit]))
            .order_by("pk")
        )
        accounts = {account.pk: account for account in locked}
        if not accounts:
            continue
        rows = due.filter(item__in=whose(accounts.keys()))
        found = [row for row in rows.order_by("holder", "item_id")[:MOST] if row.holder in accounts]
        if found:
            lock_chains({row.root for row in found})
            return found, accounts
    return [], {}


def by_moment(
    rows: Sequence[Any], accounts: dict[int, Account], machine_now: datetime
) -> Iterator[tuple[datetime, list[Any]]]:
    """The rows by the moment in which their accounts live."""
    found: dict[datetime, list[Any]] = {}
    for row in rows:
        found.setdefault(accounts[row.holder].test_now or machine_now, []).append(row)
    yield from found.items()


def together(
    rows: Sequence[Any],
    accounts: dict[int, Account],
    at: datetime,
    *,
    effect: Effect,
    fault: Fault,
) -> None:
    """The effect on all rows; where that fails, on halves of them, down to the one at fault."""
    try:
        with transaction.atomic():
            effect(rows, accounts, at)
    except Exception as exc:
        if len(rows) == 1:
            log.warning("%s: %s: %s", rows[0], type(exc).__name__, exc)
            fault(rows[0], accounts[rows[0].holder], exc, at)
            return
        half = len(rows) // 2
        together(rows[:half], accounts, at, effect=effect, fault=fault)
        together(rows[half:], accounts, at, effect=effect, fault=fault)
