"""What lines of quotes change in service, and what that was said to bring."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('quotes', '0002_quotes_of_changes'),
        ('subscriptions', '0004_entitlements'),
    ]

    operations = [
        migrations.CreateModel(
            name='QuotedDelta',
            fields=[
                ('quote', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='quotes.quote')),
                ('body', models.JSONField()),
            ],
            options={
                'ordering': ['quote'],
            },
        ),
        migrations.CreateModel(
            name='QuotedChange',
            fields=[
                ('line', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='quotes.quoteline')),
                ('asked', models.JSONField(default=dict, help_text='The wish, without what the line of the quote says itself.')),
                ('revision', models.PositiveIntegerField(null=True)),
                ('on', models.DateField(help_text='The first day on which it holds, when sent.', null=True)),
                ('fee', models.DecimalField(decimal_places=4, max_digits=19, null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='subscriptions.item')),
            ],
            options={
                'ordering': ['line'],
            },
        ),
    ]
