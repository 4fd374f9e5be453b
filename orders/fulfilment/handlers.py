"""The registry of handlers: each kind of automatic task by name, from settings, by dotted name.

# settings
O2B_TASK_HANDLERS = {"activation": "orders.kinds.plain.ACTIVATION", ...}

# orders/kinds/plain.py
ACTIVATION = Handler(run=activate, instant=True)
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from orders.fulfilment.outcomes import Failed, Job, Outcome, TryAgain
from orders.models.words import FailureClass

log = logging.getLogger(__name__)


def _no_faults(parameters: Mapping[str, Any]) -> list[str]:
    return []


@dataclass(frozen=True)
class Handler:
    """How one kind of automatic task is done.

    `run` does it for one job; `run_many`, where it is there, for many at once, and answers by task.
    `instant`: it asks nothing of the outside and runs inside the transaction that writes its
    outcome, so what it writes itself (`writes`: in a savepoint) stands or falls with that. All
    others hold no transaction.
    `system` names the outside system, which has a circuit breaker; a task's own `system` goes
    first. `faults` says what is wrong with a plan's parameters, by sentence, before publication.
    """

    run: Callable[[Job], Outcome]
    instant: bool = False
    writes: bool = False
    run_many: Callable[[Sequence[Job]], Mapping[int, Outcome]] | None = None
    system: str = ""
    wants_standing: bool = False
    faults: Callable[[Mapping[str, Any]], list[str]] = _no_faults


HANDLERS: dict[str, Handler] = {}


def find(name: str) -> Handler | None:
    """The handler of that name, from the settings at its first use."""
    if name not in HANDLERS and name in settings.O2B_TASK_HANDLERS:
        HANDLERS[name] = import_string(settings.O2B_TASK_HANDLERS[name])
    return HANDLERS.get(name)


def names() -> list[str]:
    """Every name that a plan may use."""
    return sorted({*HANDLERS, *settings.O2B_TASK_HANDLERS})


def is_instant(name: str) -> bool:
    """Whether it runs inside the transaction; what nobody knows fails there at once."""
    handler = find(name)
    return handler is None or handler.instant


def system_of(name: str) -> str:
    """The outside system that a handler asks; empty when it asks none."""
    handler = find(name)
    return handler.system if handler else ""


def run(job: Job) -> Outcome:
    """Let the named handler do it; what it did not foresee is tried again, then shown to people."""
    return run_all([job])[job.task_id]


def run_all(jobs: Iterable[Job]) -> dict[int, Outcome]:
    """Outcomes by task; jobs of one kind go together where their handler takes many."""
    found: dict[int, Outcome] = {}
    by_name: dict[str, list[Job]] = {}
    for job in jobs:
        by_name.setdefault(job.handler, []).append(job)
    for name, those in by_name.items():
        handler = find(name)
        if handler is None:
            unknown = Failed(f"no handler is called {name!r}", kind=FailureClass.SET_UP)
            found |= {job.task_id: unknown for job in those}
        else:
            found |= _done_by(handler, those)
    return found


def _done_by(handler: Handler, jobs: Sequence[Job]) -> dict[int, Outcome]:
    many = handler.run_many
    if many is None:
        return {job.task_id: _one(handler, job) for job in jobs}
    try:
        with _place(handler):
            return dict(many(jobs))
    except Exception as exc:
        # One that breaks takes nothing from the others: each is done alone.
        log.warning("%s of %s tasks: %s; now one by one", jobs[0].handler, len(jobs), exc)
        return {job.task_id: _one(handler, job) for job in jobs}


def _one(handler: Handler, job: Job) -> Outcome:
    try:
        with _place(handler):
            return handler.run(job)
    except Exception as exc:
        log.exception("handler %s broke on task %s", job.handler, job.task_id)
        return _broken(exc)


def _place(handler: Handler) -> AbstractContextManager[object]:
    """Where a handler works: what writes and breaks takes nothing else down with it."""
    return transaction.atomic() if handler.writes else nullcontext()


def _broken(exc: Exception) -> TryAgain:
    return TryAgain(f"{type(exc).__name__}: {exc}"[:500], kind=FailureClass.BROKEN)
