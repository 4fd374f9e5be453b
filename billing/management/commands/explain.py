"""manage.py explain: compute a billed line again and show the arithmetic."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.explaining.selectors import LineExplained, explain_line, line_named
from billing.explaining.shown import as_json
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
        parser.add_argument("line", help="its id, or NUMBER/POSITION of its invoice")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = explain_line(line_named(options["line"]))
        except Refused as refusal:
            raise CommandError(refusal.message) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found), ensure_ascii=False))
        else:
            self._tell(found)
        if found.again is None:
            raise CommandError(found.trouble)
        if not found.equal:
            raise CommandError("The line is not what its inputs give.")

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
        amount, billed = quantise(again.amount, currency), quantise(line.amount, currency)
        sign = "=" if again.amount == line.amount else "≠"
        self.stdout.write(f"net: {amount} {sign} {billed} {currency} billed")
        if not again.agrees:
            self.stdout.write("the row says other quantities, days or sums than its basis")
        if found.tax is not None:
            self._steps(found.tax.steps)
            expected, billed = found.tax.expected, quantise(line.tax, currency)
            sign = "=" if expected == line.tax else "≠"
            self.stdout.write(f"tax: {expected} {sign} {billed} {currency} billed")
            if found.rounding:
                self.stdout.write(found.rounding)

    def _steps(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            self.stdout.write(f"{step.label:<20}{step.arithmetic} = {told(step.result)}")
