"""manage.py import_subscribers FILE: a telecom's subscribers, each from quote to subscription."""

import json
import os
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.desk.importing.book import ensure_book
from billing.desk.importing.reader import RowError, Subscriber, read
from billing.desk.importing.selectors import (
    Standing,
    first_trouble,
    standing,
    tasks_by_worker,
)
from billing.desk.importing.services import Importer, already_imported
from billing.desk.readiness import ensure_migrated
from billing.desk.workforce import workforce
from o2b import clock, events
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from o2b.people.groups import SALES
from o2b.people.models import User
from o2b.people.selectors import advocate_named
from o2b.people.services import ensure_service_user

BATCH = 20
LOOK_SECONDS = 0.5
SWEEP_SECONDS = 5
STUCK_SECONDS = 120


class Command(BaseCommand):
    help = "Import a telecom's subscribers: quote, acceptance, order, delivery, subscription."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--period", help="first month that is billed, YYYY-MM (default: this month)"
        )
        parser.add_argument(
            "--workers", type=int, default=2, help="worker processes, if none runs already"
        )
        parser.add_argument("--advocate", default="", help="user who answers for the customers")
        parser.add_argument("--json", action="store_true", help="print one JSON line at the end")

    def handle(self, **options: Any) -> None:
        if options["workers"] < 1:
            raise CommandError("--workers is at least 1")
        started = time.monotonic()
        ensure_migrated()
        moment = clock.now()
        try:
            rows = read(options["file"])
            start_on = _first_of(options["period"]) if options["period"] else moment.date()
            entity = ensure_book(at=moment)
            advocate = _advocate(options["advocate"])
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        run = _Run(Importer(entity, advocate.pk, start_on.replace(day=1)), self)
        with workforce(options["workers"]):
            run.place(rows)
            reached = run.wait_for(entity)
        self._tell(run, reached, entity, time.monotonic() - started, as_json=options["json"])
        if not reached.is_done:
            raise CommandError(f"the thread does not go on: {first_trouble() or reached}")

    def _tell(
        self, run: "_Run", reached: Standing, entity: LegalEntity, seconds: float, *, as_json: bool
    ) -> None:
        by_worker = tasks_by_worker(entity)
        own = str(os.getpid())
        others = {who: n for who, n in by_worker.items() if who.rpartition(":")[2] != own}
        result = {
            "rows": run.rows,
            "imported": run.imported,
            "already": run.already,
            "rejected": len(run.errors),
            "lines": reached.items,
            "tasks_by_workers": sum(others.values()),
            "worker_pids": sorted(int(who.rpartition(":")[2]) for who in others),
            "seconds": round(seconds, 1),
            "subscribers_per_s": round(run.imported / seconds, 1),
            "errors": [{"row": e.row, "field": e.field, "message": e.message} for e in run.errors],
        }
        if as_json:
            self.stdout.write(json.dumps(result))
            return
        for error in run.errors:
            self.stderr.write(f"row {error.row}, {error.field}: {error.message}", style_func=str)
        self.stdout.write(
            f"{run.rows} rows: {run.imported} imported, {run.already} there already, "
            f"{len(run.errors)} rejected; {reached.items} lines in service; {seconds:.1f} s"
        )


class _Run:
    """One pass over the file, with its progress on stderr."""

    def __init__(self, importer: Importer, command: BaseCommand) -> None:
        self.importer = importer
        self.command = command
        self.rows = self.imported = self.already = 0
        self.errors: list[RowError] = []

    def place(self, rows: Iterable[Subscriber | RowError]) -> None:
        """Order for every good row that is not there yet."""
        for batch in _batches(rows, BATCH):
            self.rows += len(batch)
            good = [row for row in batch if isinstance(row, Subscriber)]
            self.errors += [row for row in batch if isinstance(row, RowError)]
            known = already_imported([s.reference for s in good])
            self.already += len(known)
            missing = [s for s in good if s.reference not in known]
            if missing:
                outcome = self.importer.take(missing, at=clock.now())
                self.imported += len(outcome.orders)
                self.errors += outcome.errors
            self._progress(f"{self.rows} rows read, {self.imported} ordered")
        self.errors.sort(key=lambda e: e.row)

    def wait_for(self, entity: LegalEntity) -> Standing:
        """Until all is in service and nothing is owed, or nothing has moved for too long."""
        reached = standing(entity)
        moved = swept = time.monotonic()
        while not reached.is_done and time.monotonic() - moved < STUCK_SECONDS:
            time.sleep(LOOK_SECONDS)
            if time.monotonic() - swept > SWEEP_SECONDS:
                events.sweep()
                swept = time.monotonic()
            now = standing(entity)
            if now != reached:
                moved = time.monotonic()
            reached = now
            self._progress(f"{reached.items} of {reached.lines} lines in service")
        self.command.stderr.write("", style_func=str)
        return reached

    def _progress(self, text: str) -> None:
        end = "\r" if self.command.stderr.isatty() else "\n"
        if end == "\r" or self.rows % 1000 < BATCH:
            self.command.stderr.write(text, style_func=str, ending=end)
            self.command.stderr.flush()


def _batches(
    rows: Iterable[Subscriber | RowError], size: int
) -> Iterator[list[Subscriber | RowError]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch


def _first_of(period: str) -> date:
    try:
        return date.fromisoformat(f"{period}-01")
    except ValueError as exc:
        raise CommandError(f"--period is a month like 2026-01, not {period!r}") from exc


def _advocate(username: str) -> User:
    found = advocate_named(username)
    if found is None and username:
        raise CommandError(f"--advocate: there is no active user {username!r}")
    return found or ensure_service_user(username="import", group=SALES)
