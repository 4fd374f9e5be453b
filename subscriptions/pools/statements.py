"""The SQL of pools: who draws from which, and how often what is over has changed."""

# What begins or changes for an account, and what is said of its pools, one after the other: each
# sees what the others did. In the order of their keys.
ONE_BY_ONE = """
SELECT pg_advisory_xact_lock(hashtextextended('o2b pools of', account_id))
    FROM ({accounts} ORDER BY account_id) AS owner;
"""
OF_SERVICES = ONE_BY_ONE.format(
    accounts="""
    SELECT DISTINCT account_id FROM subscriptions_item
        WHERE id = ANY(%(roots)s) OR root_id = ANY(%(roots)s)
    """
)
OF_ACCOUNTS = ONE_BY_ONE.format(
    accounts="SELECT DISTINCT unnest(%(accounts)s::bigint[]) AS account_id"
)

# Pools that the Terms of these services bring units into are opened; then all pools that these
# services bring into, or ever did, draw from, or may draw from by now.
CONCERNED = """
WITH touched AS (
    SELECT id, account_id, COALESCE(root_id, id) AS service_id FROM subscriptions_item
        WHERE id = ANY(%(roots)s) OR root_id = ANY(%(roots)s)
), granted AS (
    SELECT touched.account_id, priced.details #>> '{grant,meter}' AS meter,
           bool_or(upper_inf(version.recorded) AND version.billed) AS holds
        FROM touched
        JOIN subscriptions_itemversion AS version ON version.item_id = touched.id
        JOIN catalog_termscharge AS priced ON priced.terms_id = version.terms_id
        WHERE priced.details #>> '{grant,meter}' IS NOT NULL
        GROUP BY touched.account_id, meter
), opened AS (
    INSERT INTO subscriptions_pool (account_id, meter, name)
        SELECT account_id, meter, '' FROM granted WHERE holds ORDER BY account_id, meter
        ON CONFLICT DO NOTHING
        RETURNING id
), drawn AS (
    SELECT touched.account_id, touched.service_id, known.meter
        FROM touched JOIN subscriptions_usagesubject AS known
            ON known.service_id = touched.service_id AND known.item_id = touched.id
)
SELECT id FROM opened
UNION
SELECT pool.id FROM subscriptions_pool AS pool JOIN granted USING (account_id, meter)
UNION
SELECT pool.id FROM subscriptions_pool AS pool JOIN drawn USING (account_id, meter)
UNION
SELECT member.pool_id FROM subscriptions_poolmember AS member JOIN drawn
    ON drawn.meter = member.meter
    AND (member.account_id = drawn.account_id OR member.service_id = drawn.service_id)
UNION
SELECT pool_id FROM subscriptions_poolservice WHERE service_id = ANY(%(roots)s)
"""

# Every service that is sold by the pool's meter to whoever draws from it, on whatever day.
PROJECT = """
INSERT INTO subscriptions_poolservice (service_id, meter_id, pool_id)
    SELECT DISTINCT known.service_id, meter.id, pool.id
        FROM subscriptions_pool AS pool
        JOIN catalog_meter AS meter ON meter.code = pool.meter
        CROSS JOIN LATERAL (
            SELECT item.id, COALESCE(item.root_id, item.id) AS root
                FROM subscriptions_item AS item WHERE item.account_id = pool.account_id
            UNION
            SELECT item.id, COALESCE(item.root_id, item.id)
                FROM subscriptions_poolmember AS member
                JOIN subscriptions_item AS item ON item.account_id = member.account_id
                WHERE member.pool_id = pool.id
            UNION
            SELECT item.id, COALESCE(item.root_id, item.id)
                FROM subscriptions_poolmember AS member
                JOIN subscriptions_item AS item
                    ON item.id = member.service_id OR item.root_id = member.service_id
                WHERE member.pool_id = pool.id
        ) AS owned
        JOIN subscriptions_usagesubject AS known
            ON known.service_id = owned.root AND known.item_id = owned.id
            AND known.meter = pool.meter
        WHERE pool.id = ANY(%(pools)s)
        ORDER BY known.service_id, meter.id, pool.id
    ON CONFLICT DO NOTHING
"""

