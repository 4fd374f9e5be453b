"""manage.py bench_queue: queue pages over a hundred thousand open tasks, beside the bare SQL."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from o2b import benching
from orders.work.bench import pages, world


class Command(BaseCommand):
    help = "Measure the pages of queues in a database of its own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tasks", type=int, default=100_000)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if benching.is_inside():
            made = world.build(tasks=options["tasks"], clerks=1)
            told = {"tasks": options["tasks"], **pages.measure(made)}
            text = "\n".join(f"{name}: {value}" for name, value in told.items())
            self.stdout.write(json.dumps(told) if options["json"] else text)
        else:
            benching.run_again_inside()
