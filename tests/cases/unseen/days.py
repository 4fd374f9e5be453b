"""Periods, shares and trials by keys that the shared file has no case of."""

from tests.cases.unseen.shape import Case

KILL_BILL = {
    "period_end": "exclusive",
    "day_count": "actual / days of the anchored period holding the fragment",
    "scale": 9,
    "rounding": "half_up",
}
LAGO = {
    "period_end": "inclusive",
    "day_count": "billable days / days of the period",
    "rounding": "half_up to cents",
}

DAYS: dict[str, Case] = {
    "items and total of a draft": (
        "period.boundaries",
        {"price": "10", "start": "2026-01-01", "period": "quarterly", "target_date": "2026-07-01"},
        KILL_BILL,
        {"items": 3, "total": "30"},
    ),
    "two pieces of a fixed month": (
        "proration.cancel_mid_period",
        {
            "price": "19.95",
            "fixed_month_days": 30,
            "pieces": [["2023-05-15", "2023-05-23"], ["2023-05-23", "2023-06-15"]],
        },
        KILL_BILL | {"day_count": "fixed 30"},
        {"pieces": ["5.32", "14.63"], "sum": "19.95"},
    ),
    "a paid period and what stands beside it": (
        "proration.cancel_mid_period",
        {
            "price": "12",
            "paid_period": ["2011-04-05", "2011-05-05"],
            "cancelled": "2011-04-29",
            "other_charge_same_invoice": "10",
        },
        KILL_BILL,
        {"credit": "-2.40", "used": "9.60", "invoice_total": "7.60"},
    ),
    "the day of the start gives all back": (
        "proration.cancel_mid_period",
        {"price": "12", "period": ["2011-04-05", "2011-05-05"], "cancelled": "2011-04-05"},
        KILL_BILL,
        {"credit": "-12"},
    ),
    "what the days cost that were used": (
        "proration.cancel_mid_period",
        {
            "price": "30",
            "timing": "in_advance",
            "period": ["2026-04-01", "2026-05-01"],
            "cancelled": "2026-04-11",
        },
        KILL_BILL,
        {"amount": "10"},
    ),
    "what comes back in a later period": (
        "proration.cancel_mid_period",
        {
            "price": "29",
            "timing": "in_advance",
            "alignment": "calendar month",
            "started": "2024-01-15",
            "terminated": "2024-02-12",
        },
        LAGO,
        {"credit_note": "17.00"},
    ),
    "days of any year": (
        "proration.cancel_mid_period",
        {
            "price": "31",
            "timing": "in_arrears",
            "alignment": "calendar",
            "start": "(year)-12-15",
            "terminated": "(year)-12-20",
        },
        LAGO,
        {"amount": "6.00"},
    ),
    "a plan that ends in its first month": (
        "proration.change_mid_period",
        {
            "price": "30",
            "alignment": "calendar month",
            "timing": "in_arrears",
            "started": "2026-04-06",
            "terminated": "2026-04-15",
        },
        LAGO,
        {"amount": "10"},
    ),
    "units by days of days": (
        "proration.quantity_change",
        {
            "seats_before": 1,
            "seats_after": 2,
            "price_per_seat": "10",
            "remaining_days": 20,
            "period_days": 30,
        },
        {},
        {"amount": "6.67"},
    ),
    "several units at both ends": (
        "proration.both_ends",
        {
            "price": "9",
            "quantity": 10,
            "period": "month",
            "anchor_day": 5,
            "start": "2025-03-28",
            "end": "2026-02-04",
        },
        {"period_end": "inclusive"},
        {"multiplier": "10.258065", "amount": "923.23"},
    ),
    "weeks in days": (
        "proration.both_ends",
        {"price": "7", "quantity": 2, "weeks": "75 days / 7"},
        {},
        {"amount": "150"},
    ),
    "the smaller of time and credits": (
        "proration.change_mid_period",
        {
            "old_price": "20",
            "new_price": "50",
            "credits_left": "900 of 1000",
            "time_left": "0.5",
            "rule": "the smaller of time left and credits left",
        },
        {},
        {"credit": "10", "charge": "40"},
    ),
    "half the period": (
        "proration.change_mid_period",
        {
            "old_price": "10",
            "new_price": "20",
            "elapsed": "half the period",
            "next_period": "billed together",
        },
        {},
        {"credit": "5", "debit": "10", "next": "20", "invoice": "25"},
    ),
    "the paid period in days": (
        "proration.change_mid_period",
        {
            "old_price": "30",
            "new_price": "60",
            "period": "month",
            "period_dates": ["2026-04-01", "2026-04-30"],
            "change": "2026-04-16",
        },
        LAGO,
        {"credit_note": "15.00", "new_fee": "30.00", "invoice_total": "15.00"},
    ),
    "the whole paid amount": (
        "proration.change_mid_period",
        {
            "old": {"price": "36.6", "paid": ["2012-05-12", "2012-06-01"], "amount_paid": "23.61"},
            "new": {
                "price": "31",
                "period": "monthly",
                "start": "2012-05-12",
                "billing_cycle_day": 1,
            },
            "change": "2012-05-12",
        },
        KILL_BILL,
        {"credit": "-23.61", "charge": "20.00"},
    ),
    "the rest of a month by its length": (
        "proration.day_count",
        {"rule": "remaining calendar days over the month length", "date": "5 January"},
        {},
        {"ratio": "27/31"},
    ),
    "the rest of a month of 30 days": (
        "proration.day_count",
        {"rule": "day of month, 30-day month", "day": 5},
        {},
        {"ratio": "26/30"},
    ),
    "a term in days": (
        "proration.day_count",
        {"precision": "day", "days": 100, "default_term_days": 365},
        {"scale": 4},
        {"multiplier": "0.2740"},
    ),
    "billing off and on again": (
        "proration.pause_resume",
        {
            "price": "30",
            "period": ["2026-04-01", "2026-05-01"],
            "billing_off": ["2026-04-11", "2026-04-21"],
        },
        KILL_BILL,
        {"credit": "-20", "charge": "10"},
    ),
    "units that count from the next period": (
        "proration.quantity_change",
        {
            "unit_price": "10",
            "quantity_before": 3,
            "quantity_after": 5,
            "changed": "mid period",
            "policy": "from next period, no proration",
        },
        {},
        {"amount": "0", "next_invoice": "50"},
    ),
    "a fragment and a whole month": (
        "proration.start_mid_period",
        {
            "price": "31",
            "start": "2026-01-11",
            "billing_cycle_day": 1,
            "invoiced_periods": "leading fragment and one whole month",
        },
        {},
        {"total": "52"},
    ),
    "longer than the period": (
        "proration.start_mid_period",
        {
            "price": "100",
            "service_period": "longer than the full service period",
            "currency": "USD",
        },
        {"rounding": "half_up at the currency scale"},
        {"amount": "100"},
    ),
    "a month of 30 days": (
        "proration.start_mid_period",
        {
            "price": "100",
            "start": "2018-01-01",
            "billing_cycle_day": 15,
            "target_date": "2018-02-14",
            "day_count": "30-day month",
        },
        {},
        {"total": "146.67"},
    ),
    "in arrears": (
        "proration.start_mid_period",
        {"price": "31", "start": "2026-01-11", "alignment": "calendar", "timing": "in_arrears"},
        LAGO,
        {"amount": "21"},
    ),
    "days of a service": (
        "timezone",
        {
            "price": "1.50",
            "period": "daily",
            "created_utc": "2026-03-08T03:30:00Z",
            "time_zone": "America/Halifax",
        },
        LAGO,
        {
            "days": [
                {"start": "2026-03-07", "end": "2026-03-07", "amount": "1.50"},
                {"start": "2026-03-08", "end": "2026-03-08", "amount": "1.50"},
            ]
        },
    ),
    "a trial in a period of so many days": (
        "trial",
        {"price": "30", "trial_days": 10, "days_in_period": 30},
        LAGO,
        {"amount": "20"},
    ),
}
