# Coupons and minimums of accounts, and the rows that adjust documents by them

import django.db.models.deletion
import django.db.models.functions.datetime
import django_fsm
import o2b.fields
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from o2b.migrating import at_once


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0012_room_for_standings'),
        ('catalog', '0009_deck_rates_filled_by'),
        ('customers', '0006_sending'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = at_once([
        migrations.CreateModel(
            name='Coupon',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', django_fsm.FSMField(choices=[('draft', 'draft'), ('published', 'published'), ('retired', 'retired')], default='draft', max_length=50, protected=True)),
                ('published_at', models.DateTimeField(blank=True, null=True)),
                ('retired_on', models.DateField(blank=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('submitted_at', models.DateTimeField(blank=True, help_text='Since when it waits for the second person.', null=True)),
                ('code', models.SlugField(max_length=40, unique=True)),
                ('name', models.CharField(help_text='As the customer reads it on the bill.', max_length=120)),
                ('kind', models.CharField(choices=[('percent', 'percent'), ('amount', 'fixed amount')], max_length=7)),
                ('value', o2b.fields.AmountField(decimal_places=4, help_text='Percent, or an amount in the currency.', max_digits=19)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('months', models.PositiveSmallIntegerField(choices=[(1, 'month'), (3, 'quarter'), (12, 'year')], default=1)),
                ('periods', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('starts_on', models.DateField(blank=True, null=True)),
                ('ends_on', models.DateField(blank=True, null=True)),
            ],
            options={
                'ordering': ['code'],
                'permissions': [('make_coupon', 'Can write coupons'), ('publish_coupon', 'Can publish coupons that somebody else wrote'), ('grant_coupon', 'Can grant coupons to accounts, and end them')],
            },
        ),
        migrations.CreateModel(
            name='CouponGrant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(help_text='First day outside.', null=True)),
                ('reason', models.CharField(max_length=250)),
                ('granted_at', models.DateTimeField()),
                ('end_reason', models.CharField(blank=True, default='', max_length=250)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['account', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='CouponProduct',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
            options={
                'ordering': ['coupon', 'product__code'],
            },
        ),
        migrations.CreateModel(
            name='DraftAdjustment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run_id', models.BigIntegerField()),
                ('shard_id', models.BigIntegerField()),
                ('account_id', models.BigIntegerField()),
                ('invoice_id', models.BigIntegerField()),
                ('position', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('coupon', 'discount'), ('minimum', 'minimum')], max_length=10)),
                ('source_id', models.BigIntegerField()),
                ('charge_id', models.BigIntegerField(null=True)),
                ('period_start', models.DateField()),
                ('period_end', models.DateField()),
                ('revision', models.PositiveSmallIntegerField()),
                ('amount', o2b.fields.AmountField(decimal_places=4, max_digits=19)),
                ('tax_code', models.CharField(blank=True, default='', max_length=50)),
                ('tax_rate', models.DecimalField(decimal_places=6, default=0, max_digits=9)),
                ('tax', o2b.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('text', models.CharField(max_length=250)),
                ('basis', models.JSONField()),
            ],
            options={
                'ordering': ['shard_id', 'account_id', 'position'],
            },
        ),
        migrations.CreateModel(
            name='InvoiceAdjustment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('account_id', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('coupon', 'discount'), ('minimum', 'minimum')], max_length=10)),
                ('source_id', models.BigIntegerField()),
                ('period_start', models.DateField()),
                ('period_end', models.DateField()),
                ('revision', models.PositiveSmallIntegerField()),
                ('amount', o2b.fields.AmountField(decimal_places=4, help_text='Net.', max_digits=19)),
                ('tax_code', models.CharField(blank=True, default='', max_length=50)),
                ('tax_rate', models.DecimalField(decimal_places=6, default=0, max_digits=9)),
                ('tax', o2b.fields.AmountField(decimal_places=4, default=0, max_digits=19)),
                ('text', models.CharField(max_length=250)),
                ('basis', models.JSONField(help_text='What it was computed from beyond its source; see billing.adjustments.rules.')),
            ],
            options={
                'ordering': ['invoice', 'position'],
            },
        ),
        migrations.CreateModel(
            name='MinimumSpend',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(help_text='As the customer reads it on the bill.', max_length=120)),
                ('minimum', o2b.fields.AmountField(decimal_places=4, max_digits=19)),
                ('currency', models.CharField(max_length=3)),
                ('months', models.PositiveSmallIntegerField(choices=[(1, 'month'), (3, 'quarter'), (12, 'year')])),
                ('counted', models.CharField(choices=[('calendar', 'with the calendar’s month, quarter or year'), ('start', 'from its first day on')], max_length=8)),
                ('prorated', models.BooleanField()),
                ('tax_code', models.CharField(blank=True, default='', max_length=50)),
                ('starts_on', models.DateField()),
                ('ends_on', models.DateField(help_text='First day outside.', null=True)),
                ('reason', models.CharField(max_length=250)),
                ('made_at', models.DateTimeField()),
                ('end_reason', models.CharField(blank=True, default='', max_length=250)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['account', 'pk'],
                'permissions': [('set_minimum', 'Can set what an account is billed at least')],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='invoiceline',
            name='lines_add_up',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceline',
            trigger=pgtrigger.compiler.Trigger(name='lines_add_up', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong BIGINT; low BIGINT; high BIGINT;', func="\n    SELECT min(invoice_id), max(invoice_id) INTO low, high FROM added;\n    IF EXISTS (SELECT FROM billing_invoiceadjustment WHERE invoice_id BETWEEN low AND high) THEN\n        SELECT lines.invoice_id INTO wrong\n            FROM (\n                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS lines\n                    FROM added GROUP BY invoice_id\n            ) AS lines\n            LEFT JOIN billing_invoice AS invoice ON invoice.id = lines.invoice_id\n            LEFT JOIN (\n                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax\n                    FROM billing_invoiceadjustment WHERE invoice_id BETWEEN low AND high\n                    GROUP BY invoice_id\n            ) AS given ON given.invoice_id = lines.invoice_id\n            WHERE invoice.id IS NULL OR invoice.line_count <> lines.lines\n                OR invoice.net <> lines.net + COALESCE(given.net, 0)\n                OR invoice.tax <> lines.tax + COALESCE(given.tax, 0)\n            LIMIT 1;\n    ELSE\n        SELECT lines.invoice_id INTO wrong\n            FROM (\n                SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS lines\n                    FROM added GROUP BY invoice_id\n            ) AS lines\n            LEFT JOIN billing_invoice AS invoice ON invoice.id = lines.invoice_id\n            WHERE invoice.id IS NULL OR invoice.net <> lines.net OR invoice.tax <> lines.tax\n                OR invoice.line_count <> lines.lines\n            LIMIT 1;\n    END IF;\n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION 'o2b: the lines of invoice % do not add up to it', wrong\n            USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n    ", hash='3755cd04cbb5d883fe96984cf5f0a3482ed714a2', level='STATEMENT', operation='INSERT', pgid='pgtrigger_lines_add_up_3ace6', referencing='REFERENCING NEW TABLE AS added ', table='billing_invoiceline', when='AFTER')),
        ),
        migrations.AddField(
            model_name='coupon',
            name='prepared_by',
            field=models.ForeignKey(blank=True, help_text='Who wrote the draft last; somebody else publishes it.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='coupon',
            name='published_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='coupongrant',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.account'),
        ),
        migrations.AddField(
            model_name='coupongrant',
            name='coupon',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='grants', to='billing.coupon'),
        ),
        migrations.AddField(
            model_name='coupongrant',
            name='ended_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='coupongrant',
            name='granted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='couponproduct',
            name='coupon',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='products', to='billing.coupon'),
        ),
        migrations.AddField(
            model_name='couponproduct',
            name='product',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='catalog.product'),
        ),
        migrations.AddIndex(
            model_name='draftadjustment',
            index=models.Index(fields=['shard_id', 'account_id'], name='draft_adjustment_by_shard'),
        ),
        migrations.AddField(
            model_name='invoiceadjustment',
            name='charge',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.charge'),
        ),
        migrations.AddField(
            model_name='invoiceadjustment',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjustments', to='billing.invoice'),
        ),
        migrations.AddField(
            model_name='minimumspend',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='customers.account'),
        ),
        migrations.AddField(
            model_name='minimumspend',
            name='ended_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='minimumspend',
            name='made_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(('prepared_by', None), ('published_by', None), models.Q(('prepared_by', models.F('published_by')), _negated=True), _connector='OR'), name='coupon_second_person', violation_error_message='Somebody else than who wrote it publishes it.'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(('value__gt', 0)), name='coupon_above_zero'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('currency', ''), ('kind', 'percent'), ('value__lte', 100)), models.Q(('kind', 'amount'), models.Q(('currency', ''), _negated=True)), _connector='OR'), name='coupon_percent_or_amount'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(('periods', None), ('periods__gt', 0), _connector='OR'), name='coupon_for_a_period'),
        ),
        migrations.AddConstraint(
            model_name='coupon',
            constraint=models.CheckConstraint(condition=models.Q(('starts_on', None), ('ends_on', None), ('ends_on__gt', models.F('starts_on')), _connector='OR'), name='coupon_ends_after_it_starts'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coupon',
            trigger=pgtrigger.compiler.Trigger(name='frozen_once_published', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."state" IN (\'published\', \'retired\'))', func="\n            IF NEW.state = 'draft' OR (to_jsonb(OLD) - ARRAY['state', 'retired_on'])\n                    IS DISTINCT FROM (to_jsonb(NEW) - ARRAY['state', 'retired_on']) THEN\n                RAISE EXCEPTION 'o2b: a published row of % is frozen', TG_TABLE_NAME;\n            END IF;\n            RETURN NEW;\n            ", hash='a54a26bd6bcdec49869cc10745e97b92e628178d', operation='UPDATE', pgid='pgtrigger_frozen_once_published_8ece5', table='billing_coupon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coupon',
            trigger=pgtrigger.compiler.Trigger(name='kept_once_published', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NOT (OLD."state" = \'draft\'))', func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='b43a7120f5acd43e81bfcdc18cd5fd519834d4be', operation='DELETE', pgid='pgtrigger_kept_once_published_f7e92', table='billing_coupon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coupon',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='c51076046852e868c2a81eb48fc93f19062d7cb9', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_dad92', table='billing_coupon', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coupongrant',
            trigger=pgtrigger.compiler.Trigger(name='only_ended', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.ended_at IS NOT NULL OR (to_jsonb(OLD) - ARRAY['ends_on', 'ended_by_id', 'ended_at', 'end_reason'])\n                    IS DISTINCT FROM (to_jsonb(NEW) - ARRAY['ends_on', 'ended_by_id', 'ended_at', 'end_reason']) THEN\n                RAISE EXCEPTION 'o2b: a row of % is ended once, and never changed', TG_TABLE_NAME\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n            ", hash='816313087b9f6615ae6ff3f9ed0b4a235b7f4059', operation='UPDATE', pgid='pgtrigger_only_ended_8fb17', table='billing_coupongrant', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coupongrant',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='9abe5618aeaf1acdec2cd4dfe4597a8a9415f3c2', operation='DELETE', pgid='pgtrigger_never_deleted_67d03', table='billing_coupongrant', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='coupongrant',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='c73371dc89f7eb0088db89af712b80dbe1493db2', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_bf82c', table='billing_coupongrant', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='couponproduct',
            constraint=models.UniqueConstraint(fields=('coupon', 'product'), name='coupon_names_product_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='couponproduct',
            trigger=pgtrigger.compiler.Trigger(name='frozen_with_parent', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE parent_state TEXT;', func="\n            SELECT state INTO parent_state FROM billing_coupon\n                WHERE id IN (NEW.coupon_id, OLD.coupon_id) AND state <> 'draft' LIMIT 1;\n            IF FOUND THEN\n                RAISE EXCEPTION 'o2b: a row of % is frozen, for its billing_coupon is %',\n                    TG_TABLE_NAME, parent_state;\n            END IF;\n            RETURN COALESCE(NEW, OLD);\n            ", hash='41565c7ae9bd387f5f2dfbce936972172d09ae7e', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_frozen_with_parent_57abb', table='billing_couponproduct', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='couponproduct',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='e990a8bb05a3fddb249958af0bdcc3e9f868dc7c', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_d2a86', table='billing_couponproduct', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='invoiceadjustment',
            index=models.Index(fields=['account_id'], name='adjustment_by_account'),
        ),
        migrations.AddConstraint(
            model_name='invoiceadjustment',
            constraint=models.UniqueConstraint(fields=('kind', 'source_id', 'charge', 'period_start', 'revision'), name='no_adjustment_given_twice', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='invoiceadjustment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('charge__isnull', False), ('kind', 'coupon')), models.Q(('charge', None), ('kind', 'minimum')), _connector='OR'), name='a_coupon_reduces_a_charge'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceadjustment',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c631a78fc8b4f10cff2014df3993de2cb2616f0a', operation='UPDATE OR DELETE', pgid='pgtrigger_frozen_bff82', table='billing_invoiceadjustment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceadjustment',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='90e23a6d7b96777b997c15e48ca23362b218f5b4', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_02e9f', table='billing_invoiceadjustment', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='invoiceadjustment',
            trigger=pgtrigger.compiler.Trigger(name='adjusts_once', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE wrong BIGINT;', func="\n    SELECT given.invoice_id INTO wrong\n        FROM (\n            SELECT invoice_id, sum(amount) AS net, sum(tax) AS tax, count(*) AS number\n                FROM added GROUP BY invoice_id\n        ) AS given\n        LEFT JOIN billing_invoice AS invoice ON invoice.id = given.invoice_id\n        WHERE invoice.id IS NULL\n            OR (invoice.line_count = 0\n                AND (invoice.net <> given.net OR invoice.tax <> given.tax))\n            OR EXISTS (SELECT FROM billing_invoiceline WHERE invoice_id = given.invoice_id)\n            OR given.number <> (\n                SELECT count(*) FROM billing_invoiceadjustment WHERE invoice_id = given.invoice_id\n            )\n        LIMIT 1;\n    IF wrong IS NOT NULL THEN\n        RAISE EXCEPTION 'o2b: invoice % cannot be adjusted by this', wrong\n            USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n    ", hash='10378e2b1dcbedd6ec8776997eeef49bcde4983e', level='STATEMENT', operation='INSERT', pgid='pgtrigger_adjusts_once_80b55', referencing='REFERENCING NEW TABLE AS added ', table='billing_invoiceadjustment', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='minimumspend',
            constraint=models.CheckConstraint(condition=models.Q(('minimum__gt', 0)), name='minimum_spend_above_zero'),
        ),
        migrations.AddConstraint(
            model_name='minimumspend',
            constraint=models.CheckConstraint(condition=models.Q(('ends_on', None), ('ends_on__gte', models.F('starts_on')), _connector='OR'), name='minimum_spend_ends_after_it_starts'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='minimumspend',
            trigger=pgtrigger.compiler.Trigger(name='only_ended', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n            IF OLD.ended_at IS NOT NULL OR (to_jsonb(OLD) - ARRAY['ends_on', 'ended_by_id', 'ended_at', 'end_reason'])\n                    IS DISTINCT FROM (to_jsonb(NEW) - ARRAY['ends_on', 'ended_by_id', 'ended_at', 'end_reason']) THEN\n                RAISE EXCEPTION 'o2b: a row of % is ended once, and never changed', TG_TABLE_NAME\n                    USING ERRCODE = 'check_violation';\n            END IF;\n            RETURN NEW;\n            ", hash='ad8d4d8cbfefa0196dbfc5e7f92ef7efccaa4c70', operation='UPDATE', pgid='pgtrigger_only_ended_dc56a', table='billing_minimumspend', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='minimumspend',
            trigger=pgtrigger.compiler.Trigger(name='never_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='8fbc701b5776d23764a268af588d3f14e87604bb', operation='DELETE', pgid='pgtrigger_never_deleted_7a104', table='billing_minimumspend', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='minimumspend',
            trigger=pgtrigger.compiler.Trigger(name='not_truncated', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'o2b: % keeps what it was told; it is never truncated', TG_TABLE_NAME;", hash='359bc9eb93b0b9b67712a22a02274b24b360d4e5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_not_truncated_7362d', table='billing_minimumspend', when='BEFORE')),
        ),
    ])
