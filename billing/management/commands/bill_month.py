"""manage.py bill_month 2026-01: a run up to the month's last day for every legal entity."""

import json
import time
from argparse import ArgumentParser
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.desk.readiness import ensure_migrated
from billing.desk.workforce import answering
from billing.models import BillRun
from billing.runs.selectors import breaches_in, counts_of, totals_of
from billing.runs.services import approve_run, open_run
from o2b import clock, events
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from o2b.models import Outbox
from o2b.money import quantise
from o2b.people.models import User
from o2b.people.services import ensure_service_user

OPENER = "system"
BEFORE = ("subscriptions.start_items", "billing.open_promises", "billing.open_charges")
MOST_ATTEMPTS = 5
LOOK_SECONDS, SWEEP_SECONDS, LOST_SECONDS = 0.1, 20.0, 60.0


class Command(BaseCommand):
    help = "Bill every account of every legal entity up to the last day of a month."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", help="YYYY-MM")
        parser.add_argument("--finalise", action="store_true", help="approve and finalise too")
        parser.add_argument("--legal-entity", metavar="CODE", help="only this one")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        on = _last_day(options["month"])
        ensure_migrated()
        entities = _entities(options["legal_entity"])
        approver = _approver() if options["finalise"] else None
        opener = ensure_service_user(username=OPENER)
        if approver is not None and approver.pk == opener.pk:
            raise CommandError(f"O2B_APPROVER names {OPENER}, who opens the runs; name a person.")
        by_workers = answering() > 0
        began = time.monotonic()
        self._work(_settled, by_workers, "what was ordered is put into service")
        runs = []
        for entity in entities:
            run = self._open(entity, on, opener)
            runs.append(run)
            self._work(_reached(run, BillRun.State.TO_APPROVE), by_workers, f"{run} drafts", run)
            if approver is not None:
                approve_run(run_id=run.pk, user_id=approver.pk, at=clock.now())
                self._work(
                    _reached(run, BillRun.State.FINALISED), by_workers, f"{run} finalises", run
                )
        self._report(runs, time.monotonic() - began, as_json=options["json"])

    def _open(self, entity: LegalEntity, on: date, opener: User) -> BillRun:
        try:
            return open_run(
                legal_entity_id=entity.pk, on=on, opened_by_id=opener.pk, at=clock.now()
            )
        except Refused as refusal:
            raise CommandError(f"{entity}: {refusal.message}") from refusal

    def _work(
        self,
        done: Callable[[], bool],
        by_workers: bool,
        what: str,
        run: BillRun | None = None,
    ) -> None:
        """Until it is done: watch the workers, or do the work here where there are none."""
        moved = swept = time.monotonic()
        seen = -1
        while not done():
            if not by_workers:
                events.drain()
                if not done():
                    raise CommandError(f"{what}: the work ended before its time.")
                break
            counts = counts_of(run_id=run.pk) if run else None
            now, at = time.monotonic(), counts.shards_done if counts else -1
            if at != seen:
                seen, moved = at, now
                self._tell(f"{what}: {counts.text}" if counts else what)
            if now - swept > SWEEP_SECONDS:
                swept = now
                events.sweep()
                _refuse_what_keeps_failing()
            if now - moved > LOST_SECONDS and not answering():
                self._tell("the workers do not answer any more; going on in this process")
                by_workers = False
            time.sleep(LOOK_SECONDS)
        if run is not None:
            self._tell(f"{what}: {counts_of(run_id=run.pk).text}")

    def _tell(self, what: str) -> None:
        self.stderr.write(what, style_func=str)
        self.stderr.flush()

    def _report(self, runs: list[BillRun], seconds: float, *, as_json: bool) -> None:
        for run in runs:
            run.refresh_from_db()
        final = [run for run in runs if run.state == BillRun.State.FINALISED]
        counts = {run.pk: counts_of(run_id=run.pk) for run in runs}
        invoices = sum(counts[run.pk].invoices for run in final)
        told = {
            "invoices": invoices,
            "billed": _net(final),
            "mismatches": breaches_in(run_ids=[run.pk for run in runs]),
            "parked": sum(each.parked for each in counts.values()),
            "runs": len(runs),
            "drafted": sum(each.drafted for each in counts.values()),
            "to_bill": _net([run for run in runs if run not in final]),
            "lines": sum(counts[run.pk].lines for run in final),
            "seconds": round(seconds, 3),
            "invoices_per_s": round(invoices / seconds, 1) if seconds else 0.0,
        }
        if as_json:
            self.stdout.write(json.dumps(told))
        else:
            for name, value in told.items():
                self.stdout.write(f"{name:<16}{value}")


def _net(runs: list[BillRun]) -> str:
    """The net of runs; of several currencies each is named."""
    sums: dict[str, Decimal] = {}
    for run in runs:
        for currency, totals in totals_of(run_id=run.pk).items():
            sums[currency] = sums.get(currency, Decimal(0)) + totals["net"]
    if not sums:
        return "0.00"
    texts = {currency: f"{quantise(net, currency):f}" for currency, net in sorted(sums.items())}
    if len(texts) == 1:
        return next(iter(texts.values()))
    return ", ".join(f"{text} {currency}" for currency, text in texts.items())


def _last_day(month: str) -> date:
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError as exc:
        raise CommandError(f"{month!r} is no month; write one like 2026-01.") from exc
    return first.replace(day=monthrange(first.year, first.month)[1])


def _entities(code: str | None) -> list[LegalEntity]:
    found = LegalEntity.objects.order_by("pk")
    if code:
        found = found.filter(code=code)
        if not found:
            raise CommandError(f"There is no legal entity {code!r}.")
    return list(found)


def _approver() -> User:
    """Who approves; a command cannot, for it opened the run."""
    name = settings.O2B_APPROVER
    if not name:
        raise CommandError("O2B_APPROVER is not set: name the user who approves the runs.")
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"O2B_APPROVER names {name!r}, and there is no such user.")
    return user


def _refuse_what_keeps_failing() -> None:
    stuck = Outbox.objects.filter(task__startswith="billing.", attempts__gte=MOST_ATTEMPTS).first()
    if stuck is not None:
        raise CommandError(f"{stuck} has failed {stuck.attempts} times: {stuck.last_error}")


def _settled() -> bool:
    return not Outbox.objects.filter(task__in=BEFORE, attempts=0).exists()


def _reached(run: BillRun, state: str) -> Callable[[], bool]:
    def reached() -> bool:
        return bool(BillRun.objects.filter(pk=run.pk, state=state).exists())

    return reached
