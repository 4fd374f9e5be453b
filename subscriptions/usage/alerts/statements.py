"""The SQL of alerts: which services changed, which are looked at, what is told first."""

# Events have the time at which their transaction began. Whatever is open now may still bring some
# of an earlier time, so the next look goes back to the oldest of them; in a quiet house to now.
# Who only reads has no backend_xid, which whoever writes gets long before a minute has passed.
NEXT_SINCE = """
SELECT LEAST(now(), min(xact_start)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND (backend_xid IS NOT NULL OR xact_start > now() - interval '1 minute')
"""
FIRST_LOOK = """
INSERT INTO subscriptions_usagealertlook (id, since) VALUES (1, now() - interval '1 hour')
    ON CONFLICT (id) DO NOTHING
"""
SINCE = "SELECT since FROM subscriptions_usagealertlook WHERE id = 1 FOR UPDATE SKIP LOCKED"
NEXT_LOOK = "UPDATE subscriptions_usagealertlook SET since = %s WHERE id = 1"

# By the BRIN index of the months that the moment lies in or before: what came since, and no more.
CHANGED = """
INSERT INTO subscriptions_usagealertdue (service_id)
    SELECT DISTINCT service_id FROM subscriptions_usageevent
        WHERE recorded_at >= %s ORDER BY service_id
    ON CONFLICT (service_id) DO NOTHING
"""

# Who meets a row that goes waits, and puts it in anew: nothing that came meanwhile is overlooked.
TAKE_SOME = """
DELETE FROM subscriptions_usagealertdue WHERE service_id IN (
    SELECT service_id FROM subscriptions_usagealertdue
        ORDER BY service_id LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING service_id
"""

COLUMNS = {
    "rule_id": "bigint",
    "account_id": "bigint",
    "item_id": "bigint",
    "charge": "text",
    "meter_id": "bigint",
    "of": "text",
    "threshold": "numeric",
    "period_start": "date",
    "period_end": "date",
    "reached": "numeric",
    "limit": "numeric",
    "used": "numeric",
    "forecast": "numeric",
    "amount": "numeric",
    "currency": "text",
    "unit": "text",
    "told": "boolean",
    "at": "timestamptz",
    "letter_owed": "boolean",
}
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_ARRAYS = ", ".join(f"%({name})s::{kind}[]" for name, kind in COLUMNS.items())

# In the order of their key, so that two who tell the same wait for each other and in no circle.
TELL_ONCE = f"""
INSERT INTO subscriptions_usagealertsent ({_NAMES})
    SELECT {_NAMES} FROM unnest({_ARRAYS}) AS said ({_NAMES})
        ORDER BY account_id, item_id, charge, "of", period_start, threshold
    ON CONFLICT (account_id, item_id, charge, "of", period_start, threshold) DO NOTHING
    RETURNING id, account_id, item_id, charge, "of", period_start, threshold
"""
