"""What was used: keys, events, totals by day, whose a subject is, what waits, what was refused.

The big tables are partitioned and have no row foreign keys; `manage.py recount_usage` proves them.
A *service* is the first item of its chain, so that a transfer moves no total.
"""

from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NEVER
from o2b.customers.models import Account
from subscriptions.models.items import Item
from subscriptions.models.states import Waiting

KEY_LENGTH = 200
DISMISSED = "dismissed"  # the code of what waited until somebody gave it up


class Sent(models.CharField):
    """A text as it was sent, compared byte by byte."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", KEY_LENGTH)
        kwargs.setdefault("db_collation", "C")
        super().__init__(*args, **kwargs)


class How(models.IntegerChoices):
    """How an event changes a total."""

    ADD = 0, _("adds to it")
    HIGHEST = 1, _("raises it")
    LATEST = 2, _("takes its place")


class UsageKind(models.IntegerChoices):
    """What an event is: usage, usage in the place of another event, or nothing in its place."""

    USED = 0, _("usage")
    REPLACES = 1, _("replaces")
    RETRACTS = 2, _("retracts")


class UsageKey(models.Model):
    """(source, id) of every event, for ever: each is counted once. Hash partitions in Postgres.

    Postgres has the key first and the source second: sources are few, so keys tell more at once.
    """

    pk = models.CompositePrimaryKey("source", "key")
    source = Sent()
    key = Sent()
    event_id = models.BigIntegerField()
    recorded_on = models.DateField(help_text=_("Tells the partition of the event."))

    class Meta:
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.source} {self.key}"


class UsageSource(models.Model):
    """A source of which an event was taken; its keys are too many to look among."""

    name = Sent(primary_key=True)

    def __str__(self) -> str:
        return self.name


class UsageEvent(models.Model):
    """One event that was counted; a fact, never updated. By month of `recorded_at` in Postgres."""

    id = models.BigIntegerField(primary_key=True)
    recorded_at = models.DateTimeField(db_default=Now())
    received_on = models.DateField(
        null=True, help_text=_("Of one that waited: the day in UTC on which it came.")
    )
    source = Sent()
    key = Sent()
    kind = models.PositiveSmallIntegerField(choices=UsageKind.choices)
    meter_id = models.BigIntegerField()
    subject = Sent()
    at = models.DateTimeField()
    day = models.DateField(help_text=_("Where the account lived when it was counted."))
    service_id = models.BigIntegerField()
    value = models.DecimalField(max_digits=30, decimal_places=12)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    part = Sent(max_length=500)
    how = models.PositiveSmallIntegerField(choices=How.choices)
    corrects_id = models.BigIntegerField(null=True)
    properties = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["service_id", "day"], name="usage_event_by_service"),
            models.Index(
                fields=["received_on"],
                name="usage_event_that_waited",
                condition=models.Q(received_on__isnull=False),
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.source} {self.key}"


class UsageTotal(models.Model):
    """What a service used by a meter on a day, by part: what billing reads. By month of `day`.

    `part` is what totals are kept apart by: the dimensions as sorted JSON, then `=value` where
    values count by themselves, then `@time` where moments do; see `rules.parts`.
    """

    pk = models.CompositePrimaryKey("service_id", "meter_id", "day", "part")
    service_id = models.BigIntegerField()
    meter_id = models.BigIntegerField()
    day = models.DateField()
    part = Sent(max_length=500)
    quantity = models.DecimalField(max_digits=36, decimal_places=12)
    count = models.BigIntegerField()
    how = models.PositiveSmallIntegerField(choices=How.choices)
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.service_id} by {self.meter_id} on {self.day}{self.part}"


class UsageDay(models.Model):
    """What came from a source on a day (UTC) that is over: counted once, for it stays so.

    `rated` are the events that were counted when they came; those that waited are not among them.
    The row without a source says that the day was counted, whatever came; without the rows of a
    day it is counted anew.
    """

    pk = models.CompositePrimaryKey("on", "source")
    on = models.DateField()
    source = Sent(blank=True, default="")
    received = models.BigIntegerField(default=0)
    rated = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.source} on {self.on}: {self.received}"


class UsageCorrection(models.Model):
    """Which event replaced or retracted which; an event is corrected once."""

    corrected_id = models.BigIntegerField(primary_key=True)
    event_id = models.BigIntegerField(unique=True)

    class Meta:
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.event_id} corrects {self.corrected_id}"


class UsageSubject(models.Model):
    """Who a subject is on which days, by which meter: a projection of the versions of items."""

    value = Sent()
    meter = Sent(max_length=40, help_text=_("The code of a meter that it is sold by."))
    service = models.ForeignKey(
        Item, on_delete=models.CASCADE, related_name="+", help_text=_("First of its chain.")
    )
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    begins_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("The first day after."))
    shared = models.BooleanField(
        default=False, help_text=_("Other services have it too, perhaps on other days.")
    )
    limited = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("It may draw from a pool that is a hard limit: usage asks whether it fits."),
    )

    class Meta:
        indexes = [
            models.Index(fields=["value", "meter", "begins_on"], name="usage_subject_by_value")
        ]

    def __str__(self) -> str:
        return f"{self.value}: {self.item_id} by {self.meter}"


class UsageMark(models.Model):
    """How often usage of a day that was over came for a service; billing looks at it again."""

    pk = models.CompositePrimaryKey("service_id", "meter_id")
    service_id = models.BigIntegerField()
    meter_id = models.BigIntegerField()
    revision = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"{self.service_id} by {self.meter_id}: {self.revision}"


class UsagePending(models.Model):
    """An event that is taken and waits: for its subject, or for the event that it corrects."""

    Reason = Waiting

    id = models.BigIntegerField(primary_key=True, help_text=_("The id of the event to be."))
    recorded_at = models.DateTimeField(db_default=Now())
    source = Sent()
    key = Sent()
    kind = models.PositiveSmallIntegerField(choices=UsageKind.choices)
    meter_id = models.BigIntegerField(null=True)
    meter = Sent(max_length=40)
    subject = Sent()
    account = models.CharField(max_length=40, blank=True, default="")
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=30, decimal_places=12)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    part = Sent(max_length=500)
    how = models.PositiveSmallIntegerField(choices=How.choices)
    timed = models.BooleanField(default=False)
    corrects = Sent(blank=True, default="")
    properties = models.JSONField(null=True)
    reason = models.CharField(max_length=20, choices=Waiting.choices)
    tried_at = models.DateTimeField(
        null=True, help_text=_("When it was looked at last and could not be counted.")
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key"], name="one_pending_event_a_key"),
            models.CheckConstraint(
                condition=models.Q(at__lt=datetime(9999, 1, 1, tzinfo=UTC)),
                name="pending_usage_can_be_shown",
            ),
        ]
        indexes = [
            models.Index(fields=["subject"], name="usage_pending_by_subject"),
            models.Index(
                fields=["source", "corrects"],
                name="usage_pending_by_corrected",
                condition=~models.Q(corrects=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.key}: {self.reason}"


class UsageRejected(models.Model):
    """An event that was refused, as it was sent; its key is free for a better one.

    One that waited and was dismissed stands here too, from the moment it came; its key stays taken.
    """

    source = Sent(blank=True, default="")
    key = Sent(blank=True, default="")
    code = models.CharField(max_length=40)
    field = models.CharField(max_length=80, blank=True, default="")
    message = models.CharField(max_length=500)
    told = models.TextField(help_text=_("The event as it came, at most 4,000 characters of it."))
    recorded_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("send_usage", "Can send usage"),
            ("see_usage", "Can see usage and its events"),
            ("mend_usage", "Can retry, dismiss and correct usage"),
        ]
        indexes = [
            models.Index(fields=["recorded_at"], name="usage_rejected_by_time"),
            models.Index(
                fields=["source", "key"],
                name="usage_rejected_by_key",
                condition=models.Q(settled_at__isnull=True),
            ),
            models.Index(
                fields=["source", "key"],
                name="usage_dismissed_by_key",
                condition=models.Q(code="dismissed"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.key}: {self.code}"
