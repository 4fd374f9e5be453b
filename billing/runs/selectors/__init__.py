"""Questions about runs: what a shard reads, what the check reads, what a page shows."""

from billing.runs.selectors.progress import (
    Counts,
    breaches_in,
    counts_of,
    overlapping_runs,
    rows_of,
    runs_with_people,
    totals_of,
    troubles_of,
)
from billing.runs.selectors.rules import rules_of

__all__ = [
    "Counts",
    "breaches_in",
    "counts_of",
    "overlapping_runs",
    "rows_of",
    "rules_of",
    "runs_with_people",
    "totals_of",
    "troubles_of",
]
