"""Whose a subject is: written anew from the versions of items whenever they change."""

from collections.abc import Collection

from django.db import connection, transaction

# A subscription's and an item's number, serials and licence keys at the customer's, and whatever
# text, number or choice describes the service; only where something is sold by a meter, and only by
# that meter.
WRITE = """
WITH spans AS (
    SELECT COALESCE(item.root_id, item.id) AS service_id, item.id AS item_id, item.account_id,
           item.subscription_id, item.serial, item.order_line_id AS own_line,
           lower(version.valid) AS begins_on,
           upper(version.valid) + CASE
               WHEN priced.details #>> '{conventions,last_day_billed}' = 'true' AND NOT EXISTS (
                   SELECT FROM subscriptions_itemversion AS next
                       JOIN subscriptions_item AS other ON other.id = next.item_id
                       WHERE COALESCE(other.root_id, other.id) = COALESCE(item.root_id, item.id)
                       AND upper_inf(next.recorded) AND next.billed
                       AND lower(next.valid) = upper(version.valid)
               ) THEN 1 ELSE 0 END AS ends_on,
           version.product_version_id,
           COALESCE(version.described, line.characteristics) AS characteristics,
           COALESCE(priced.details ->> 'meter', priced.key) AS meter
        FROM subscriptions_item AS item
        JOIN subscriptions_itemversion AS version
            ON version.item_id = item.id AND upper_inf(version.recorded) AND version.billed
        LEFT JOIN orders_orderline AS line ON line.id = version.order_line_id
        JOIN catalog_termscharge AS priced
            ON priced.terms_id = version.terms_id AND priced.kind = 'usage'
        WHERE COALESCE(item.root_id, item.id) = ANY(%(roots)s)
), named AS (
    SELECT spans.*, 'S-' || subscription_id AS value FROM spans
    UNION ALL SELECT spans.*, 'S-' || subscription_id || '.' || item_id FROM spans
    UNION ALL SELECT spans.*, serial FROM spans
    UNION ALL SELECT spans.*, piece.serial FROM spans
        JOIN subscriptions_equipment AS piece ON piece.item_id = spans.service_id
    UNION ALL SELECT spans.*, licence.key FROM spans
        JOIN orders_task AS task ON task.line_id = spans.own_line
        JOIN orders_licencekey AS licence ON licence.task_id = task.id
    UNION ALL SELECT spans.*, said.value FROM spans
        JOIN catalog_productversion AS described ON described.id = spans.product_version_id
        CROSS JOIN LATERAL jsonb_each_text(spans.characteristics) AS said
        WHERE EXISTS (SELECT FROM jsonb_array_elements(described.characteristics) AS spec
                          WHERE spec ->> 'name' = said.key
                            AND COALESCE(spec ->> 'type', 'text') <> 'boolean')
), wanted AS (
    SELECT DISTINCT value, meter, service_id, item_id, account_id, begins_on, ends_on
        FROM named WHERE length(value) BETWEEN 1 AND 200
), gone AS (
    DELETE FROM subscriptions_usagesubject AS old WHERE old.service_id = ANY(%(roots)s)
        AND NOT EXISTS (SELECT FROM wanted WHERE
            (wanted.value, wanted.meter, wanted.service_id, wanted.item_id, wanted.begins_on)
                = (old.value, old.meter, old.service_id, old.item_id, old.begins_on)
            AND wanted.ends_on IS NOT DISTINCT FROM old.ends_on)
    RETURNING value, meter
), made AS (
    INSERT INTO subscriptions_usagesubject
        (value, meter, service_id, item_id, account_id, begins_on, ends_on, shared)
    SELECT value, meter, service_id, item_id, account_id, begins_on, ends_on, false FROM wanted
        WHERE NOT EXISTS (SELECT FROM subscriptions_usagesubject AS old WHERE
            (wanted.value, wanted.meter, wanted.service_id, wanted.item_id, wanted.begins_on)
                = (old.value, old.meter, old.service_id, old.item_id, old.begins_on)
            AND wanted.ends_on IS NOT DISTINCT FROM old.ends_on)
    RETURNING value, meter
)
SELECT value, meter FROM gone UNION SELECT value, meter FROM made
"""

# A subject of several services is looked at closely, day by day; all others at once. Of a value
# that very many services have (a colour, a speed) some tell that it is shared: the others are so
# already.
SHARE = """
WITH touched AS (
    SELECT DISTINCT value, meter FROM unnest(%(values)s::text[], %(meters)s::text[])
        AS told (value, meter)
), seen AS (
    SELECT few.* FROM touched CROSS JOIN LATERAL (
        SELECT id, value, meter, service_id, shared FROM subscriptions_usagesubject AS known
            WHERE known.value = touched.value AND known.meter = touched.meter LIMIT 100
    ) AS few
    UNION SELECT id, value, meter, service_id, shared FROM subscriptions_usagesubject AS mine
        WHERE service_id = ANY(%(roots)s)
        AND (mine.value, mine.meter) IN (SELECT value, meter FROM touched)
), found AS (
    SELECT seen.id, many.shared FROM seen JOIN (
        SELECT value, meter, min(service_id) <> max(service_id) AS shared
            FROM seen GROUP BY value, meter
    ) AS many ON (many.value, many.meter) = (seen.value, seen.meter)
        WHERE seen.shared <> many.shared
)
UPDATE subscriptions_usagesubject AS known SET shared = found.shared
    FROM found WHERE known.id = found.id
"""


@transaction.atomic
def write_subjects(roots: Collection[int]) -> None:
    """The subjects of these services as their versions have them now; the chains are locked."""
    if roots:
        with connection.cursor() as cursor:
            cursor.execute(WRITE, {"roots": sorted(roots)})
            if touched := sorted(cursor.fetchall()):
                values, meters = (list(column) for column in zip(*touched, strict=True))
                told = {"roots": sorted(roots), "values": values, "meters": meters}
                cursor.execute(SHARE, told)
