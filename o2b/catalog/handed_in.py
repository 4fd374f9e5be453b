"""What doors ask of the stages above and hand to services that write plans: kinds and queues."""

from o2b.asks import TaskKind, TaskQueue, ask
from o2b.catalog.plans.trying import Faults


def known_kinds() -> dict[str, Faults]:
    """The kinds of automatic tasks by name, with what each says of parameters."""
    return {kind.name: kind.faults for kind in kinds_to_choose()}


def kinds_to_choose() -> list[TaskKind]:
    """The kinds of automatic tasks, by label."""
    return sorted(ask("task_kinds"), key=lambda kind: kind.label)


def queues_to_choose() -> list[TaskQueue]:
    """The queues of those who work."""
    return list(ask("task_queues"))
