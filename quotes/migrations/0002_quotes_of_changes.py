"""Quotes of changes: the kind of a quote, and what each line does."""

import o2b.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_plan_components'),
        ('quotes', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='quote',
            name='kind',
            field=models.CharField(choices=[('new', 'new'), ('change', 'change')], db_default='new', default='new', help_text='Of new services only, or also against what is in service.', max_length=6),
        ),
        migrations.AddField(
            model_name='quoteline',
            name='action',
            field=models.CharField(choices=[('add', 'add'), ('change', 'change'), ('renew', 'renew'), ('co_term', 'co-term'), ('end', 'end')], db_default='add', default='add', max_length=7),
        ),
        migrations.AlterField(
            model_name='quote',
            name='monthly_total',
            field=o2b.fields.AmountField(decimal_places=4, default=0, help_text='Recurring a month, when sent; of changes, by how much it becomes more.', max_digits=19),
        ),
        migrations.AddConstraint(
            model_name='quoteline',
            constraint=models.CheckConstraint(condition=models.Q(('action__in', ['add', 'change', 'renew', 'co_term', 'end'])), name='quote_line_of_a_known_action'),
        ),
    ]
