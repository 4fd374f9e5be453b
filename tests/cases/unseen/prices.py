"""Prices, commitments and allowances by keys that the shared file has no case of."""

from tests.cases.unseen.shape import Case

TIERS = [
    {"up_to": 5, "unit_price": "2", "flat_fee": "10"},
    {"up_to": None, "unit_price": "1", "flat_fee": "0"},
]

PRICES: dict[str, Case] = {
    "blocks of one size, by record": (
        "charge.blocks",
        {"block_size": 10, "price": "2", "usage": [5, 7, 9]},
        {"block": "started blocks are charged whole"},
        {"total_blocks": 3, "amount": "6"},
    ),
    "blocks of which some were billed": (
        "charge.blocks",
        {"block_size": 10, "price": "2", "units": 41, "already_billed_blocks": 3},
        {},
        {"total_blocks": 5, "amount": "10", "amount_due": "4"},
    ),
    "blocks of several units": (
        "charge.blocks",
        {
            "items": [
                {"unit": "minute", "block_size": 60, "price": "1.5", "units": 61},
                {"unit": "MB", "block_size": 100, "price": "0.25", "units": 100},
            ]
        },
        {},
        {"amount": "3.25"},
    ),
    "one price a filter": (
        "charge.unit",
        {"filters": [{"unit_price": "2", "quantity": 3}, {"unit_price": "0.5", "quantity": 4}]},
        {},
        {"amount": "8"},
    ),
    "seats": ("charge.graduated", {"tiers": TIERS, "seats": 7}, {}, {"amount": "22"}),
    "the fee of the tier": (
        "charge.volume",
        {"unit_price_of_tier": "0.5", "flat_fee_of_tier": "7", "quantity": "10"},
        {},
        {"amount": "12"},
    ),
    "events told by running totals": (
        "charge.percentage",
        {
            "rate_percent": "1",
            "fixed_per_event": "2",
            "free_events": 2,
            "events": 4,
            "amount": "800",
            "running_totals": ["50", "150", "400"],
        },
        {},
        {"amount": "10.5"},
    ),
    "a percentage with tax": (
        "charge.percentage",
        {"rate_percent": "10", "amount": "80", "tax_percent": "20"},
        {},
        {"amount": "8", "with_tax": "9.60"},
    ),
    "a range of intervals, rounded down": (
        "charge.rating",
        {"volume": "6", "rate_range": [0, 4], "interval": "2.5", "price": "0.5", "round": "down"},
        {},
        {"amount": "0.5"},
    ),
    "a share of an interval": (
        "charge.rating",
        {"volume": "1", "rate_range": [0, 4], "interval": "2.5", "price": "0.5", "round": "none"},
        {},
        {"amount": "0.2"},
    ),
    "a maximum over packages": (
        "commitment.maximum",
        {
            "package_size": 10,
            "package_price": "15",
            "maximum": "100",
            "already_billed_quantity": 60,
            "period_quantity": 50,
        },
        {},
        {"charge": "75", "discount": "65", "amount": "10"},
    ),
    "a percentage before the maximum": (
        "commitment.maximum",
        {
            "unit_price": "10",
            "maximum": "100",
            "discount_percent": "50",
            "already_billed": "35",
            "already_billed_quantity": 7,
            "period_quantity": 20,
        },
        {"order": "percentage before the maximum"},
        {
            "charge": "200",
            "percentage_discount": "100",
            "maximum_discount": "35",
            "amount": "65",
        },
    ),
    "a minimum of units": (
        "commitment.minimum",
        {"unit_price": "10", "quantity": "0", "minimum": "100"},
        {},
        {"charge": "0", "true_up": "100", "amount": "100"},
    ),
    "a minimum over several charges": (
        "commitment.minimum",
        {"minimum": "100", "charged": "30.50"},
        {},
        {"true_up": "69.50", "total": "100"},
    ),
    "free units in slices": (
        "usage.allowance_overage",
        {
            "free_units": 10,
            "already_used": 8,
            "period_quantity": 5,
            "tiers": [{"up_to": None, "unit_price": "2"}],
        },
        {},
        {"billable_units": 3, "amount": "6"},
    ),
    "free units of a quantity": (
        "usage.allowance_overage",
        {"free_units": 10, "quantity": 15, "tiers": [{"up_to": None, "unit_price": "2"}]},
        {},
        {"billable_units": 5, "amount": "10"},
    ),
    "a window that charges as it occurs": (
        "usage.allowance_overage",
        {
            "allowance_per_month": 500,
            "window_months": 3,
            "overage_price": "0.1",
            "usage": ["700", "200", "333", "1000", "600", "900"],
        },
        {},
        {
            "charged_units": [0, 0, 0, 0, 100, 900],
            "amounts": ["0", "0", "0", "0", "10", "90"],
            "amount": "100",
        },
    ),
    "prepaid units": (
        "usage.allowance_overage",
        {"prepaid_units": 100, "used": 130, "overage_price": "0.5"},
        {},
        {"overage_units": 30, "amount": "15"},
    ),
    "a window that moves on": (
        "usage.allowance_overage",
        {
            "allowance_per_month": 500,
            "window_months": 3,
            "overage_price": "0.1",
            "usage": {"jan": "700", "feb": "200", "mar": "333", "apr": "1000"},
            "charge_at": "end of window; a window without overage moves on by one month",
        },
        {},
        {"jan_mar": "0", "feb_apr_units": 33, "amount": "3.3"},
    ),
    "units carried over": (
        "usage.rollover",
        {"included": 1000, "used": 1150, "rollover_before": 200},
        {},
        {"drawn": 150, "rollover_left": 50, "overage": 0, "next_period_available": 1050},
    ),
}
