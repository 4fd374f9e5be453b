"""Staging lines are found by shard and account alone: the index of their ids cost a fifth of writing them."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0019_rounding_of_a_run'),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE billing_draftline DROP CONSTRAINT billing_draftline_pkey",
            "ALTER TABLE billing_draftline ADD CONSTRAINT billing_draftline_pkey PRIMARY KEY (id)",
        ),
    ]
