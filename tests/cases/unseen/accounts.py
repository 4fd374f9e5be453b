"""Payments, credits and revenue by keys that the shared file has no case of."""

from tests.cases.unseen.shape import Case

ACCOUNTS: dict[str, Case] = {
    "several payments of several debts": (
        "payment.allocation",
        {"debts": ["20", "15.50", "7"], "payments": ["30", "9"]},
        {"order": "oldest first"},
        {"applied": ["20", "15.50", "3.50"], "left": ["0", "0", "3.50"], "unapplied": "0"},
    ),
    "a payment of nothing owed": (
        "payment.allocation",
        {"open_amounts_oldest_first": [], "payment": "0.01"},
        {"order": "oldest first"},
        {"applied": [], "unapplied": "0.01"},
    ),
    "credit that stays": (
        "credit.account_balance",
        {"steps": ["credit 20 to the account"]},
        {},
        {"account_credit": "20", "credit_left": "20", "balance": "-20", "invoice_balance": "0"},
    ),
    "credit, then a charge": (
        "credit.account_balance",
        {"steps": ["credit 20 to the account", "charge 25"]},
        {},
        {"credit_used": "20", "account_credit": "0", "balance": "5", "invoice_balance": "5"},
    ),
    "credits told by another name": (
        "credit.account_balance",
        {"charge": "100", "credits": "40"},
        {},
        {"invoice": "60", "invoice_balance": "60", "balance": "60", "credit_left": "0"},
    ),
    "a line and its tax taken off a paid bill": (
        "credit.account_balance",
        {"paid_invoice_items": ["10", "4"], "then_adjust_item": "-10"},
        {},
        {"account_credit": "10", "balance": "-10", "invoice_balance": "0"},
    ),
    "a line of a bill that is not paid": (
        "credit.item_adjustment",
        {"item": "100", "paid": False, "adjustment": "-10"},
        {},
        {"amount": "90", "balance": "90", "account_credit": "0"},
    ),
    "a line of a bill that is paid": (
        "credit.item_adjustment",
        {"item": "100", "paid": True, "adjustment": "-100"},
        {},
        {"amount": "0", "balance": "0", "account_credit": "100"},
    ),
    "a line credited without a discount": (
        "credit_note.partial",
        {"lines": [1000, 500], "unit": "cents", "tax_percent": "20", "credit_lines": [[2]]},
        {},
        {"invoice_total": "1800", "credit_notes": ["600"]},
    ),
    "days of any year, earned one by one": (
        "revrec",
        {"amount": "122", "service": "08-20 .. 12-19 (122 days)", "method": "exact days"},
        {"period_end": "inclusive"},
        {"schedule": ["12", "30", "31", "30", "19"], "sum": "122"},
    ),
    "the first months of a year": (
        "revrec",
        {"amount": "365", "service": ["2025-01-01", "2026-01-01"], "method": "by day"},
        {"period_end": "exclusive", "sum": "always the amount"},
        {"schedule_first_three": ["31", "28", "31"], "sum": "365"},
    ),
}
