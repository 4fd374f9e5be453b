"""Claim what comes next: one statement that takes the task, begins its line and writes the news.

Fifty clerks press the button at once, so it is one round trip. The states, the stamps and the news
come from the declared transitions; nobody waits for a lock, and nobody gets what another takes.
"""

import time
from datetime import datetime
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection

from o2b import fsm
from o2b.flow import REACTIONS
from orders.fulfilment.services.hand.claiming import begin_line
from orders.models import OrderLine, Task
from orders.queues import is_administrator

# Seconds before each look; the pauses are only taken while a task is seen that is held just now.
LOOKS = (0, 0, 0.02, 0.05, 0.1, 0.2, 0.4)
# What each connection knows by name; a new one knows nothing.
_PREPARED: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()

# Of each of one's queues the first task that is free; the best of those is taken. A line that
# somebody holds locked at this moment is begun afterwards.
FREE = """
    SELECT free.*, {its_now} AS its_now FROM {mine} CROSS JOIN LATERAL (
        SELECT task.id, task.line_id, task.account_id, task.priority,
               line.state = '{unbegun}' AS is_new
            FROM orders_task AS task
            JOIN orders_orderline AS line ON line.id = task.line_id
            WHERE task.queue_id = mine.queue_id AND task.kind = 'manual'
              AND task.state = '{ready}' {skilled}
              AND (line.state IN ('scheduled', 'provisioning')
                   OR (line.state = 'cancelling' AND task.compensates_id IS NOT NULL))
            ORDER BY task.priority DESC, task.id
            LIMIT 1 {lock}) AS free
        WHERE {which}
        ORDER BY free.priority DESC, free.id LIMIT 1
"""
CLAIM = """
WITH best AS MATERIALIZED ({free}), taken AS (
    UPDATE orders_task AS task
        SET state = '{claimed}', {claim_stamp} = best.its_now, claimed_by_id = $1
        FROM best WHERE task.id = best.id
        RETURNING task.id, task.name, task.state, task.order_id, task.line_id, task.account_id,
                  task.queue_id, task.claimed_by_id, task.claimed_at, best.is_new
), begun AS (
    UPDATE orders_orderline AS line
        SET state = '{begun}', {begin_stamp} = (SELECT its_now FROM best)
        WHERE line.id = (SELECT held.id FROM orders_orderline AS held
                         WHERE held.id = (SELECT line_id FROM best WHERE is_new)
                           AND held.state = '{unbegun}' FOR NO KEY UPDATE SKIP LOCKED)
        RETURNING line.id, line.order_id, line.account_id, line.{begin_stamp} AS began_at
), news AS (
    INSERT INTO o2b_event (name, subject_type, subject_id, account_id, order_id, at, recorded_at,
                           actor_id, cause, facts)
        SELECT '{claim_news}', 'orders.task', id, account_id, order_id, claimed_at,
               statement_timestamp(), $1, '', '{{}}'::jsonb FROM taken
        UNION ALL
        SELECT '{begin_news}', 'orders.orderline', id, account_id, order_id, began_at,
               statement_timestamp(), $1, '', '{{}}'::jsonb FROM begun
)
SELECT taken.*, is_new AND NOT EXISTS (SELECT 1 FROM begun) AS is_left FROM taken
"""
# The moment that the task's account lives in: its test clock's, else the machine's.
ITS_NOW = """COALESCE((SELECT clock.now FROM o2b_testclock AS clock
        JOIN customers_account AS account ON account.test_clock_id = clock.id
        WHERE account.id = free.account_id), $2)"""
MEMBER = {
    "mine": "orders_queuemember AS mine",
    "skilled": "AND task.skills <@ mine.skills",
    "which": """mine.user_id = $1
          AND (mine.capacity = 0 OR mine.capacity > (
               SELECT count(*) FROM orders_task AS has WHERE has.claimed_by_id = $1
                   AND has.state = '{claimed}' AND has.queue_id = mine.queue_id))""",
}
ADMINISTRATOR = {
    "mine": "(SELECT id AS queue_id FROM orders_queue) AS mine",
    "skilled": "",
    "which": "true",
}


