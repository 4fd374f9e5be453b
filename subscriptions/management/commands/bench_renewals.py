"""manage.py bench_renewals: a night of renewals beside the bare UPDATE and INSERT of its rows."""

import json
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from o2b import benching
from subscriptions.commitments.bench import world, yardstick
from subscriptions.commitments.services import renew_due
from subscriptions.models import Commitment, RenewalDue


class Command(BaseCommand):
    help = "Measure renewals due in one night in a database of their own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--items", type=int, default=100_000)
        parser.add_argument("--lines", type=int, default=1, help="services of each account")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        parser.add_argument("--work", action="store_true", help="be one of the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        items, lines = options["items"], options["lines"]
        accounts, left = divmod(items, max(lines, 1))
        if left or not accounts or accounts % world.SEEDS or not 1 <= lines <= world.PRODUCTS:
            raise CommandError(f"Accounts by {world.SEEDS}, each with 1 to 10 services.")
        if not 1 <= options["workers"] <= 16:
            raise CommandError("1 to 16 workers.")
        if options["work"]:
            self._work()
        elif benching.is_inside():
            self._bench(accounts, lines, options["workers"], as_json=options["json"])
        else:
            benching.run_again_inside()

    def _bench(self, accounts: int, lines: int, workers: int, *, as_json: bool) -> None:
        items = accounts * lines
        self.stderr.write(f"loading {items} services ...", style_func=str)
        world.build(accounts=accounts, lines=lines)
        before = yardstick.remember()
        self.stderr.write("renewing ...", style_func=str)
        seconds, peaks = self._renew(workers)
        renewed = Commitment.objects.filter(number=2).count()
        if renewed != items or RenewalDue.objects.exclude(fault="").exists():
            raise CommandError(f"{renewed} of {items} services were renewed.")
        self.stderr.write("writing the same rows ...", style_func=str)
        bare, rows = yardstick.put_back_and_time(before)
        told = {
            "items": items,
            "accounts": accounts,
            "workers": workers,
            "ratio": round(seconds / bare, 2),
            "seconds": round(seconds, 3),
            "bare_seconds": round(bare, 3),
            "items_per_s": round(items / seconds),
            "rows": rows,
            "peak_rss_mb": peaks,
        }
        if as_json:
            self.stdout.write(json.dumps(told))
            return
        for name, value in told.items():
            self.stdout.write(f"{name:20} {value}")

    def _renew(self, workers: int) -> tuple[float, list[int]]:
        """All workers at it at once, from the moment when each of them is ready."""
        crew = [
            subprocess.Popen(
                [sys.executable, *sys.argv, "--work"],
                cwd=settings.BASE_DIR,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _n in range(workers)
        ]
        for each in crew:
            assert each.stdout is not None
            each.stdout.readline()
        began = time.perf_counter()
        for each in crew:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        said = [each.communicate()[0] for each in crew]
        seconds = time.perf_counter() - began
        if any(each.returncode for each in crew):
            raise CommandError("a worker ended early; its words stand above.")
        return seconds, [int(each.split()[-1]) for each in said]

    def _work(self) -> None:
        """Renew until nothing is due; then say how much memory that took at most, in MB."""
        RenewalDue.objects.exists()
        self.stdout.write("ready")
        self.stdout.flush()
        sys.stdin.readline()
        idle = 0
        while idle < 3:  # what another worker holds may be left to this one
            idle = 0 if renew_due(machine_now=world.NIGHT) else idle + 1
            time.sleep(0.05 * idle)
        self.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
