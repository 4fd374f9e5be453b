"""Documents get nothing later, runs stay, numbers are of documents; months hold it too."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations
from o2b.migrating import at_once
from o2b.partitions import guard_partitions

TABLES = ("billing_invoiceline", "billing_posting", "billing_invoicedocument")


def guard_months(apps, schema_editor):
    """Those that were made so far."""
    for table in TABLES:
        guard_partitions(table)


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0017_a_familys_bill_waits_as_one'),
    ]

    operations = at_once([
        pgtrigger.migrations.RemoveTrigger(
            model_name='invoiceline',
            name='lines_add_up',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='numberseries',
            name='never_back',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='billrun',
            trigger=pgtrigger.compiler.Trigger(name='kept_once_approved', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."approved_at" IS NOT NULL)', func="\n    RAISE EXCEPTION 'o2b: run % was approved, so it stays', OLD.id USING ERRCODE = '23514';\n    ", hash='155ba0b625bf5d5da3365c7d93e8f5bf4e089cc6', operation='DELETE', pgid='pgtrigger_kept_once_approved_6ca4d', table='billing_billrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='billrun',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='35ee17c02845f600e4bd3a3316f13528364b7642', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_e2cf6', table='billing_billrun', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceline',
            trigger=pgtrigger.compiler.Trigger(name='lines_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong BIGINT; low BIGINT; high BIGINT; number BIGINT; there BIGINT;', func="\n    SELECT min(invoice_id), max(invoice_id), count(*) INTO low, high, number FROM added;\n    IF EXISTS (SELECT FROM billing_invoiceadjustment WHERE invoice_id BETWEEN low AND high) THEN\n        EXECUTE 'SELECT lines.invoice_id\n            FROM (\n                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS lines\n                    FROM added GROUP BY invoice_id\n            ) AS lines\n            LEFT JOIN LATERAL (\n                SELECT * FROM billing_invoice WHERE id = lines.invoice_id OFFSET 0\n            ) AS invoice ON true\n            LEFT JOIN LATERAL (\n                SELECT sum(amount) AS net, sum(tax) AS tax\n                    FROM billing_invoiceadjustment WHERE invoice_id = lines.invoice_id\n            ) AS given ON true\n            WHERE invoice.id IS NULL OR invoice.line_count <> lines.lines\n                OR invoice.net <> lines.net + COALESCE(given.net, 0)\n                OR invoice.tax <> lines.tax + COALESCE(given.tax, 0)\n            LIMIT 1' INTO wrong;\n    ELSE\n        EXECUTE 'SELECT lines.invoice_id\n            FROM (\n                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS lines\n                    FROM added GROUP BY invoice_id\n            ) AS lines\n            LEFT JOIN LATERAL (\n                SELECT * FROM billing_invoice WHERE id = lines.invoice_id OFFSET 0\n            ) AS invoice ON true\n            WHERE invoice.id IS NULL OR invoice.net <> lines.net OR invoice.tax <> lines.tax\n                OR invoice.line_count <> lines.lines\n            LIMIT 1' INTO wrong;\n    END IF;\n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION 'o2b: the lines of invoice % do not add up to it', wrong\n            USING ERRCODE = 'check_violation';\n    END IF;\n    \n    IF high - low < 4 * number THEN\n        EXECUTE 'SELECT count(*) FROM billing_invoiceline WHERE invoice_id BETWEEN $1 AND $2 AND true'\n            INTO there USING low, high;\n    END IF;\n    IF number > 0 AND there IS DISTINCT FROM number THEN\n        EXECUTE 'SELECT mine.invoice_id\n            FROM (\n                SELECT invoice_id, count(*) AS rows FROM added\n                    WHERE invoice_id IS NOT NULL AND true GROUP BY invoice_id\n            ) AS mine\n            WHERE mine.rows <> (\n                SELECT count(*) FROM billing_invoiceline WHERE invoice_id = mine.invoice_id AND true\n            )\n            LIMIT 1' INTO wrong;\n        IF wrong IS NOT NULL THEN\n            RAISE EXCEPTION 'o2b: document % is final, nothing is added to it', wrong\n                USING ERRCODE = 'check_violation';\n        END IF;\n    END IF;\n    \n    RETURN NULL;\n    ", hash='d19ab9f6e91d6c6cd4bc1cd14df6968296c6b3d0', level='STATEMENT', operation='INSERT', pgid='pgtrigger_lines_add_up_3ace6', referencing='REFERENCING NEW TABLE AS added ', table='billing_invoiceline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='numberseries',
            trigger=pgtrigger.compiler.Trigger(name='never_back', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF TG_OP = 'DELETE' OR NEW.next_number < OLD.next_number\n            OR (NEW.legal_entity_id, NEW.year, NEW.kind, NEW.prefix)\n                IS DISTINCT FROM (OLD.legal_entity_id, OLD.year, OLD.kind, OLD.prefix) THEN\n        RAISE EXCEPTION 'o2b: a number series goes on, and never back'\n            USING ERRCODE = 'check_violation';\n    END IF;\n    IF NEW.next_number > OLD.next_number AND NEW.next_number > COALESCE((\n        SELECT max(shard.invoices + CASE NEW.kind\n                WHEN 'credit_note' THEN shard.first_credit ELSE shard.first_number END)\n            FROM billing_billrun AS run JOIN billing_shard AS shard ON shard.run_id = run.id\n            WHERE run.legal_entity_id = NEW.legal_entity_id AND run.state = 'to_approve'\n                AND CASE NEW.kind WHEN 'credit_note' THEN shard.first_credit\n                    ELSE shard.first_number END >= OLD.next_number\n    ), 0) THEN\n        RAISE EXCEPTION 'o2b: numbers from % to % are of no document', OLD.next_number,\n            NEW.next_number - 1 USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NEW;\n    ", hash='8a6e443b324e3eb198637a7420368ef082e1576d', operation='UPDATE OR DELETE', pgid='pgtrigger_never_back_e270a', table='billing_numberseries', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='posting',
            trigger=pgtrigger.compiler.Trigger(name='posted_once', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong BIGINT; low BIGINT; high BIGINT; number BIGINT; there BIGINT;', func="\n    SELECT min(invoice_id), max(invoice_id), count(*) INTO low, high, number FROM added\n        WHERE invoice_id IS NOT NULL AND NOT (debit IN ('revenue', 'prepaid') AND credit IN ('revenue', 'prepaid'));\n    \n    IF high - low < 4 * number THEN\n        EXECUTE 'SELECT count(*) FROM billing_posting WHERE invoice_id BETWEEN $1 AND $2 AND NOT (debit IN (''revenue'', ''prepaid'') AND credit IN (''revenue'', ''prepaid''))'\n            INTO there USING low, high;\n    END IF;\n    IF number > 0 AND there IS DISTINCT FROM number THEN\n        EXECUTE 'SELECT mine.invoice_id\n            FROM (\n                SELECT invoice_id, count(*) AS rows FROM added\n                    WHERE invoice_id IS NOT NULL AND NOT (debit IN (''revenue'', ''prepaid'') AND credit IN (''revenue'', ''prepaid'')) GROUP BY invoice_id\n            ) AS mine\n            WHERE mine.rows <> (\n                SELECT count(*) FROM billing_posting WHERE invoice_id = mine.invoice_id AND NOT (debit IN (''revenue'', ''prepaid'') AND credit IN (''revenue'', ''prepaid''))\n            )\n            LIMIT 1' INTO wrong;\n        IF wrong IS NOT NULL THEN\n            RAISE EXCEPTION 'o2b: document % is final, nothing is added to it', wrong\n                USING ERRCODE = 'check_violation';\n        END IF;\n    END IF;\n    \n    RETURN NULL;\n    ", hash='0e2dec16e339b2974d5bb0d214e9b17dac8695d3', level='STATEMENT', operation='INSERT', pgid='pgtrigger_posted_once_c9002', referencing='REFERENCING NEW TABLE AS added ', table='billing_posting', when='AFTER')),
        ),
        migrations.RunPython(guard_months, migrations.RunPython.noop),
    ])
