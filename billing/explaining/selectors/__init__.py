"""Invoice lines computed again from what was kept of them, beside what was billed."""

from billing.explaining.selectors.explained import (
    LineExplained,
    explain_invoice,
    explain_line,
    explain_run,
)
from billing.explaining.selectors.naming import NoSuchLine, is_key, line_at, line_named, row_named

__all__ = [
    "LineExplained",
    "NoSuchLine",
    "explain_invoice",
    "explain_line",
    "explain_run",
    "is_key",
    "line_at",
    "line_named",
    "row_named",
]
