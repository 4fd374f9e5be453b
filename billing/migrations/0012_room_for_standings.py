"""Room on the pages of charge states: a run updates each of them in place, and no index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0011_reversal_numbers_journal")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE billing_chargestate SET (fillfactor = 50)",
            "ALTER TABLE billing_chargestate RESET (fillfactor)",
        ),
    ]
