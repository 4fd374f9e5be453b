"""The partitions of usage hold the triggers of their tables: none can be emptied by its own name."""

from django.db import migrations

from o2b.partitions import guard_partitions

TABLES = ("subscriptions_usageevent", "subscriptions_usagekey", "subscriptions_usagetotal")


def guard(apps, schema_editor):
    """Those that were made so far."""
    for table in TABLES:
        guard_partitions(table)


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0021_delivered_in_parts")]
    operations = [migrations.RunPython(guard, migrations.RunPython.noop)]
