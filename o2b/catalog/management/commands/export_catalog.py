"""manage.py export_catalog KIND FILE: products, a book's prices or contracts as a sheet."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from o2b.catalog.exchange.selectors import export_catalog
from o2b.catalog.exchange.sheets import Form
from o2b.catalog.models import Contract, PriceBookVersion
from o2b.catalog.models.exchange import SheetKind
from o2b.errors import Refused


class Command(BaseCommand):
    help = "Export what import_catalog reads; the file's ending says CSV or XLSX."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=SheetKind.values)
        parser.add_argument("file", type=Path)
        parser.add_argument("--book", default="", help="code of the book")
        parser.add_argument("--number", type=int, help="version of the book (default: the newest)")
        parser.add_argument("--product", action="append", help="code of a product, repeatable")
        parser.add_argument("--account", default="", help="contracts of this account only")

    def handle(self, *args: Any, **options: Any) -> None:
        form = options["file"].suffix.lower().removeprefix(".")
        if form not in list(Form):
            raise CommandError("the file ends in .csv or .xlsx")
        try:
            pieces = export_catalog(kind=options["kind"], selection=_selection(options), form=form)
            with options["file"].open("wb") as file:
                for piece in pieces:
                    file.write(piece)
        except OSError as exc:
            raise CommandError(f"{options['file']}: {exc.strerror}") from exc
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(str(options["file"]))


def _selection(options: dict[str, Any]) -> Any:
    match options["kind"]:
        case SheetKind.BOOKS:
            return _version(options["book"], options["number"])
        case SheetKind.PRODUCTS:
            return options["product"]
    if not options["account"]:
        return None
    contracts = Contract.objects.filter(account__reference=options["account"])
    newest = contracts.order_by("account_id", "code", "-number").distinct("account_id", "code")
    return list(newest.values_list("pk", flat=True))


def _version(code: str, number: int | None) -> int:
    versions = PriceBookVersion.objects.filter(book__code=code).order_by("-number")
    found = versions.filter(number=number) if number is not None else versions
    version = found.first()
    if version is None:
        raise CommandError(f"--book: there is no such version of a book {code!r}")
    return version.pk