def claim_next(*, user_id: int, at: datetime, queue_id: int | None = None) -> Task | None:
    """Take the task that comes first and that nobody else is taking; None if none waits.

    `at` is the machine's moment: whose task it will be, and by which clock, nobody knows before.
    The highest priority of one's queues, then the oldest, of those that one is skilled for;
    administrators work in all queues. One person's two claims at the very same moment may pass a
    capacity by one.
    """
    task = _claim(user_id, at, queue_id, is_boss=False)
    if task is None and is_administrator(user_id):
        task = _claim(user_id, at, queue_id, is_boss=True)
    return task


def _claim(user_id: int, at: datetime, queue_id: int | None, *, is_boss: bool) -> Task | None:
    name = _prepare("claim", is_boss=is_boss, of_one_queue=queue_id is not None)
    given = [user_id, at, queue_id]
    for pause in LOOKS:
        # Who works in several queues holds one task of each for a moment, and so does a machine
        # that advances the order: one that waits unclaimed is looked for again.
        if pause and not _waits(given, is_boss=is_boss):
            return None
        time.sleep(pause)
        for task in Task.objects.raw(f"EXECUTE {name}(%s, %s, %s)", given):
            if task.is_left:  # type: ignore[attr-defined]
                begin_line(task, task.claimed_at or at, user_id)
            return task
    return None


def _waits(given: list[Any], *, is_boss: bool) -> bool:
    """Whether a task waits for this person, held by somebody at this moment or not."""
    name = _prepare("wait", is_boss=is_boss, of_one_queue=given[2] is not None)
    with connection.cursor() as cursor:
        cursor.execute(f"EXECUTE {name}(%s, %s, %s)", given)
        return cursor.fetchone() is not None


def _prepare(what: str, *, is_boss: bool, of_one_queue: bool) -> str:
    """The statement's name in this connection's session, where it is planned once.

    Planning it costs more than doing it.
    """
    name = f"o2b_{what}_{'any' if is_boss else 'mine'}_{'one' if of_one_queue else 'all'}"
    connection.ensure_connection()
    known = _PREPARED.setdefault(connection.connection, set())
    if name not in known:
        with connection.cursor() as cursor:
            types = "bigint, timestamptz, bigint"
            statement = _statement(what, is_boss, of_one_queue)
            cursor.execute(f"PREPARE {name} ({types}) AS {statement}")
        known.add(name)
    return name


@cache
def _statement(what: str, is_boss: bool, of_one_queue: bool) -> str:
    claim, begin = _arrow(Task, "claim"), _arrow(OrderLine, "begin")
    who = ADMINISTRATOR if is_boss else MEMBER
    which = who["which"].format(claimed=claim.target)
    if of_one_queue:
        which += " AND mine.queue_id = $3"
    free = FREE.format(
        its_now=ITS_NOW,
        mine=who["mine"],
        skilled=who["skilled"],
        which=which,
        ready=claim.source,
        unbegun=begin.source,
        lock="FOR NO KEY UPDATE OF task SKIP LOCKED" if what == "claim" else "",
    )
    if what == "wait":
        return free
    return CLAIM.format(
        free=free,
        claimed=claim.target,
        claim_stamp=claim.custom["stamp"],
        claim_news=claim.custom["event"],
        unbegun=begin.source,
        begun=begin.target,
        begin_stamp=begin.custom["stamp"],
        begin_news=begin.custom["event"],
    )


def _arrow(model: type[fsm.Stateful], name: str) -> Any:
    """The one declared transition of that name; its news must owe nobody a message."""
    (arrow,) = [t for t in model().get_all_state_transitions() if t.name == name]  # type: ignore[attr-defined]
    if REACTIONS[arrow.custom["event"]]:
        raise LookupError(f"{arrow.custom['event']} has reactions: claim_next writes no outbox")
    return arrow
