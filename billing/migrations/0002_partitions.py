"""Invoice lines and postings lie in monthly partitions from the first day."""

from django.db import migrations

from o2b import clock
from o2b.partitions import ensure_months, partition_sql
from o2b.periods import add_months

TABLES = ("billing_invoiceline", "billing_posting")


def make_months(apps, schema_editor):
    """Last month, this one and the next three."""
    today = clock.today()
    for table in TABLES:
        ensure_months(table, add_months(today, -1), add_months(today, 3))


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [
        migrations.RunSQL(
            partition_sql("billing_invoiceline", by="period_start")
            + """
            ALTER TABLE billing_invoiceline
                ADD CONSTRAINT no_charge_and_period_billed_twice
                    UNIQUE (charge_id, period_start, segment, revision),
                ADD CONSTRAINT billing_invoiceline_invoice_id_fk
                    FOREIGN KEY (invoice_id) REFERENCES billing_invoice (id),
                ADD CONSTRAINT billing_invoiceline_charge_id_fk
                    FOREIGN KEY (charge_id) REFERENCES billing_charge (id);
            CREATE INDEX billing_invoiceline_invoice_id ON billing_invoiceline (invoice_id);
            """
            + partition_sql("billing_posting", by="on")
            + """
            ALTER TABLE billing_posting
                ADD CONSTRAINT billing_posting_invoice_id_fk
                    FOREIGN KEY (invoice_id) REFERENCES billing_invoice (id),
                ADD CONSTRAINT billing_posting_payment_id_fk
                    FOREIGN KEY (payment_id) REFERENCES billing_payment (id);
            CREATE INDEX billing_posting_invoice_id ON billing_posting (invoice_id);
            """,
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(make_months, migrations.RunPython.noop),
    ]
