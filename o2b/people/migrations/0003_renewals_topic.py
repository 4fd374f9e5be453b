from django.db import migrations, models

TOPICS = [
    ("accepted", "an order was accepted"),
    ("jeopardy", "something is in danger or late"),
    ("fallout", "something fell out"),
    ("delivered", "something was delivered"),
    ("first_bill", "a first bill was written"),
    ("question", "a customer asks"),
    ("complaint", "a customer complains"),
    ("approval", "an approval is asked of me, or was given"),
    ("mention", "somebody mentions me"),
    ("work", "work is assigned to me or escalated"),
    ("renewals", "a renewal or another price comes up, or fails"),
]


class Migration(migrations.Migration):
    dependencies = [("people", "0002_notices")]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="topic",
            field=models.CharField(choices=TOPICS, max_length=12),
        ),
        migrations.AlterField(
            model_name="noticepreference",
            name="topic",
            field=models.CharField(choices=TOPICS, max_length=12),
        ),
    ]
