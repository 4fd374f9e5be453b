"""Documents as they were sent, in monthly partitions, and how each invoice is sent."""

import django.db.models.deletion
import django_fsm
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from o2b import clock
from o2b.migrating import at_once
from o2b.partitions import ensure_months, partition_sql
from o2b.periods import add_months

TABLE = "billing_invoicedocument"


def make_months(apps, schema_editor):
    """Last month, this one and the next three."""
    today = clock.today()
    ensure_months(TABLE, add_months(today, -1), add_months(today, 3))


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0009_payers'),
        ('customers', '0006_sending'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = at_once([
        migrations.CreateModel(
            name='InvoiceDocument',
            fields=[
                ('invoice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='document', serialize=False, to='billing.invoice')),
                ('issued_on', models.DateField()),
                ('account_id', models.BigIntegerField()),
                ('language', models.CharField(max_length=5)),
                ('pdf', models.BinaryField()),
                ('digest', models.CharField(help_text='SHA-256 of the PDF, in hex.', max_length=64)),
                ('usage_csv', models.BinaryField(help_text='Usage details, where there are some.', null=True)),
                ('made_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='InvoiceSending',
            fields=[
                ('invoice', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='sending', serialize=False, to='billing.invoice')),
                ('state', django_fsm.FSMField(choices=[('broken', 'no PDF'), ('filed', 'PDF kept'), ('to_mail', 'to mail'), ('mailed', 'mailed'), ('stuck', 'not mailed'), ('settled', 'sent otherwise')], max_length=50, protected=True)),
                ('to', models.CharField(blank=True, default='', max_length=254)),
                ('copies', models.PositiveSmallIntegerField(default=0, help_text='How often people asked for it once more.')),
                ('tries', models.PositiveIntegerField(default=0)),
                ('tried_at', models.DateTimeField(help_text='The first time in vain.', null=True)),
                ('code', models.CharField(blank=True, default='', max_length=20)),
                ('fault', models.CharField(blank=True, default='', max_length=500)),
                ('mailed_at', models.DateTimeField(null=True)),
                ('note', models.CharField(blank=True, default='', max_length=250)),
            ],
            options={
                'ordering': ['-invoice'],
                'permissions': [('send_invoices', 'Can have invoices made, mailed and sent otherwise')],
            },
        ),
        migrations.CreateModel(
            name='SendingBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('n', models.PositiveIntegerField()),
                ('first_invoice', models.BigIntegerField()),
                ('last_invoice', models.BigIntegerField()),
                ('invoices', models.PositiveIntegerField()),
                ('everybody', models.BooleanField(default=False, help_text='Also those whose PDF is made on demand only.')),
                ('seconds', models.FloatField(default=0, help_text='That making its documents took.')),
                ('worker', models.CharField(blank=True, default='', max_length=120)),
                ('made_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['run', 'n'],
            },
        ),
        # FK constraints follow at the end of the migration, on the table that is there then.
        migrations.RunSQL(
            partition_sql(
                "billing_invoicedocument", by="issued_on", key='invoice_id, "issued_on"'
            )
            + """
            ALTER TABLE billing_invoicedocument
                ALTER COLUMN pdf SET STORAGE EXTERNAL,
                ADD CONSTRAINT billing_invoicedocument_is_what_it_was
                    CHECK (digest = encode(sha256(pdf), 'hex'));
            """,
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(make_months, migrations.RunPython.noop),
        pgtrigger.migrations.AddTrigger(
            model_name='invoicedocument',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e2d8558cdea34b36f40f159fc90a86ddb0446d15', operation='UPDATE OR DELETE', pgid='pgtrigger_frozen_40fce', table='billing_invoicedocument', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoicedocument',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='3a7605c09f3490cdcf7bd3f0a6d83dd5ba4f7dc9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_b51ec', table='billing_invoicedocument', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='invoicesending',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.account'),
        ),
        migrations.AddField(
            model_name='invoicesending',
            name='run',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='billing.billrun'),
        ),
        migrations.AddField(
            model_name='invoicesending',
            name='settled_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='sendingbatch',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='billing.billrun'),
        ),
        migrations.AddField(
            model_name='invoicesending',
            name='batch',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='billing.sendingbatch'),
        ),
        migrations.AddConstraint(
            model_name='sendingbatch',
            constraint=models.UniqueConstraint(fields=('run', 'n'), name='one_sending_batch_a_turn'),
        ),
        migrations.AddIndex(
            model_name='invoicesending',
            index=models.Index(fields=['run', 'state'], name='sending_by_run'),
        ),
        migrations.AddIndex(
            model_name='invoicesending',
            index=models.Index(condition=models.Q(('state__in', ['broken', 'stuck'])), fields=['invoice'], name='sending_in_fallout'),
        ),
    ])
