"""Another price of what is in service names no version: it leaves the one that is there."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0006_plan_components'),
        ('customers', '0004_credit_limit'),
        ('orders', '0003_change_lines'),
        ('subscriptions', '0005_quoted_changes'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='itemchange',
            name='item_change_says_what',
        ),
        migrations.AddConstraint(
            model_name='itemchange',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('act', 'terms'), _negated=True), ('terms__isnull', False), _connector='OR'), models.Q(models.Q(('act', 'replace'), _negated=True), ('product_version__isnull', False), _connector='OR'), models.Q(models.Q(('act', 'quantity'), _negated=True), ('quantity__isnull', False), _connector='OR'), models.Q(models.Q(('act', 'suspend'), _negated=True), models.Q(('billing', ''), _negated=True), _connector='OR'), models.Q(models.Q(('act', 'transfer'), _negated=True), ('account__isnull', False), _connector='OR'), models.Q(models.Q(('act', 'withdraw'), _negated=True), ('withdraws__isnull', False), _connector='OR')), name='item_change_says_what'),
        ),
    ]
