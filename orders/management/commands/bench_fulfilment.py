"""manage.py bench_fulfilment: automatic tasks by real workers, beside empty messages."""

import json
import os
import time
from argparse import ArgumentParser
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandError

from o2b import benching
from o2b.servers.crew import Crew
from orders.fulfilment.bench import measure, world
from orders.models import Task

READY_SECONDS = 60


class Command(BaseCommand):
    help = "Measure automatic fulfilment in a database of its own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--orders", type=int, default=5000)
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--lines", type=int, default=200, help="of the order that is laid")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if min(options["orders"], options["workers"], options["lines"]) < 1:
            raise CommandError("--orders, --workers and --lines are 1 or more.")
        if benching.is_inside():
            self._bench(**options)
        else:
            benching.run_again_inside()

    def _bench(self, *, orders: int, workers: int, lines: int, **options: Any) -> None:
        made = world.build()
        laid = measure.laying(made, lines=lines)
        self._tell(f"placing {orders} orders of {world.TASKS} tasks")
        world.place(made, orders=orders)
        current_app.control.purge()
        measure.vacuum()
        tasks = orders * world.TASKS
        self._tell("fulfilling")
        done = Task.objects.filter(state=Task.State.DONE)
        self._with_workers(workers, measure.send_orders, lambda: done.count() == tasks)
        ours, rows = measure.finishing_seconds(), measure.rows_left()
        for name in ("attempts", "events", "costs", "evidence"):
            if rows[name] != tasks:
                raise CommandError(f"{rows[name]} {name} for {tasks} tasks.")
        self._tell("empty messages, an UPDATE each")
        Task.objects.update(done_at=None)
        measure.vacuum()
        untouched = Task.objects.filter(done_at=None)
        self._with_workers(workers, measure.send_touches, lambda: not untouched.exists())
        bare = measure.touching_seconds()
        told = {
            "orders": orders,
            "workers": workers,
            "tasks": tasks,
            "ratio_to_bare": round(bare / ours, 2),
            "tasks_per_s": round(tasks / ours),
            "bare_tasks_per_s": round(tasks / bare),
            "seconds": round(ours, 2),
            "bare_seconds": round(bare, 2),
            **rows,
            **laid,
        }
        if options["json"]:
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write("\n".join(f"{name:<24}{value}" for name, value in told.items()))

    def _with_workers(self, count: int, send: Any, reached: Any) -> None:
        """Send first, then start workers: what they take is all there from the beginning."""
        send()
        crew = Crew(os.environ)
        try:
            for n in range(count):
                crew.start_worker(f"worker {n + 1}", node=f"bench{n + 1}", queues="fulfilment")
            until = time.monotonic() + READY_SECONDS
            while not (current_app.control.ping(timeout=1.0) or []):
                crew.check()
                if time.monotonic() > until:
                    raise CommandError("the workers do not answer.")
            measure.await_(reached)
        finally:
            crew.stop()

    def _tell(self, what: str) -> None:
        self.stderr.write(f"{what} ...", style_func=str)
        self.stderr.flush()
