"""manage.py place_bulk_orders FILE: a sheet of orders, tried or placed, with a result a row."""

import json
from argparse import ArgumentParser
from pathlib import Path
from time import perf_counter
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from o2b import asks, clock
from o2b.errors import Refused
from orders import services
from orders.models import BulkOrder, BulkRow

MOST_PROBLEMS = 200


class Command(BaseCommand):
    """A bad row refuses its order, and the others are placed; the same file is placed once."""

    help = "Place the orders of a CSV or XLSX sheet, or with --dry-run only say what would be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="order nothing")
        parser.add_argument("--by", default="", help="the user who orders")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        by = _user(options["by"])
        began = perf_counter()
        try:
            bulk = self._place(options["file"], dry_run=options["dry_run"], by=by)
        except Refused as refusal:
            for fault in getattr(refusal, "faults", ()):
                self.stderr.write(str(fault), style_func=str)
            raise CommandError(refusal.message) from refusal
        except OSError as exc:
            raise CommandError(f"{options['file']}: {exc.strerror}") from exc
        self._tell(bulk, perf_counter() - began, as_json=options["json"])

    def _place(self, path: Path, *, dry_run: bool, by: int | None) -> BulkOrder:
        ways: dict[str, Any] = {"already_of": asks.held_by}
        with path.open("rb") as stream:
            bulk = services.take_sheet(
                stream=stream,
                file_name=path.name,
                dry_run=dry_run,
                at=clock.now(),
                by_id=by,
                **ways,
            )
        # A worker may help; whoever finds no row left is done.
        while services.work_on_bulk(bulk_id=bulk.pk, machine_now=clock.now(), **ways):
            bulk.refresh_from_db()
            self.stderr.write(f"{bulk.looked_at} of {bulk.rows} rows", style_func=str)
        bulk.refresh_from_db()
        return bulk

    def _tell(self, bulk: BulkOrder, seconds: float, *, as_json: bool) -> None:
        refused = bulk.results.filter(outcome=BulkRow.Outcome.REFUSED).order_by("number")
        told = {
            "bulk": bulk.pk,
            "dry_run": bulk.is_dry_run,
            "rows": bulk.rows,
            "orders": bulk.orders_placed,
            "lines": bulk.lines_placed,
            "refused": bulk.rejected,
            "seconds": round(seconds, 2),
            "lines_per_second": round(bulk.rows / seconds),
            "problems": [
                {"row": row.number, "order": row.key, "column": row.field, "problem": row.problem}
                for row in refused[:MOST_PROBLEMS]
            ],
        }
        if as_json:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        for row in refused[:MOST_PROBLEMS]:
            place = f"row {row.number}" + (f" ({row.field})" if row.field else "")
            self.stderr.write(f"{place}: {row.problem}", style_func=str)
        verb = "can be placed" if bulk.is_dry_run else "placed"
        self.stdout.write(
            f"{bulk.rows} rows: {bulk.orders_placed} orders with {bulk.lines_placed} lines {verb},"
            f" {bulk.rejected} rows refused; {told['lines_per_second']} rows/s"
        )


def _user(username: str) -> int | None:
    if not username:
        return None
    found = get_user_model().objects.filter(username=username).first()
    if found is None:
        raise CommandError(f"--by: there is no user {username!r}")
    return found.pk
