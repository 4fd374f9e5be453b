"""The row of an adjustment, as it is drafted: an amount of a document that no charge bills."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

COUPON, MINIMUM = "coupon", "minimum"


class Adjustment(NamedTuple):
    """A discount of a charge's period (below zero), or what a minimum asks for (no charge).

    `revision` n gives the target as it is now less all that revisions before it gave; `percent` is
    the tax rate, `basis` what `amount` is computed from again.
    """

    kind: str
    source: int
    charge: int | None
    period_start: date
    period_end: date
    revision: int
    amount: Decimal
    tax_code: str
    percent: Decimal
    tax: Decimal
    text: str
    basis: Mapping[str, Any]
