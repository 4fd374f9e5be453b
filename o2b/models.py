"""What the ground remembers: events, reactions owed, test clocks, idempotency keys."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

# What happened under a clock has happened: bills and promises of a day are not lived twice.
FORWARD_ONLY = pgtrigger.Trigger(
    name="forward_only",
    operation=pgtrigger.UpdateOf("now"),
    when=pgtrigger.Before,
    condition=pgtrigger.Q(new__now__lt=pgtrigger.F("old__now")),
    func="RAISE EXCEPTION 'o2b: a test clock goes forward only';",
)


class TestClock(models.Model):
    """A moment that some accounts live in; a row, so that every process obeys it."""

    __test__ = False  # a clock for tests, no test

    name = models.CharField(max_length=80, unique=True)
    now = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("run_testclocks", "Can open test clocks, put accounts under them and move them"),
        ]
        triggers = [FORWARD_ONLY]

    def __str__(self) -> str:
        return f"{self.name} ({self.now:%Y-%m-%d %H:%M})"

    def get_absolute_url(self) -> str:
        return reverse("clocks:detail", args=[self.pk])


class Event(models.Model):
    """One fact: what happened to what, when (business time `at`, database time `recorded_at`).

    Partitioned by month of `recorded_at`; in Postgres its key is (id, recorded_at).
    """

    name = models.CharField(max_length=60)
    subject_type = models.CharField(max_length=60, help_text="app_label.model")
    subject_id = models.BigIntegerField()
    account_id = models.BigIntegerField(null=True)
    order_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
    )
    cause = models.CharField(max_length=200, blank=True, default="")
    facts = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="event_by_subject"),
            models.Index(fields=["order_id", "id"], name="event_by_order"),
            models.Index(fields=["account_id", "id"], name="event_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.subject_id} at {self.at:%Y-%m-%d %H:%M}"


class Outbox(models.Model):
    """One reaction still owed. The reaction deletes the row in the transaction of its effect."""

    event_name = models.CharField(max_length=60)
    task = models.CharField(max_length=80)
    key = models.BigIntegerField()
    # Whose day it belongs to: a test clock waits for what is owed to its accounts.
    account_id = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["recorded_at"], name="outbox_by_age")]

    def __str__(self) -> str:
        return f"{self.task}({self.key}) for {self.event_name}"


class IdempotencyKey(models.Model):
    """A client's key, written in the transaction of its effect, with the answer it got."""

    key = models.CharField(max_length=200)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=300)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="one_effect_a_key"),
        ]

    def __str__(self) -> str:
        return self.key
