"""manage.py bench_pdfs: different one-page invoices as PDF, by fresh processes, data included."""

import json
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Avg, Func, IntegerField

from billing.desk.pdfbench import making, world
from billing.models import InvoiceDocument
from billing.sending.services import plan_sending
from o2b import benching


class Command(BaseCommand):
    help = "Measure PDFs per second in a database of its own, which is dropped after."
    requires_system_checks = ()  # nor does a worker have them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--invoices", type=int, default=1_000)
        parser.add_argument("--part", choices=["begin", "make"], help=SUPPRESS)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        invoices = options["invoices"]
        if options["part"]:
            making.make_all(begin_only=options["part"] == "begin")
            return
        if invoices < world.SEEDS or invoices % world.SEEDS:
            raise CommandError(f"--invoices is a multiple of {world.SEEDS}.")
        if not benching.is_inside():
            benching.run_again_inside()
            return
        self.stderr.write(f"billing {invoices} accounts ...")
        run = world.build(invoices=invoices)
        plan_sending(run_id=run.pk, at=world.AT)
        self.stderr.write("making their documents ...")
        told = making.measure("bench_pdfs")
        different = InvoiceDocument.objects.values("digest").distinct().count()
        told |= {"different": different, "bytes_each": _mean_size()}
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for name, value in told.items():
            self.stdout.write(f"{name:<28}{value}")


def _mean_size() -> int:
    size = Avg(Func("pdf", function="octet_length", output_field=IntegerField()))
    return round(InvoiceDocument.objects.aggregate(size=size)["size"] or 0)
