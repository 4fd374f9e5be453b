"""The SQL of totals and of marks: what every way of counting an event ends in."""

# An event of a totals row: new ones, and those that waited.
ADD_TO_TOTALS = """
INSERT INTO subscriptions_usagetotal AS total
        (service_id, meter_id, day, part, quantity, count, how, last_at)
    SELECT service_id, meter_id, day, part,
           CASE how WHEN 0 THEN sum(amount) WHEN 1 THEN max(amount)
                ELSE (max(ARRAY[extract(epoch FROM at), amount]) FILTER (WHERE how = 2))[2] END,
           count(*), how, max(at)
        FROM {events}
        GROUP BY service_id, meter_id, day, part, how
        ORDER BY service_id, meter_id, day, part
    ON CONFLICT (service_id, meter_id, day, part) DO UPDATE SET
        quantity = CASE
            WHEN EXCLUDED.how = 0 THEN total.quantity + EXCLUDED.quantity
            WHEN total.count = 0 THEN EXCLUDED.quantity
            WHEN EXCLUDED.how = 1 THEN GREATEST(total.quantity, EXCLUDED.quantity)
            WHEN (EXCLUDED.last_at, EXCLUDED.quantity) > (total.last_at, total.quantity)
                THEN EXCLUDED.quantity
            ELSE total.quantity END,
        count = total.count + EXCLUDED.count,
        last_at = CASE WHEN total.count = 0 THEN EXCLUDED.last_at
            ELSE GREATEST(total.last_at, EXCLUDED.last_at) END
"""

# A day that is over may have been billed.
MARK_LATE = """
INSERT INTO subscriptions_usagemark AS mark (service_id, meter_id, revision)
    SELECT DISTINCT service_id, meter_id, 1 FROM {events}
        WHERE day < (now AT TIME ZONE zone)::date
        ORDER BY service_id, meter_id
    ON CONFLICT (service_id, meter_id) DO UPDATE SET revision = mark.revision + 1
"""
