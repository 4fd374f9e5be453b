"""A run keeps how its seller rounded tax when it began."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0018_nothing_is_added_later'),
    ]

    operations = [
        migrations.AddField(
            model_name='billrun',
            name='tax_rounding',
            field=models.CharField(blank=True, db_default='', default='', help_text='How its seller rounds tax, as it was when the run began; empty: not kept.', max_length=7),
        ),
    ]