# Whose usage has to ask first whether it fits: whoever may draw from a hard pool.
LIMIT = """
UPDATE subscriptions_usagesubject AS known SET limited = found.limited
    FROM (
        SELECT mine.id, EXISTS (
            SELECT FROM subscriptions_poolservice AS any_drawer
                JOIN subscriptions_pool AS hard ON hard.id = any_drawer.pool_id AND hard.hard
                WHERE any_drawer.service_id = mine.service_id AND hard.meter = mine.meter
        ) AS limited
            FROM subscriptions_poolservice AS drawer
            JOIN subscriptions_pool AS pool ON pool.id = drawer.pool_id
            JOIN subscriptions_usagesubject AS mine
                ON mine.service_id = drawer.service_id AND mine.meter = pool.meter
            WHERE pool.id = ANY(%(pools)s)
    ) AS found
    WHERE known.id = found.id AND known.limited <> found.limited
"""

# Locked in the order of their keys, after marks and before totals, as wherever usage is written.
REVISE = """
UPDATE subscriptions_pool SET revision = revision + 1
    WHERE id IN (
        SELECT id FROM subscriptions_pool WHERE id IN ({pools}) ORDER BY id FOR NO KEY UPDATE
    )
"""
REVISE_THESE = REVISE.format(pools="SELECT unnest(%(pools)s::bigint[])")

# Usage of days that are over changes what is left for all who draw from the same pool; so does a
# value below zero, which is taken off the days before it.
REVISE_LATE = REVISE.format(
    pools="""
    SELECT drawer.pool_id FROM subscriptions_poolservice AS drawer
        JOIN (SELECT DISTINCT service_id, meter_id FROM {events}
                  WHERE day < (now AT TIME ZONE zone)::date OR amount < 0) AS late
            ON late.service_id = drawer.service_id AND late.meter_id = drawer.meter_id
    """
)

# The same of some services and meters, told in two arrays of equal length.
REVISE_OF = REVISE.format(
    pools="""
    SELECT drawer.pool_id FROM subscriptions_poolservice AS drawer
        JOIN unnest(%s::bigint[], %s::bigint[]) AS late (service_id, meter_id)
            ON late.service_id = drawer.service_id AND late.meter_id = drawer.meter_id
    """
)

# How often usage of days that are over, or what covers it, has changed for a service and meter.
USAGE_REVISION = """
(COALESCE((SELECT mark.revision FROM subscriptions_usagemark AS mark
               WHERE mark.service_id = {service} AND mark.meter_id = {meter}), 0)
 + COALESCE((SELECT sum(pool.revision) FROM subscriptions_poolservice AS drawer
                 JOIN subscriptions_pool AS pool ON pool.id = drawer.pool_id
                 WHERE drawer.service_id = {service} AND drawer.meter_id = {meter}), 0))::int
"""

# The first day that is not over everywhere a pool is drawn from; as bill runs count days.
OVER = """
SELECT drawer.pool_id,
       min((COALESCE(clock.now, now() - interval '1 hour') AT TIME ZONE account.time_zone)::date)
    FROM (
        SELECT id AS pool_id, account_id FROM subscriptions_pool WHERE id = ANY(%(pools)s)
        UNION
        SELECT pool.pool_id, item.account_id FROM subscriptions_poolservice AS pool
            JOIN subscriptions_item AS item
                ON item.id = pool.service_id OR item.root_id = pool.service_id
            WHERE pool.pool_id = ANY(%(pools)s)
    ) AS drawer
    JOIN customers_account AS account ON account.id = drawer.account_id
    LEFT JOIN o2b_testclock AS clock ON clock.id = account.test_clock_id
    GROUP BY drawer.pool_id
"""
