"""How a run chose its accounts is kept as what it is, not in the words of who opened it."""

import re

from django.db import migrations, models

DAY = re.compile(r"(?:bill day|Abrechnungstag) (\d+)")


def read_words(apps, schema_editor):
    """They were "bill day 1, group north", or either, in English or in German."""
    for run in apps.get_model("billing", "BillRun").objects.exclude(scope="").iterator():
        first, _comma, second = run.scope.partition(", ")
        day = DAY.fullmatch(first)
        run.bill_day = int(day[1]) if day else None
        run.bill_group = (second if day else first).rpartition(" ")[2]
        run.save(update_fields=["bill_day", "bill_group"])


def write_words(apps, schema_editor):
    """As they were written in English."""
    for run in apps.get_model("billing", "BillRun").objects.iterator():
        words = [f"bill day {run.bill_day}"] if run.bill_day is not None else []
        words += [f"group {run.bill_group}"] if run.bill_group else []
        if words:
            run.scope = ", ".join(words)
            run.save(update_fields=["scope"])


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0020_staging_lines_have_no_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="billrun",
            name="bill_day",
            field=models.PositiveSmallIntegerField(
                help_text="The accounts were chosen by this bill day.", null=True
            ),
        ),
        migrations.AddField(
            model_name="billrun",
            name="bill_group",
            field=models.SlugField(
                blank=True, db_default="", default="", help_text="They were chosen by this group."
            ),
        ),
        migrations.RunPython(read_words, write_words, elidable=True),
        migrations.RemoveField(model_name="billrun", name="scope"),
    ]
