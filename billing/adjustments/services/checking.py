"""The promise check of discounts and true-ups: reckoned again from separate data, joined both ways.

All that was given of an account, drafts included, is held against what its coupons and minimums
promise for all that it is billed.
"""

from datetime import date
from typing import NamedTuple

from billing.adjustments.rules.expected import promised, still_open
from billing.adjustments.selectors.separate import (
    accounts_to_check,
    separate_data,
    uneven_documents,
)
from billing.promises.selectors import Broken
from billing.runs.selectors.scope import Scope

WORDS = {"coupon": "a discount", "minimum": "a true-up"}


class AdjustmentsChecked(NamedTuple):
    """Every difference, in minor units; and the accounts that have a minimum, services or not."""

    broken: list[Broken]
    committed: set[int]


def check_adjustments(shard_id: int, scope: Scope, *, until: date) -> AdjustmentsChecked:
    """Hold what was given and is drafted of a shard's accounts against what is promised."""
    asked = accounts_to_check(shard_id, scope)
    if not asked.currencies:
        return AdjustmentsChecked([], set())
    found: list[Broken] = []
    for account, data in separate_data(shard_id, asked.currencies).items():
        said = promised(data.lines, data.coupons, data.minimums, on=until)
        for key in sorted(said.keys() | data.given.keys()):
            kind, source, _, start = key
            wanted, given = said.get(key, 0), data.given.get(key, 0)
            if still_open(key, data.minimums, on=until):  # what was given stays, nothing is drafted
                wanted = given - data.drafted.get(key, 0)
            if wanted != given:
                what = f"{wanted} by {WORDS[kind]} ({source}) from {start}, in minor units"
                found.append(Broken(0, account, "amount", what, str(given), "given and drafted"))
    for account, net, parts in uneven_documents(shard_id, sorted(asked.currencies)):
        found.append(
            Broken(
                0, account, "amount", f"{parts:f} as the sum of its parts", f"{net:f}", "drafted"
            )
        )
    return AdjustmentsChecked(found, asked.committed)
