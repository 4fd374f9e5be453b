"""What every handler keeps to, and how anybody finds out whether theirs does.

    class TestMyKind(HandlerContract):
        handler = "my_kind"

        def job(self) -> Job:
            return sample_job("my_kind", {"speed": 100})

Run by pytest with a database; `manage.py check_handler my_kind --parameters '{"speed": 100}'` does
the same at the command line and leaves nothing behind. See docs/handlers.md.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.core.mail import EmailMessage
from django.db import connection, transaction

from o2b import clock
from o2b.asks import Standing
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, Job, Outcome, TryAgain, Waiting
from orders.models import Task

SECONDS = 20  # a lease is 60, and three are asked with one
OUTCOMES = (Done, Waiting, TryAgain, Failed)
JUNK: tuple[Any, ...] = (
    None,
    -1,
    10**30,
    "",
    "\0",
    "NaN",
    "x" * 100_000,
    [],
    {"a": 1},
    True,
    1.5,
    "2026-13-45",
)


def sample_job(handler: str, parameters: Mapping[str, Any] | None = None, **given: Any) -> Job:
    """A job as the engine would hand it over, for handlers that need no rows of ours."""
    fields: dict[str, Any] = {
        "task_id": 1,
        "key": "step",
        "name": "Step",
        "order_id": 1,
        "line_id": 1,
        "account_id": 1,
        "product": "product",
        "version": 1,
        "quantity": Decimal(1),
        "characteristics": {},
        "attempt": 1,
        "at": clock.now(),
        "currency": "EUR",
    }
    return Job(handler=handler, parameters=dict(parameters or {}), **fields | given)


def job_of(task_id: int, *, at: datetime | None = None, **given: Any) -> Job:
    """The job of a task that is there; its account is in good standing unless told otherwise."""
    task = Task.objects.select_related(
        "account__test_clock", "account__legal_entity", "line__product_version__product"
    ).get(pk=task_id)
    version, account = task.line.product_version, task.account
    fields: dict[str, Any] = {
        "task_id": task.pk,
        "key": task.key,
        "name": task.name,
        "order_id": task.order_id,
        "line_id": task.line_id,
        "account_id": account.pk,
        "product": version.product.code,
        "version": version.number,
        "quantity": task.line.quantity,
        "characteristics": task.line.characteristics,
        "attempt": 1,
        "at": at or clock.now(account),
        "currency": account.legal_entity.currency,
        "undoes": task.compensates_id,
        "standing": Standing(
            owed=Decimal(0),
            overdue=Decimal(0),
            credit=Decimal(0),
            limit=account.credit_limit,
            has_paid_a_bill=True,
            currency=account.currency,
        ),
    }
    fields |= {"handler": task.handler, "parameters": task.parameters} | given
    return sample_job(fields.pop("handler"), fields.pop("parameters"), **fields)


def breaches(name: str, job: Job) -> list[str]:
    """What a handler does not keep to, by sentence; none: it is sound."""
    handler = handlers.find(name)
    if not isinstance(handler, Handler):
        return [f"no handler is called {name!r}; O2B_TASK_HANDLERS names them"]
    found = [*faults_breaches(handler, job), *outcome_breaches(handler, job)]
    return [*found, *junk_breaches(handler, job)]


def faults_breaches(handler: Handler, job: Job) -> list[str]:
    """`faults` answers sentences for whatever it is told, and none for sound parameters."""
    found = []
    for n, parameters in enumerate((dict(job.parameters), *_nonsense(job))):
        try:
            said = handler.faults(parameters)
        except Exception as exc:
            found.append(f"faults() raises {type(exc).__name__} for {_short(parameters)}")
            continue
        if not isinstance(said, list) or not all(isinstance(s, str) and s for s in said):
            found.append(f"faults() answers {said!r}, which is no list of sentences")
        elif said and n == 0:
            found.append(f"faults() holds against sound parameters: {'; '.join(said)}")
    return found


def outcome_breaches(handler: Handler, job: Job) -> list[str]:
    """An outcome in time; the same effect when the same task is run again, asked again, polled."""
    found: list[str] = []
    first = _told(handler, job, found)
    before = _rows()
    second = _told(handler, job, found)
    if _rows() != before:
        changed = sorted(name for name, n in _rows().items() if n != before[name])
        found.append(f"run twice for one task it leaves more rows: {', '.join(changed)}")
    if first is not None and second is not None and _effect(first) != _effect(second):
        found.append(f"run twice for one task it says {_effect(first)}, then {_effect(second)}")
    if isinstance(first, Waiting):
        _told(handler, replace(job, is_poll=True, request=first.exchange.request), found)
    if handler.run_many and first is not None:
        found += _breaches_of_many(handler, job)
    return found


def junk_breaches(handler: Handler, job: Job) -> list[str]:
    """Parameters that make no sense are answered, never raised."""
    found: list[str] = []
    for parameters in _nonsense(job):
        with _undone():
            _told(handler, replace(job, parameters=parameters), found)
    return found


class HandlerContract:
    """Tests that anybody runs against their own handler: name it, and make a job for it."""

    handler = ""

    def job(self) -> Job:
        return sample_job(self.handler)

    def test_it_is_registered(self) -> None:
        assert isinstance(handlers.find(self.handler), Handler)

    def test_it_judges_parameters(self) -> None:
        assert faults_breaches(self._handler(), self.job()) == []

    def test_it_answers_in_time_and_does_the_work_once(self) -> None:
        assert outcome_breaches(self._handler(), self.job()) == []

    def test_it_answers_nonsense(self) -> None:
        assert junk_breaches(self._handler(), self.job()) == []

    def _handler(self) -> Handler:
        found = handlers.find(self.handler)
        assert found is not None, f"O2B_TASK_HANDLERS names no {self.handler!r}"
        return found


def _told(handler: Handler, job: Job, found: list[str]) -> Outcome | None:
    """What one run says; what is wrong with it goes to the others."""
    begun, depth = time.monotonic(), _depth()
    outcome: Any = None
    try:
        with _watched(handler, found):
            if handler.instant:
                with transaction.atomic():
                    outcome = handler.run(job)
            else:
                outcome = handler.run(job)
    except Exception as exc:
        found.append(f"it raises {type(exc).__name__}: {exc} for {_short(job.parameters)}")
        return None
    if _depth() != depth:
        found.append("it leaves a transaction open")
    if (spent := time.monotonic() - begun) > SECONDS:
        found.append(f"it takes {spent:.0f} seconds; {SECONDS} are allowed")
    if not isinstance(outcome, OUTCOMES):
        found.append(f"it answers {outcome!r}, which is no outcome")
        return None
    return outcome


def _breaches_of_many(handler: Handler, job: Job) -> list[str]:
    """`run_many` answers each job, as `run` does."""
    run_many: Any = handler.run_many
    with transaction.atomic():
        said = run_many([job])
        nobody = run_many([])
    if set(said) != {job.task_id} or len(nobody):
        return ["run_many does not answer exactly the jobs that it is told"]
    alone = handler.run(job)
    if _effect(said[job.task_id]) != _effect(alone):
        return [f"run_many says {_effect(said[job.task_id])}, run says {_effect(alone)}"]
    return []


@contextmanager
def _watched(handler: Handler, found: list[str]) -> Iterator[None]:
    """Notice calls to the outside from where none may be made."""
    depth = _depth()
    connect, send = socket.socket.connect, EmailMessage.send

    def noticed(call: Callable[..., Any]) -> Callable[..., Any]:
        def asked(*args: Any, **kwargs: Any) -> Any:
            if handler.instant:
                found.append("it asks the outside, but says that it is instant")
            elif _depth() > depth:
                found.append("it asks the outside while a transaction is open")
            return call(*args, **kwargs)

        return asked

    socket.socket.connect = noticed(connect)  # type: ignore[method-assign]
    EmailMessage.send = noticed(send)  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        EmailMessage.send = send  # type: ignore[method-assign]


@contextmanager
def _undone() -> Iterator[None]:
    """Whatever is written inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _depth() -> int:
    """How many transactions lie in each other."""
    return int(connection.in_atomic_block) + len(connection.savepoint_ids)


def _rows() -> dict[str, int]:
    models = [model for model in apps.get_models() if model._meta.managed]
    return {model._meta.label: model._base_manager.count() for model in models}


def _effect(outcome: Outcome) -> tuple[Any, ...]:
    """What an outcome changes, without when it was said."""
    name = type(outcome).__name__
    match outcome:
        case Done():
            return name, outcome.version, outcome.quantity, outcome.serial, outcome.serials
        case Waiting():
            return name, outcome.on, outcome.until
        case TryAgain() | Failed():
            return name, outcome.kind
    return (name,)


def _nonsense(job: Job) -> Iterator[dict[str, Any]]:
    """Parameters in which one thing makes no sense, and none at all."""
    yield {}
    yield {"no such parameter": 1}
    for name in job.parameters:
        for junk in JUNK:
            yield {**job.parameters, name: junk}


def _short(parameters: Mapping[str, Any]) -> str:
    return repr(parameters)[:200]
