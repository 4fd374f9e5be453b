"""Discounts, rounding and tax by keys that the shared file has no case of."""

from tests.cases.unseen.shape import Case

AMOUNTS: dict[str, Case] = {
    "a coupon over fees with tax": (
        "discount.fixed",
        {"fees": ["100", "50"], "coupon": "30", "tax_percent": "20"},
        {},
        {"coupon_applied": "30", "tax": "24", "total": "144"},
    ),
    "a percentage a line and on the total": (
        "discount.percent",
        {"unit": "cents", "discount_percent": "10", "lines": ["105", "105"]},
        {"rounding": "half_up"},
        {"per_line": ["11", "11"], "on_total": "21"},
    ),
    "what a discount leaves of lines": (
        "discount.allocation",
        {"lines": ["100", "200"], "discount": "10"},
        {},
        {"shares": ["3.33", "6.67"], "net_lines": ["96.67", "193.33"]},
    ),
    "three decimals": (
        "rounding.currency",
        {"currency": "KWD", "price": "10", "billable_days": 1, "period_days": 3},
        {"rounding": "half_up"},
        {"amount": "3.333", "minor_units": 3333},
    ),
    "from minor units": (
        "rounding.currency",
        {"currency": "BHD", "minor_units": 5124},
        {},
        {"amount": "5.124"},
    ),
    "a unit of one's own": (
        "rounding.currency",
        {"currency": "custom, 4 decimals", "amount": "1.23456"},
        {"rounding": "half_up"},
        {"amount": "1.2346"},
    ),
    "a quantity times a price": (
        "invoice.sum",
        {"lines": ["10 GB x 0.11", "5.00"]},
        {},
        {"total": "6.10"},
    ),
    "a discount inside a gross price": (
        "tax.inclusive",
        {"gross": "120", "discount": "10", "tax_percent": "10"},
        {},
        {"total": "110", "tax": "10"},
    ),
    "a quantity with tax": (
        "tax.rounding",
        {"unit_price": "0.333", "quantity": 3, "tax_percent": "20"},
        {"rounding": "half_up"},
        {"net": "1.00", "tax": "0.20", "total": "1.20"},
    ),
    "so many decimals, rounded down": (
        "tax.rounding",
        {"amount": "12.31245", "round": "down", "decimals": 2},
        {},
        {"amount": "12.31"},
    ),
    "coupon, credit note, prepaid credits": (
        "tax.with_discount",
        {
            "plan": "100",
            "usage": "20",
            "coupon": "20",
            "credit_note": "30",
            "prepaid_credits": "50",
            "tax_percent": "20",
        },
        {"order": "coupon before tax; credit notes, then prepaid credits after tax"},
        {"subtotal": "120", "net": "100", "tax": "20", "total": "120", "due": "40"},
    ),
    "a coupon over fees of several rates": (
        "tax.with_discount",
        {
            "fees": [{"amount": "100", "tax": "10"}, {"amount": "300", "tax": "20"}],
            "coupon": "40",
            "coupon_before_tax": True,
        },
        {"discount": "before tax, pro rata to fees"},
        {
            "coupon_split": ["10", "30"],
            "taxes": ["9", "54"],
            "tax_total": "63",
            "total": "423",
        },
    ),
    "exempt lines": (
        "tax.with_discount",
        {
            "lines": [{"net": "100", "taxable": True}, {"net": "100", "taxable": False}],
            "discount": "20",
            "tax_percent": "10",
        },
        {"discount": "before tax, pro rata over taxable and exempt lines"},
        {"discount": "20", "taxable": "90", "tax": "9", "total": "189"},
    ),
}
