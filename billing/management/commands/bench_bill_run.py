"""manage.py bench_bill_run: how long a run takes beside a COPY of the rows that it leaves."""

import json
import os
import re
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.desk.workforce import answering
from billing.models import BillRun
from billing.runs.bench import world, yardstick
from billing.runs.bench.mix import PRICES
from billing.runs.selectors import counts_of
from billing.runs.services import approve_run, open_run
from o2b import benching, clock
from o2b.models import Outbox
from o2b.people.services import ensure_service_user
from o2b.servers.crew import Crew

FAULTS = 10
LOOK_SECONDS, MOST_SECONDS = 0.02, 3600.0


class Command(BaseCommand):
    help = "Measure a bill run of ready accounts in a database of its own, which is dropped after."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--accounts", type=int, default=10_000)
        parser.add_argument("--lines", type=int, default=4)
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument(
            "--mix",
            choices=sorted(PRICES),
            default="flat",
            help="realistic: 40 %% flat, 20 %% tiered usage, 20 %% changed in mid-period, 10 %%"
            " due once, 10 %% nothing due",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        seeds = min(world.SEEDS, options["accounts"])
        if options["accounts"] < 1 or options["accounts"] % seeds:
            raise CommandError(f"--accounts is 1 to {world.SEEDS}, or a multiple of {world.SEEDS}.")
        if min(options["lines"], options["workers"]) < 1:
            raise CommandError("--lines and --workers are 1 or more.")
        if benching.is_inside():
            self._bench(**options)
        else:
            benching.run_again_inside()

    def _bench(self, *, accounts: int, lines: int, workers: int, mix: str, **options: Any) -> None:
        faults = min(FAULTS, accounts // 100)
        self._tell(f"loading {accounts} accounts of {lines} lines")
        entity = world.build(accounts=accounts, lines=lines, faults=faults, mix=mix)
        crew = Crew(os.environ)
        try:
            pids = self._start(crew, workers)
            self._tell("running")
            run, stages = self._run(entity.pk)
            memory = [_peak_megabytes(pid) for pid in pids]
        finally:
            crew.stop()
        counts = counts_of(run_id=run.pk)
        if counts.parked != faults or not counts.holds:
            raise CommandError(f"{counts.text}; {faults} faults were planted.")
        self._tell("copying the same rows")
        rows = yardstick.count_rows()
        with tempfile.TemporaryDirectory(prefix="o2b-bench-") as folder:
            yardstick.take_out(Path(folder), parts=workers)
            copied = yardstick.put_back(Path(folder), parts=workers)
        if yardstick.count_rows() != rows:
            raise CommandError("the yardstick has not copied every row.")
        seconds = sum(stages.values())
        self._report(
            {
                "accounts": accounts,
                "lines": lines,
                "workers": workers,
                "mix": mix,
                "invoices": counts.invoices,
                "parked": counts.parked,
                "ratio_to_copy": round(seconds / copied, 2),
                "seconds": round(seconds, 3),
                **{f"{name}_seconds": round(took, 3) for name, took in stages.items()},
                "copy_seconds": round(copied, 3),
                "rows": rows,
                "copy_rows_per_s": round(rows / copied),
                "invoices_per_s": round(counts.invoices / seconds),
                "added_us_per_account": round((seconds - copied) / accounts * 1e6, 1),
                "peak_rss_mb": memory,
                "constraint_set": yardstick.CONSTRAINTS,
            },
            as_json=options["json"],
        )

    def _start(self, crew: Crew, workers: int) -> list[int]:
        for n in range(workers):
            crew.start_worker(f"worker {n + 1}", node=f"bench{n + 1}", queues="billing")
        until = time.monotonic() + 60
        while answering() < workers:
            crew.check()
            if time.monotonic() > until:
                raise CommandError("the workers do not answer.")
        return crew.pids

    def _run(self, entity_id: int) -> tuple[BillRun, dict[str, float]]:
        """From opening to the last number; returns the seconds of both halves."""
        opener = ensure_service_user(username="bench-opener")
        approver = ensure_service_user(username="bench-approver")
        began = time.perf_counter()
        run = open_run(
            legal_entity_id=entity_id, on=world.ON, opened_by_id=opener.pk, at=clock.now()
        )
        _await(run, BillRun.State.TO_APPROVE)
        drafted = time.perf_counter()
        approve_run(run_id=run.pk, user_id=approver.pk, at=clock.now())
        approved = time.perf_counter()
        _await(run, BillRun.State.FINALISED)
        ended = time.perf_counter()
        return run, {
            "draft_and_check": drafted - began,
            "approve": approved - drafted,
            "finalise": ended - approved,
        }

    def _tell(self, what: str) -> None:
        self.stderr.write(f"{what} ...", style_func=str)
        self.stderr.flush()

    def _report(self, told: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            for name, value in told.items():
                self.stdout.write(f"{name:<26}{value}")


def _await(run: BillRun, state: str) -> None:
    until = time.monotonic() + MOST_SECONDS
    while not BillRun.objects.filter(pk=run.pk, state=state).exists():
        if failed := Outbox.objects.exclude(last_error="").first():
            raise CommandError(f"{failed}: {failed.last_error}")
        if time.monotonic() > until:
            raise CommandError(f"{run} is not {state} after an hour.")
        time.sleep(LOOK_SECONDS)


def _peak_megabytes(pid: int) -> int:
    """The most memory that a process ever held, as Linux counts it."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    return int(found[1]) // 1024 if found else 0
