"""Write what tasks came to, and everything that follows from it, in bulk.

Outcomes become states and facts; dependents become ready; lines begin, fall out, are delivered and
completed, or undone and closed. The number of queries does not grow with lines or tasks.
"""

from collections.abc import Mapping
from datetime import datetime

from orders.fulfilment.outcomes import Outcome
from orders.fulfilment.services.ending import close_undone, deliver
from orders.fulfilment.services.following import begin_lines, free_dependents, let_fall_out
from orders.fulfilment.services.results import write_results
from orders.fulfilment.services.scene import Scene
from orders.fulfilment.services.undoing import undo

__all__ = ["settle"]


def settle(
    scene: Scene,
    outcomes: Mapping[int, Outcome],
    *,
    at: datetime,
    machine_now: datetime,
    actor_id: int | None = None,
) -> None:
    """Write the outcomes of tasks in the scene, by task key, and what follows from them.

    `at` is business time; `machine_now` is what back-off is counted from, because a test clock
    that stands still would never let it pass.
    """
    said = {pk: outcome for pk, outcome in outcomes.items() if pk in scene.tasks}
    fresh = write_results(scene, said, at, machine_now, actor_id) if said else []
    begin_lines(scene, at, actor_id)
    # What is given up goes first: others wait for it, to be undone in turn or in vain.
    undo(scene, at, actor_id)
    free_dependents(scene, at, actor_id)
    let_fall_out(scene, at, actor_id)
    deliver(scene, fresh, at, actor_id)
    close_undone(scene, at, actor_id)
