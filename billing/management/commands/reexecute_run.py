"""manage.py reexecute_run: all lines, adjustments and sums of a run computed again from inputs."""

import json
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.explaining.selectors import LineExplained, explain_run, is_key
from billing.explaining.selectors.adjusted import (
    AdjustmentExplained,
    explain_adjustments_of_run,
)
from billing.explaining.selectors.heads import Unsummed, documents_that_differ
from billing.models import BillRun
from o2b.money import quantise

WORDS = {True: "equal", False: "different", None: "not_re_executable"}
MOST_TOLD = 1000  # lines that are not equal, one by one


class Command(BaseCommand):
    help = (
        "Compute every line that a run billed again, from inputs alone, and count what is equal. "
        "Fails if any line differs or cannot be computed, or a document is not the sum of its own."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", help="its id, or its number as pages show it")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        run = _run(options["run"])
        counts = Counter(dict.fromkeys(WORDS.values(), 0))
        differing: list[dict[str, Any]] = []
        for each in explain_run(run_id=run.pk):
            counts[WORDS[each.equal]] += 1
            if each.equal is not True and len(differing) < MOST_TOLD:
                differing.append(_told(each))
        adjustments = 0
        for one in explain_adjustments_of_run(run_id=run.pk):
            adjustments += 1
            counts[WORDS[one.equal]] += 1
            if one.equal is not True and len(differing) < MOST_TOLD:
                differing.append(_adjustment_told(one))
        lines = sum(counts.values()) - adjustments
        documents, unsummed = documents_that_differ(run_id=run.pk)
        differing += [_document_told(each) for each in unsummed[:MOST_TOLD]]
        told: dict[str, Any] = {"run": run.pk, "lines": lines, "adjustments": adjustments, **counts}
        told |= {"documents": documents, "documents_different": len(unsummed)}
        told["differing"] = differing
        if options["json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.stdout.write(f"{run.number}: " + ", ".join(f"{n} {w}" for w, n in counts.items()))
            for line in differing:
                self.stdout.write(" ".join(f"{name}={value}" for name, value in line.items()))
            self.stdout.write(f"{documents} documents, {len(unsummed)} are not their sum")
        _fail(counts, len(unsummed))


def _fail(counts: Counter[str], unsummed: int) -> None:
    faults = [
        (counts["different"], "lines are not what their inputs give"),
        (counts["not_re_executable"], "lines cannot be computed again"),
        (unsummed, "documents are not the sum of their lines"),
    ]
    if said := [f"{n} {what}" for n, what in faults if n]:
        raise CommandError("; ".join(said) + ".")


def _told(each: LineExplained) -> dict[str, Any]:
    line, again, currency = each.line, each.again, each.line.charge.currency
    return {
        "line": line.pk,
        "invoice": f"{line.invoice.number}/{line.position}",
        "billed": f"{quantise(line.amount, currency):f}",
        "amount": f"{quantise(again.amount, currency):f}" if again else None,
        "tax_billed": f"{quantise(line.tax, currency):f}",
        "tax": f"{each.tax.expected:f}" if each.tax else None,
        "code": each.code or ("different" if again and again.agrees else "inputs_disagree"),
    }


def _adjustment_told(each: AdjustmentExplained) -> dict[str, Any]:
    row, again, currency = each.adjustment, each.again, each.adjustment.invoice.currency
    return {
        "adjustment": row.pk,
        "invoice": f"{row.invoice.number}/adjustment {row.position}",
        "billed": f"{quantise(row.amount, currency):f}",
        "amount": f"{quantise(again.amount, currency):f}" if again else None,
        "tax_billed": f"{quantise(row.tax, currency):f}",
        "tax": f"{each.tax.expected:f}" if each.tax else None,
        "code": "different" if again and again.agrees else "inputs_disagree",
    }


def _document_told(each: Unsummed) -> dict[str, Any]:
    return {
        "document": each.invoice,
        "invoice": each.number,
        "billed": f"{quantise(each.net, each.currency):f}",
        "amount": f"{quantise(each.lines_net, each.currency):f}",
        "tax_billed": f"{quantise(each.tax, each.currency):f}",
        "tax": f"{quantise(each.lines_tax, each.currency):f}",
        "code": "not_the_sum",
    }


def _run(text: str) -> BillRun:
    key = text.strip().upper().removeprefix("R-")
    found = BillRun.objects.filter(pk=int(key)).first() if is_key(key) else None
    if found is None:
        raise CommandError(f"There is no bill run {text}.")
    return found
