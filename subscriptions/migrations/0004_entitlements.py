from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('subscriptions', '0003_dated_changes'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='item',
            options={
                'ordering': ['subscription', 'pk'],
                'permissions': [('check_entitlement', 'Can ask what a customer may use now')],
            },
        ),
        migrations.AddIndex(
            model_name='item',
            index=models.Index(
                fields=['serial'],
                name='item_by_serial',
                condition=models.Q(('serial', ''), _negated=True),
            ),
        ),
    ]
