"""manage.py import_catalog KIND FILE: products, prices or contracts from a sheet, as drafts."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from o2b import clock
from o2b.catalog.exchange.report import Became, Report
from o2b.catalog.exchange.services import import_catalog, undo_import
from o2b.catalog.models.exchange import SheetKind
from o2b.errors import Refused

OPTIONS = (
    "book",
    "valid_from",
    "valid_to",
    "name",
    "currency",
    "segment",
    "account",
    "is_default",
)


class Command(BaseCommand):
    help = "Import a CSV or XLSX sheet into the catalog as drafts, or --undo an import by number."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", nargs="?", choices=SheetKind.values)
        parser.add_argument("file", nargs="?", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="say what would be, no more")
        parser.add_argument("--undo", type=int, metavar="IMPORT", help="take an import back")
        parser.add_argument("--by", default="", help="the user who imports")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        book = parser.add_argument_group("a price book")
        book.add_argument("--book", default="", help="its code")
        book.add_argument("--valid-from", default="", help="YYYY-MM-DD")
        book.add_argument("--valid-to", default="", help="YYYY-MM-DD, the first day outside")
        book.add_argument("--name", default="", help="of a new book")
        book.add_argument("--currency", default="", help="of a new book")
        book.add_argument("--segment", default="", help="of a new book")
        book.add_argument("--account", default="", help="of a new book: whose own it is")
        book.add_argument("--is-default", action="store_true", help="a new book for everybody")

    def handle(self, *args: Any, **options: Any) -> None:
        by = _user(options["by"])
        try:
            if options["undo"] is not None:
                taken = undo_import(import_id=options["undo"], by_id=by, at=clock.now())
                self.stdout.write(f"import {taken.pk} undone")
                return
            if not options["kind"] or not options["file"]:
                raise CommandError("say the kind and the file")
            report = self._import(options, by)
        except Refused as refusal:
            for fault in refusal.extra.get("faults", ()):  # type: ignore[attr-defined]
                self.stderr.write(str(fault), style_func=str)
            raise CommandError(f"{refusal.field or 'refused'}: {refusal.message}") from refusal
        self._tell(report, as_json=options["json"])
        if report.errors:
            raise CommandError(f"{report.errors} errors: nothing was written")

    def _import(self, options: dict[str, Any], by: int | None) -> Report:
        told = {name: options[name] for name in OPTIONS if options[name]}
        try:
            with options["file"].open("rb") as stream:
                return import_catalog(
                    kind=options["kind"],
                    stream=stream,
                    file_name=options["file"].name,
                    options=told,
                    by_id=by,
                    at=clock.now(),
                    dry_run=options["dry_run"],
                )
        except OSError as exc:
            raise CommandError(f"{options['file']}: {exc.strerror}") from exc

    def _tell(self, report: Report, *, as_json: bool) -> None:
        if as_json:
            told = report.summary | {
                "import": report.import_id,
                "dry_run": report.dry_run,
                "made": {label: len(ids) for label, ids in report.made.items()},
                "errors": [{"where": f.where, "message": f.message} for f in report.faults],
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
            return
        for fault in report.faults:
            self.stderr.write(str(fault), style_func=str)
        for result in report.each():
            if result.became in (Became.CHANGED, Became.VANISHED):
                at = f"row {result.row}: " if result.row else ""
                self.stdout.write(f"{at}{result.became} {result.what} {result.old} → {result.new}")
        counts = ", ".join(f"{count} {became}" for became, count in report.counts.items())
        made = f"import {report.import_id}" if report.import_id else "nothing written"
        self.stdout.write(f"{report.rows} rows: {counts}; {made}")


def _user(username: str) -> int | None:
    if not username:
        return None
    found = get_user_model().objects.filter(username=username).first()
    if found is None:
        raise CommandError(f"--by: there is no user {username!r}")
    return found.pk
