"""An explained line as JSON: what the API and the commands print."""

from decimal import Decimal
from typing import Any

from billing.explaining.selectors import LineExplained
from billing.explaining.selectors.adjusted import AdjustmentExplained
from o2b.charging import Step
from o2b.charging.pricing.explained import told
from o2b.money import quantise


def as_json(each: LineExplained) -> dict[str, Any]:
    """`equal` is None where the line cannot be computed again, and `reason` says why."""
    line, again, tax = each.line, each.again, each.tax
    currency = line.charge.currency

    def money(amount: Decimal) -> str:
        return f"{quantise(amount, currency):f}"

    return {
        "line": line.pk,
        "invoice": line.invoice.number,
        "position": line.position,
        "currency": currency,
        "charge_key": line.charge.terms_charge.key,
        "period_start": str(line.period_start),
        "period_end": str(line.period_end),
        "served_from": str(line.served_from),
        "served_to": str(line.served_to),
        "segment": line.segment,
        "revision": line.revision,
        "quantity": f"{line.quantity.normalize():f}",
        "equal": each.equal,
        "code": each.code,
        "reason": each.trouble,
        "steps": steps_told(again.steps if again else ()),
        "facts": [{"label": label, "text": text} for label, text in (again.facts if again else ())],
        "pools": [pool.pk for pool in each.pools],
        "target": money(again.target) if again else None,
        "billed_before": money(again.billed_before) if again else None,
        "amount": money(again.amount) if again else None,
        "billed": money(line.amount),
        "inputs_agree": again.agrees if again else None,
        "tax": money(tax.expected) if tax else money(Decimal(0)),
        "tax_billed": money(line.tax),
        "tax_rounded_per": tax.per.value if tax else None,
        "tax_steps": steps_told(tax.steps if tax else ()),
    }


def adjustment_as_json(each: AdjustmentExplained) -> dict[str, Any]:
    """A discount or a true-up in the same way."""
    row, again, tax = each.adjustment, each.again, each.tax
    currency = row.invoice.currency

    def money(amount: Decimal) -> str:
        return f"{quantise(amount, currency):f}"

    return {
        "position": row.position,
        "equal": each.equal,
        "reason": each.trouble,
        "steps": steps_told(again.steps if again else ()),
        "target": money(again.target) if again else None,
        "given_before": money(again.before) if again else None,
        "amount": money(again.amount) if again else None,
        "billed": money(row.amount),
        "tax": money(tax.expected) if tax else money(Decimal(0)),
        "tax_billed": money(row.tax),
        "tax_steps": steps_told(tax.steps if tax else ()),
    }


def steps_told(steps: tuple[Step, ...]) -> list[dict[str, str]]:
    """Label, arithmetic and result of each step; a result may be exact, with many decimals."""
    return [
        {"label": step.label, "arithmetic": step.arithmetic, "result": told(step.result)}
        for step in steps
    ]
