"""Advance orders: many small ones together, a large one part by part.

Of a large order only the lines are read that something can be done for: each call of the outside
would read and lock all of it otherwise.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Count

from o2b import clock, events
from orders.fallout import breaker
from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Outcome
from orders.fulfilment.services.advance import (
    MOST_OUTSIDE,
    AtOf,
    Round,
    StandingOf,
    Ways,
    nobody_knows,
    play_round,
    runnable,
)
from orders.fulfilment.services.scene import OVER, Scene
from orders.models import OrderLine, Task

MOST_TASKS = 5000  # of many orders in one transaction
FEW_LINES, A_PART = 10, 100


def advance_order(
    *,
    order_id: int,
    at_of: AtOf = clock.now,
    worker: str = "",
    owed: Sequence[int] = (),
    standing_of: StandingOf = nobody_knows,
) -> int:
    """Do all that can be done by itself now; return how many tasks were run.

    `owed` are the outbox rows that are settled by it.
    """
    ways = Ways(at_of, worker, standing_of)
    if len(_open_lines(order_id)) <= FEW_LINES:
        return _advance_whole(order_id, owed, ways)
    ran = 0
    while True:
        looked, to_ask = _look_through(order_id, owed, ways)
        if not to_ask:
            return ran + looked
        ran += looked + _ask_outside(to_ask, ways)


def advance_together(
    *,
    owed: Mapping[int, Sequence[int]],
    at_of: AtOf = clock.now,
    worker: str = "",
    standing_of: StandingOf = nobody_knows,
) -> set[int]:
    """Do at once what needs nobody from the outside, for many orders in the queries of one.

    `owed` names the outbox rows of each order. Returns the orders that wait for the outside, and
    those that were too large to be taken along; what is owed for them stays owed.
    """
    ways = Ways(at_of, worker, standing_of)
    with transaction.atomic():
        taken = _taken(owed)
        scene = Scene.of_orders(taken)
        for part in scene.by_clock():
            play_round(part, {}, ways, room=0)
        left = {task.order_id for task in runnable(scene, ways)[0]} | (owed.keys() - taken)
        events.done(pk for order_id, ids in owed.items() if order_id not in left for pk in ids)
    return left


def _taken(order_ids: Iterable[int]) -> set[int]:
    """As many of the orders, the smallest first, as can be looked at in one transaction."""
    wanted = set(order_ids)
    going = Task.objects.filter(order__in=wanted).exclude(line__state__in=OVER).order_by()
    sizes = dict(going.values_list("order").annotate(Count("pk")))
    taken, room = set(), MOST_TASKS
    for order_id in sorted(wanted, key=lambda pk: (sizes.get(pk, 0), pk)):
        room -= sizes.get(order_id, 0)
        if room < 0:
            break
        taken.add(order_id)
    return taken


def _open_lines(order_id: int) -> list[int]:
    lines = OrderLine.objects.filter(order=order_id).exclude(state__in=OVER)
    return list(lines.order_by("pk").values_list("pk", flat=True))


def _advance_whole(order_id: int, owed: Sequence[int], ways: Ways) -> int:
    """Read all of it each time."""
    ran = 0
    outcomes: dict[int, Outcome] = {}
    while True:
        with transaction.atomic():
            scene = Scene.of_orders([order_id])
            turn = play_round(scene, outcomes, ways, MOST_OUTSIDE)
            if not turn.outside:
                events.done(owed)
        ran += turn.ran
        if not turn.outside:
            return ran
        outcomes = _asked(turn, scene, ways)


def _look_through(order_id: int, owed: Sequence[int], ways: Ways) -> tuple[int, list[int]]:
    """Do what needs nobody from the outside, a part of the lines at a time, until nothing changes.

    Returns how many tasks were run, and the lines for which the outside is to be asked; if there
    are none, what is owed is settled.
    """
    ran = 0
    while True:
        to_ask: list[int] = []
        is_changed = False
        lines = _open_lines(order_id)
        parts = [lines[n : n + A_PART] for n in range(0, len(lines), A_PART)] or [[]]
        for part in parts:
            with transaction.atomic():
                scene = Scene.of_lines(part)
                before = _states(scene)
                ran += play_round(scene, {}, ways, room=0).ran
                is_changed = is_changed or _states(scene) != before
                to_ask += _lines_to_ask(scene, ways)
                if part is parts[-1] and not to_ask and not is_changed:
                    events.done(owed)
        if to_ask or not is_changed:
            return ran, to_ask


def _ask_outside(lines: Iterable[int], ways: Ways) -> int:
    """Ask the outside for some lines at a time, until it has answered for all; how many tasks ran.

    What others wait for is seen when the whole order is looked through again.
    """
    ran, waiting = 0, deque(lines)
    outcomes: dict[int, Outcome] = {}
    answered: set[int] = set()
    while waiting or outcomes:
        some = answered | {waiting.popleft() for _ in range(min(MOST_OUTSIDE, len(waiting)))}
        with transaction.atomic():
            scene = Scene.of_lines(some)
            turn = play_round(scene, outcomes, ways, MOST_OUTSIDE)
            if turn.outside:
                waiting.extendleft(reversed(_lines_to_ask(scene, ways)))
        ran += turn.ran
        outcomes = _asked(turn, scene, ways)
        answered = {job.line_id for job in turn.outside}
    return ran


def _asked(turn: Round, scene: Scene, ways: Ways) -> dict[int, Outcome]:
    """What the outside answers; no transaction is open."""
    if not turn.outside:
        return {}
    outcomes = handlers.run_all(turn.outside)
    systems = {job.task_id: scene.tasks[job.task_id].system for job in turn.outside}
    breaker.note(outcomes, systems, at=ways.at_of(None))
    return outcomes


def _lines_to_ask(scene: Scene, ways: Ways) -> list[int]:
    """Lines with a task that asks the outside and can run now, in order."""
    asking = (t for t in runnable(scene, ways)[0] if not handlers.is_instant(t.handler))
    return list(dict.fromkeys(task.line_id for task in asking))


def _states(scene: Scene) -> list[tuple[int, str]]:
    found = [(pk, str(task.state)) for pk, task in scene.tasks.items()]
    return found + [(pk, str(line.state)) for pk, line in scene.lines.items()]
