"""Invoice lines computed again from what was kept of them, beside what was billed."""

from billing.explaining.selectors.explained import (
    LineExplained,
    explain_invoice,
    explain_line,
    explain_run,
)
from billing.explaining.selectors.naming import NoSuchLine, line_at, line_named

__all__ = [
    "LineExplained",
    "NoSuchLine",
    "explain_invoice",
    "explain_line",
    "explain_run",
    "line_at",
    "line_named",
]
