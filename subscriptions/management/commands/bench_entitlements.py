"""manage.py bench_entitlements: a check of one entitlement, beside a bare read by primary key."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from o2b import benching
from subscriptions.entitlements.bench import measure, world


class Command(BaseCommand):
    help = "Measure entitlement checks in a database of their own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--items", type=int, default=100_000)
        parser.add_argument("--accounts", type=int, default=20_000)
        parser.add_argument("--checks", type=int, default=10_000, help="on each side")
        parser.add_argument("--requests", type=int, default=2_000, help="on each side")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        items, accounts = options["items"], options["accounts"]
        lines, left = divmod(items, max(accounts, 1))
        if accounts < world.SEEDS or accounts % world.SEEDS or left or not 0 < lines <= 10:
            raise CommandError(f"Accounts by {world.SEEDS}, each with 1 to 10 items.")
        if min(options["checks"], options["requests"]) < 100:
            raise CommandError("At least 100 checks and 100 requests.")
        if benching.is_inside():
            checker = world.build(accounts=accounts, lines=lines)
            found = measure.measure(checker, checks=options["checks"], requests=options["requests"])
            told = {"items": items, "accounts": accounts, **found}
            self._report(told, as_json=options["json"])
        else:
            benching.run_again_inside()

    def _report(self, told: dict[str, Any], *, as_json: bool) -> None:
        plan = told.pop("plan")
        if as_json:
            self.stdout.write(json.dumps(told))
            return
        for name, value in told.items():
            self.stdout.write(f"{name:20} {value}")
        self.stdout.write("\n".join(["", *plan]))
