"""The triggers of the partitioned tables; 0002 made those anew, without any."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [('billing', '0002_partitions')]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceline',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='5b3adac0257c1e4bf2968a839e3bd8d5845aae61', operation='UPDATE OR DELETE', pgid='pgtrigger_frozen_828a8', table='billing_invoiceline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceline',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='7b26ebf8ecfd3565ae4e59d1c07826578a97121e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_3d53f', table='billing_invoiceline', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceline',
            trigger=pgtrigger.compiler.Trigger(name='lines_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong BIGINT;', func="\n    SELECT lines.invoice_id INTO wrong\n        FROM (\n            SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS lines\n                FROM added GROUP BY invoice_id\n        ) AS lines\n        LEFT JOIN billing_invoice AS invoice ON invoice.id = lines.invoice_id\n        WHERE invoice.id IS NULL OR invoice.net <> lines.net OR invoice.tax <> lines.tax\n            OR invoice.line_count <> lines.lines\n        LIMIT 1;\n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION 'o2b: the lines of invoice % do not add up to it', wrong\n            USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n    ", hash='6747ff05a073ff039e7fa5ae760ba399534d5750', level='STATEMENT', operation='INSERT', pgid='pgtrigger_lines_add_up_3ace6', referencing='REFERENCING NEW TABLE AS added ', table='billing_invoiceline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='94c3d2854110a12adc6ca67f5c381fca21973694', operation='UPDATE OR DELETE', pgid='pgtrigger_frozen_34c46', table='billing_posting', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='cf19e93e7a95099d5b53737d01f3f36e691f86e9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_6ca2a', table='billing_posting', when='BEFORE')),
        ),
    ]
