"""A document is written with its lines, or not at all; months of lines tell of them too."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models
from o2b.migrating import at_once
from o2b.partitions import guard_partitions


def guard_months(apps, schema_editor):
    """Those that were made so far."""
    guard_partitions("billing_invoiceline")


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0021_how_accounts_were_chosen'),
    ]

    operations = at_once([
        migrations.CreateModel(
            name='LinesOwed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transaction', models.BigIntegerField(db_index=True)),
                ('lines', models.BigIntegerField()),
            ],
            options={
                'verbose_name_plural': 'lines owed',
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='invoiceline',
            name='lines_add_up',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='owes_lines', sql=pgtrigger.compiler.UpsertTriggerSql(func='\n    INSERT INTO billing_linesowed (transaction, lines)\n        SELECT pg_current_xact_id()::text::bigint, owed\n            FROM (SELECT sum(line_count) AS owed FROM added) AS documents WHERE owed > 0;\n    RETURN NULL;\n    ', hash='67db1b5a93ea0f4363dec21472b0ad9403b676ee', level='STATEMENT', operation='INSERT', pgid='pgtrigger_owes_lines_4a6b1', referencing='REFERENCING NEW TABLE AS added ', table='billing_invoice', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoice',
            trigger=pgtrigger.compiler.Trigger(name='has_something', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."line_count" = 0)', constraint='CONSTRAINT', func="\n    IF NOT EXISTS (SELECT FROM billing_invoiceadjustment WHERE invoice_id = NEW.id) THEN\n        RAISE EXCEPTION 'o2b: document % is of nothing', NEW.number\n            USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n    ", hash='82b52578c1003baded13e7dcd89220ed4e216af0', operation='INSERT', pgid='pgtrigger_has_something_24c85', table='billing_invoice', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceline',
            trigger=pgtrigger.compiler.Trigger(name='lines_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong BIGINT; low BIGINT; high BIGINT; number BIGINT; there BIGINT;', func="\n    SELECT min(invoice_id), max(invoice_id), count(*) INTO low, high, number FROM added;\n    IF EXISTS (SELECT FROM billing_invoiceadjustment WHERE invoice_id BETWEEN low AND high) THEN\n        EXECUTE 'SELECT lines.invoice_id\n            FROM (\n                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, sum(line) AS lines\n                    FROM (\n                        SELECT invoice_id, amount, tax, 1 AS line FROM added \n                        UNION ALL\n                        SELECT invoice_id, amount, tax, 0 FROM billing_invoiceadjustment\n                            WHERE invoice_id BETWEEN $1 AND $2\n                    ) AS row\n                    GROUP BY invoice_id\n            ) AS lines\n            FULL JOIN (\n                SELECT id, net, tax, line_count FROM billing_invoice WHERE id BETWEEN $1 AND $2\n            ) AS invoice ON invoice.id = lines.invoice_id\n            WHERE COALESCE(lines.lines, 0) > 0\n                AND (invoice.id IS NULL OR invoice.line_count <> lines.lines\n                    OR invoice.net <> lines.net OR invoice.tax <> lines.tax)\n            LIMIT 1' INTO wrong USING low, high;\n    ELSE\n        EXECUTE 'SELECT lines.invoice_id\n            FROM (\n                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, sum(line) AS lines\n                    FROM (\n                        SELECT invoice_id, amount, tax, 1 AS line FROM added \n                    ) AS row\n                    GROUP BY invoice_id\n            ) AS lines\n            FULL JOIN (\n                SELECT id, net, tax, line_count FROM billing_invoice WHERE id BETWEEN $1 AND $2\n            ) AS invoice ON invoice.id = lines.invoice_id\n            WHERE COALESCE(lines.lines, 0) > 0\n                AND (invoice.id IS NULL OR invoice.line_count <> lines.lines\n                    OR invoice.net <> lines.net OR invoice.tax <> lines.tax)\n            LIMIT 1' INTO wrong USING low, high;\n    END IF;\n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION 'o2b: the lines of invoice % do not add up to it', wrong\n            USING ERRCODE = 'check_violation';\n    END IF;\n    \n    IF high - low < 4 * number THEN\n        EXECUTE 'SELECT count(*) FROM billing_invoiceline WHERE invoice_id BETWEEN $1 AND $2 AND true'\n            INTO there USING low, high;\n    END IF;\n    IF number > 0 AND there IS DISTINCT FROM number THEN\n        EXECUTE 'SELECT mine.invoice_id\n            FROM (\n                SELECT invoice_id, count(*) AS rows FROM added\n                    WHERE invoice_id IS NOT NULL AND true GROUP BY invoice_id\n            ) AS mine\n            WHERE mine.rows <> (\n                SELECT count(*) FROM billing_invoiceline WHERE invoice_id = mine.invoice_id AND true\n            )\n            LIMIT 1' INTO wrong;\n        IF wrong IS NOT NULL THEN\n            RAISE EXCEPTION 'o2b: document % is final, nothing is added to it', wrong\n                USING ERRCODE = 'check_violation';\n        END IF;\n    END IF;\n    \n    INSERT INTO billing_linesowed (transaction, lines)\n        SELECT pg_current_xact_id()::text::bigint, -number WHERE number > 0;\n    RETURN NULL;\n    ", hash='9c2ce94c908c18227a65569031dced373e20c54b', level='STATEMENT', operation='INSERT', pgid='pgtrigger_lines_add_up_3ace6', referencing='REFERENCING NEW TABLE AS added ', table='billing_invoiceline', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='linesowed',
            trigger=pgtrigger.compiler.Trigger(name='owes_nothing', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE owed NUMERIC;', func="\n    WITH told AS (DELETE FROM billing_linesowed WHERE transaction = NEW.transaction RETURNING lines)\n        SELECT sum(lines) INTO owed FROM told;\n    IF owed <> 0 THEN\n        RAISE EXCEPTION 'o2b: a document is written with its lines; % are missing', owed\n            USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n    ", hash='7602a6895c5a905f6a0f787ba6985c9458937ed3', operation='INSERT', pgid='pgtrigger_owes_nothing_30a39', table='billing_linesowed', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        migrations.RunPython(guard_months, migrations.RunPython.noop),
    ])
