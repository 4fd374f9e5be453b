"""Add a tax rate from a day on: manage.py set_tax_rate DE 19 --from 2026-01-01 [--code reduced]."""

from argparse import ArgumentParser
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from o2b import clock
from o2b.errors import Refused
from o2b.taxes.services import set_tax_rate


class Command(BaseCommand):
    """A door: one service."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("country", help="of the company that sells, such as DE")
        parser.add_argument("percent", type=Decimal)
        parser.add_argument("--from", dest="valid_from", type=date.fromisoformat, required=True)
        parser.add_argument("--code", default="", help="left out: the standard rate")
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, **given: Any) -> None:
        fields = ("country", "percent", "valid_from", "code", "name")
        try:
            rate = set_tax_rate(**{name: given[name] for name in fields}, today=clock.today())
        except Refused as refusal:
            raise CommandError(f"{refusal.field or refusal.code}: {refusal.message}") from refusal
        self.stdout.write(f"{rate} from {rate.valid_from}")
