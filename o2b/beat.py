"""Work by the clock: what beat sends how often, by the names of tasks."""

from datetime import timedelta

SCHEDULE = {
    "sweep-outbox": {"task": "o2b.sweep_outbox", "schedule": 10.0},
    "wake-due-orders": {"task": "orders.wake_due", "schedule": 5.0},
    "watch-time": {"task": "orders.watch_time", "schedule": 15.0},
    "renew-forecasts": {"task": "orders.renew_forecasts", "schedule": 30.0},
    "begin-due-orders": {"task": "orders.begin_due", "schedule": 60.0},
    "warn-overdue-complaints": {"task": "care.warn_overdue", "schedule": 30.0},
    "mail-notices": {"task": "people.sweep_mail", "schedule": 15.0},
    "make-partitions": {"task": "o2b.make_partitions", "schedule": timedelta(days=1)},
    "turn-items": {"task": "subscriptions.turn_items", "schedule": 60.0},
    "tell-price-moves": {"task": "subscriptions.tell_price_moves", "schedule": timedelta(hours=1)},
    "move-prices": {"task": "subscriptions.move_prices", "schedule": timedelta(minutes=10)},
    "remind-renewals": {"task": "subscriptions.remind_renewals", "schedule": timedelta(hours=1)},
    "renew-due": {"task": "subscriptions.renew_due", "schedule": 60.0},
    "release-usage": {"task": "subscriptions.release_usage", "schedule": 30.0},
    "refill-pools": {"task": "subscriptions.refill_pools", "schedule": timedelta(minutes=3)},
    "count-usage-days": {"task": "subscriptions.count_usage_days", "schedule": timedelta(hours=1)},
    "lapse-prepaid-money": {"task": "billing.lapse_money", "schedule": timedelta(minutes=10)},
    "top-up-wallets": {"task": "billing.top_up_wallets", "schedule": timedelta(minutes=10)},
    "warn-of-wallets": {"task": "billing.warn_of_wallets", "schedule": timedelta(minutes=10)},
    "discard-rehearsals": {
        "task": "billing.discard_rehearsals",
        "schedule": timedelta(hours=1),
    },
    "watch-usage": {"task": "subscriptions.watch_usage", "schedule": timedelta(minutes=2)},
    "expire-quotes": {"task": "quotes.expire_quotes", "schedule": timedelta(minutes=10)},
}
# Whatever beat sends is either work of the accounts, which a test clock carries out on each of its
# days in this order, or work of the machine, which has no days; `manage.py check` sees to it.
DAILY_WORK = [
    "quotes.expire_quotes",
    "orders.begin_due",
    "orders.wake_due",
    "orders.watch_time",
    "subscriptions.turn_items",
    "subscriptions.tell_price_moves",
    "subscriptions.move_prices",
    "subscriptions.remind_renewals",
    "subscriptions.renew_due",
    "subscriptions.refill_pools",
    "billing.lapse_money",
    "billing.top_up_wallets",
    "billing.warn_of_wallets",
    "subscriptions.watch_usage",
    "care.warn_overdue",
    "orders.renew_forecasts",
]
MACHINE_WORK = [
    "o2b.sweep_outbox",
    "people.sweep_mail",
    "o2b.make_partitions",
    "subscriptions.release_usage",
    "subscriptions.count_usage_days",
    "billing.discard_rehearsals",
]
