"""What a step of a plan costs: minutes at a rate, equipment, vendors."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

PLACES = Decimal("0.0001")


def planned_cost(step: Mapping[str, Any], hourly_rate: Decimal) -> Decimal:
    """minutes × rate ÷ 60 + equipment + vendor, in the seller's currency, to four places.

    The step's own `rate` goes before the queue's.

    >>> planned_cost({"minutes": 90, "equipment": "35.00"}, Decimal(60))
    Decimal('125.0000')
    """
    rate = Decimal(str(step["rate"])) if step.get("rate") is not None else hourly_rate
    return labour(step.get("minutes") or 0, rate) + _said(step, "equipment") + _said(step, "vendor")


def labour(minutes: int, hourly_rate: Decimal) -> Decimal:
    """minutes × rate ÷ 60, half up to four places.

    >>> labour(50, Decimal("31.00"))
    Decimal('25.8333')
    """
    return (Decimal(minutes) * hourly_rate / 60).quantize(PLACES, ROUND_HALF_UP)


def _said(step: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(str(step.get(name) or 0)).quantize(PLACES, ROUND_HALF_UP)
