"""manage.py explain: compute a line, a discount or a true-up again and show the arithmetic."""

import json
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.explaining.selectors import LineExplained, explain_line, row_named
from billing.explaining.selectors.adjusted import AdjustmentExplained, explain_adjustment
from billing.explaining.shown import adjustment_as_json, as_json
from billing.models import InvoiceAdjustment
from o2b.charging import Step
from o2b.charging.pricing.explained import told
from o2b.errors import Refused
from o2b.money import quantise


class Command(BaseCommand):
    help = (
        "Compute an invoice line again from what was kept of it and show the arithmetic. Fails if "
        "the result is not what was billed, or if the line cannot be computed again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "line",
            help="its id, or NUMBER/POSITION of its invoice; NUMBER/a1: its first adjustment",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            named = row_named(options["line"])
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        found: LineExplained | AdjustmentExplained
        if isinstance(named, InvoiceAdjustment):
            found = explain_adjustment(named)
            shown = adjustment_as_json(found)
        else:
            found = explain_line(named)
            shown = as_json(found)
        if options["json"]:
            self.stdout.write(json.dumps(shown, ensure_ascii=False))
        elif isinstance(found, AdjustmentExplained):
            self._tell_adjustment(found)
        else:
            self._tell(found)
        if found.again is None:
            raise CommandError(found.trouble)
        if not found.equal:
            raise CommandError("The line is not what its inputs give.")

    def _tell_adjustment(self, found: AdjustmentExplained) -> None:
        row = found.adjustment
        self.stdout.write(f"{row.invoice.number}/a{row.position}  {row.text}")
        self.stdout.write(f"of {row.period_start} to {row.period_end}; revision {row.revision}")
        if found.again is None:
            return
        self._steps(found.again.steps)
        self._sum("net", found.again.amount, row.amount, row.invoice.currency)
        if not found.again.agrees:
            self.stdout.write("the row says another sum given before than its basis")
        if found.tax is not None:
            self._steps(found.tax.steps)
            self._sum("tax", found.tax.expected, row.tax, row.invoice.currency)

    def _tell(self, found: LineExplained) -> None:
        line, again = found.line, found.again
        currency = line.charge.currency
        self.stdout.write(f"{line.invoice.number}/{line.position}  {line.text}")
        self.stdout.write(
            f"served {line.served_from} to {line.served_to} (outside), of {line.period_start} to"
            f" {line.period_end}; piece {line.segment}, revision {line.revision}"
        )
        if again is None:
            return
        for label, text in again.facts:
            self.stdout.write(f"{label:<20}{text}")
        for pool in found.pools:
            self.stdout.write(f"{'pool':<20}{pool}")
        self._steps(again.steps)
        self._sum("net", again.amount, line.amount, currency)
        if not again.agrees:
            self.stdout.write("the row says other quantities, days or sums than its basis")
        if found.tax is not None:
            self._steps(found.tax.steps)
            self._sum("tax", found.tax.expected, line.tax, currency)
            if found.rounding:
                self.stdout.write(found.rounding)

    def _sum(self, name: str, amount: Decimal, billed: Decimal, currency: str) -> None:
        sign = "=" if amount == billed else "≠"
        shown = f"{quantise(amount, currency)} {sign} {quantise(billed, currency)}"
        self.stdout.write(f"{name}: {shown} {currency} billed")

    def _steps(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            self.stdout.write(f"{step.label:<20}{step.arithmetic} = {told(step.result)}")
