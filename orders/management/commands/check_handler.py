"""manage.py check_handler: whether a kind of automatic work keeps to the contract of handlers."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.test.utils import override_settings

from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Job
from orders.kinds.contract import breaches, job_of, sample_job
from orders.models import Task

NOWHERE = "django.core.mail.backends.dummy.EmailBackend"


class Command(BaseCommand):
    help = (
        "Run a handler against its contract, in a transaction that is taken back, with mail that "
        "goes nowhere. What it asks of the outside over HTTP is asked: point it at a rehearsal."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help=f"one of {', '.join(sorted(settings.O2B_TASK_HANDLERS))}")
        parser.add_argument("--parameters", default="", help="sound parameters, as JSON")
        parser.add_argument("--task", type=int, help="take the job of this task")

    def handle(self, *, name: str, parameters: str, task: int | None, **options: Any) -> None:
        if handlers.find(name) is None:
            raise CommandError(
                f"No handler is called {name!r}; known: {', '.join(handlers.names())}"
            )
        said = self._parameters(parameters)
        with transaction.atomic(), override_settings(EMAIL_BACKEND=NOWHERE):
            found = breaches(name, self._job(name, said, task))
            transaction.set_rollback(True)
        for sentence in found:
            self.stdout.write(f"- {sentence}")
        if found:
            raise CommandError(f"{name} breaks the contract in {len(found)} points.")
        self.stdout.write(f"{name} keeps to the contract.")

    def _parameters(self, text: str) -> dict[str, Any] | None:
        if not text:
            return None
        try:
            said = json.loads(text)
        except ValueError as exc:
            raise CommandError(f"--parameters is no JSON: {exc}") from exc
        if not isinstance(said, dict):
            raise CommandError("--parameters is an object, names with values.")
        return said

    def _job(self, name: str, parameters: dict[str, Any] | None, task: int | None) -> Job:
        if task is None:
            return sample_job(name, parameters)
        try:
            found = job_of(task)
        except Task.DoesNotExist as exc:
            raise CommandError(f"There is no task {task}.") from exc
        told = found.parameters if parameters is None else parameters
        return job_of(task, handler=name, parameters=told)
