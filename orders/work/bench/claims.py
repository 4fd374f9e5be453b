"""Fifty clerks who claim what comes next at once, beside a bare SKIP LOCKED update."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles

from django.db import connection

from orders.fulfilment.services import claim_next
from orders.work.bench.world import AT, World

BARE = """
UPDATE orders_task SET state = 'claimed', claimed_by_id = %s, claimed_at = %s
    WHERE id = (SELECT id FROM orders_task
                WHERE queue_id = %s AND kind = 'manual' AND state = 'ready'
                ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
"""


@dataclass(frozen=True)
class Measured:
    """What clerks got, and how long each waited, in milliseconds."""

    keys: list[int | None]
    waits: list[float]

    @property
    def p50(self) -> float:
        return quantiles(self.waits, n=100)[49]

    @property
    def p95(self) -> float:
        return quantiles(self.waits, n=100)[94]

    @property
    def duplicates(self) -> int:
        got = [key for key in self.keys if key is not None]
        return len(got) - len(set(got))


Act = Callable[[World, int], int | None]


def bare(world: World, clerk_id: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(BARE, [clerk_id, AT, world.queues[0].pk])
        row = cursor.fetchone()
    return row[0] if row else None


def ours(world: World, clerk_id: int) -> int | None:
    task = claim_next(user_id=clerk_id, at=AT)
    return task.pk if task else None


ROUNDS = 4


def measure(world: World, *, each: int) -> tuple[Measured, Measured]:
    """Every clerk claims so often, all at once: by ours and barely, in turns, so that whatever
    else the machine does falls on both alike."""
    of_ours, of_bare = Measured([], []), Measured([], [])
    for _round in range(ROUNDS):
        _all_at_once(world, bare, of_bare, each // ROUNDS)
        _all_at_once(world, ours, of_ours, each // ROUNDS)
    return of_ours, of_bare


def alone(world: World, act: Act, *, times: int = 50) -> float:
    """The median of one clerk who claims alone, in milliseconds."""
    waits = []
    for _ in range(times):
        began = time.perf_counter()
        act(world, world.clerks[0].pk)
        waits.append((time.perf_counter() - began) * 1000)
    return median(waits)


def _all_at_once(world: World, act: Act, measured: Measured, each: int) -> None:
    everybody = threading.Barrier(len(world.clerks))

    def work(clerk_id: int) -> None:
        measured.keys.append(act(world, clerk_id))  # opens the connection and fills caches
        everybody.wait()
        for _ in range(each):
            began = time.perf_counter()
            key = act(world, clerk_id)
            measured.waits.append((time.perf_counter() - began) * 1000)
            measured.keys.append(key)
        connection.close()

    threads = [threading.Thread(target=work, args=[clerk.pk]) for clerk in world.clerks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def claimed_twice() -> int:
    """Claims that the events tell beyond one a task: none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) - count(DISTINCT subject_id) FROM o2b_event"
            " WHERE name = 'task.claimed'"
        )
        twice: int = cursor.fetchone()[0]
    return twice
