"""What one charge costs for one full period: exact, discounts and bounds included, and why."""

from o2b.charging.pricing.adjustments import Priced
from o2b.charging.pricing.explained import Step, explain, explain_list
from o2b.charging.pricing.listed import Events, list_price
from o2b.charging.pricing.price import (
    price,
    price_groups,
    price_together,
    priced,
    running_prices,
)
from o2b.charging.pricing.progress import Progress, progressive
from o2b.charging.pricing.shares import share_fixed_discount

__all__ = [
    "Events",
    "Priced",
    "Progress",
    "Step",
    "explain",
    "explain_list",
    "list_price",
    "price",
    "price_groups",
    "price_together",
    "priced",
    "progressive",
    "running_prices",
    "share_fixed_discount",
]
