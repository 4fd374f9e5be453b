"""What fell out as its pages show it: a task with its advice, a line without a broken step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orders.fallout.advice import Advice, advise
from orders.fallout.services.remedies import waited_in_vain
from orders.models import FalloutRule, OrderLine, Task

L, T = OrderLine.State, Task.State


@dataclass(frozen=True, slots=True)
class FallenTask:
    """A task in fallout, what helps, and which remedies are open."""

    task: Any
    advice: Advice

    @property
    def suggests(self) -> str:
        return self.advice.remedy

    @property
    def queue(self) -> Any:
        """Whose people mend it."""
        return self.advice.queue or self.task.queue

    @property
    def is_automatic(self) -> bool:
        return bool(self.task.kind == Task.Kind.AUTOMATIC)

    @property
    def is_undoing(self) -> bool:
        return self.task.compensates_id is not None

    @property
    def may_cancel(self) -> bool:
        return bool(self.task.line.state == L.FALLOUT)


def show_task(task: Any, rules: Mapping[int, FalloutRule]) -> FallenTask:
    return FallenTask(task, advise(task.failure_class, rules.get(task.rule_id or 0)))


@dataclass(frozen=True, slots=True)
class FallenLine:
    """A line in fallout of which no step is broken: what was delivered is wrong, or never comes."""

    line: OrderLine
    refused: list[Task]
    in_vain: list[Task]


def show_lines(lines: Sequence[OrderLine]) -> list[FallenLine]:
    """Lines in fallout, each with what it waits on in vain or what was delivered wrongly."""
    gone = {task.pk: task for task in waited_in_vain([t for n in lines for t in n.tasks.all()])}
    return [_show_line(line, gone) for line in lines]


def _show_line(line: OrderLine, gone: Mapping[int, Task]) -> FallenLine:
    tasks = list(line.tasks.all())
    after = {pk for task in tasks if task.state == T.BLOCKED for pk in task.after}
    in_vain = [task for pk, task in gone.items() if pk in after and task.line_id != line.pk]
    done = [] if in_vain else [task for task in tasks if task.state == T.DONE]
    return FallenLine(line, [task for task in done if _shows_another_thing(task, line)], in_vain)


def _shows_another_thing(task: Task, line: OrderLine) -> bool:
    """Whether the newest evidence of a task is not what the line was promised."""
    newest = max(task.evidence.all(), key=lambda one: one.pk, default=None)
    if newest is None:
        return False
    return (newest.product_version_id, newest.quantity) != (line.product_version_id, line.quantity)
