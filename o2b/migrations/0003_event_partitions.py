"""Events lie in monthly partitions from the first day."""

from django.db import migrations

from o2b import clock
from o2b.partitions import ensure_months, partition_sql
from o2b.periods import add_months


def make_months(apps, schema_editor):
    """This month and the next three."""
    today = clock.today()
    ensure_months("o2b_event", today, add_months(today, 3))


class Migration(migrations.Migration):
    dependencies = [("o2b", "0002_initial")]
    operations = [
        migrations.RunSQL(
            partition_sql("o2b_event", by="recorded_at")
            + """
            CREATE INDEX event_by_subject ON o2b_event (subject_type, subject_id);
            CREATE INDEX event_by_order ON o2b_event (order_id, id);
            CREATE INDEX event_by_account ON o2b_event (account_id, id);
            """,
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(make_months, migrations.RunPython.noop),
    ]
