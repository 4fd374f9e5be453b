"""Every line that a test billed, computed again from its inputs alone."""

from billing.explaining.selectors import LineExplained, explain_run
from billing.explaining.selectors.adjusted import explain_adjustments_of_run
from billing.models import BillRun, InvoiceAdjustment, InvoiceLine
from o2b.money import quantise


def lines_again() -> list[LineExplained]:
    """All lines of all runs, as they are computed again."""
    runs = BillRun.objects.order_by("pk").values_list("pk", flat=True)
    return [each for run in runs for each in explain_run(run_id=run)]


def assert_re_executed() -> int:
    """Each is equal to the cent in net and tax, and its steps end in its amount; how many."""
    found = lines_again()
    assert len(found) == InvoiceLine.objects.count()
    for each in found:
        assert each.equal is True, told(each)
        assert each.again is not None
        assert each.again.steps, told(each)
        last = each.again.steps[-1].result
        assert quantise(last, each.line.charge.currency) == each.line.amount, told(each)
    return len(found) + assert_adjustments_re_executed()


def assert_adjustments_re_executed() -> int:
    """Discounts and true-ups too."""
    runs = BillRun.objects.order_by("pk").values_list("pk", flat=True)
    found = [each for run in runs for each in explain_adjustments_of_run(run_id=run)]
    assert len(found) == InvoiceAdjustment.objects.count()
    for each in found:
        row = each.adjustment
        shown = f"{row} {row.amount} + {row.tax} {row.basis} {each.again} {each.tax} {each.detail}"
        assert each.equal is True, shown
        assert each.again is not None
        assert each.again.steps[-1].result == row.amount, shown
    return len(found)


def told(each: LineExplained) -> str:
    line = each.line
    return (
        f"{line.charge.terms_charge.key} {line.period_start} piece {line.segment} revision"
        f" {line.revision} {line.cause}: {line.amount} + {line.tax}; {each.code} {each.detail}"
        f" {each.again} {each.tax} basis {line.basis}"
    )
