"""manage.py import_tariffs FOLDER: published tariffs as products and price books."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from o2b import clock
from o2b.catalog.exchange.services import import_tariffs
from o2b.errors import Refused


class Command(BaseCommand):
    help = "Import speed × term matrices and port prices (CSV) as products and books in dollars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--segment", default="tariff", help="customers whom the books are for")
        parser.add_argument("--prefix", default="tariff-", help="before each book's code")
        parser.add_argument("--publish", action="store_true", help="do not leave them as drafts")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["folder"].is_dir():
            raise CommandError(f"{options['folder']} is no folder")
        try:
            reports = import_tariffs(
                folder=options["folder"],
                segment=options["segment"],
                prefix=options["prefix"],
                at=clock.now(),
                publish=options["publish"],
            )
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        for report in reports:
            counts = ", ".join(f"{count} {became}" for became, count in report.counts.items())
            self.stdout.write(f"{report.file_name}: {counts}")
