"""Files of usage: what came, how its columns are read, how far it is, what became of each row."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.fsm import Stateful
from subscriptions.models.usage import KEY_LENGTH, Sent


class FileState(models.TextChoices):
    """Where a file stands."""

    UPLOADED = "uploaded", _("not loaded yet")
    RUNNING = "running", _("being loaded")
    DONE = "done", _("loaded")
    FAILED = "failed", _("failed")
    STOPPED = "stopped", _("stopped")


class FileShape(models.TextChoices):
    """What the rows of a file look like."""

    ASTERISK = "asterisk", _("Asterisk (Master.csv)")
    FREESWITCH = "freeswitch", _("FreeSWITCH (mod_cdr_csv)")
    PLAIN = "plain", _("CSV with a header")


class RowStatus(models.TextChoices):
    """What became of a row of a file."""

    ACCEPTED = "accepted", _("accepted")
    DUPLICATE = "duplicate", _("duplicate")
    PENDING = "pending", _("waiting")
    REJECTED = "rejected", _("rejected")
    SKIPPED = "skipped", _("skipped")


S = FileState


class UsageMapping(models.Model):
    """How the columns of such files are read, kept under a name to be chosen again."""

    name = models.CharField(max_length=60, unique=True)
    shape = models.CharField(max_length=12, choices=FileShape.choices)
    mapping = models.JSONField(help_text=_("Field of an event → column; see docs/usage.md."))
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UsageFile(Stateful):
    """A file of usage. Its counts grow in the transaction that takes the rows."""

    State = FileState
    Shape = FileShape

    file_name = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField(help_text=_("Bytes."))
    sha256 = models.CharField(max_length=64)
    shape = models.CharField(max_length=12, choices=FileShape.choices)
    encoding = models.CharField(max_length=12)
    delimiter = models.CharField(max_length=1)
    columns = ArrayField(models.CharField(max_length=100))
    mapping = models.JSONField(default=dict, help_text=_("Empty until somebody said it."))
    state = FSMField(choices=State.choices, default=State.UPLOADED, protected=True)
    rows = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True, default="")
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    started_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "at"], name="usage_file_by_state")]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("subscriptions:usage-file", args=[self.pk])

    @property
    def taken(self) -> int:
        """How many of its rows are done with."""
        return self.accepted + self.duplicate + self.pending + self.rejected + self.skipped

    @property
    def is_running(self) -> bool:
        return self.state == S.RUNNING

    # The life cycle, in the order in which a file lives it.

    @transition(
        field=state,
        source=[S.UPLOADED, S.STOPPED, S.FAILED],
        target=S.RUNNING,
        custom={"event": "usage_file.started"},
    )
    def start(self, *, at: datetime) -> None:
        self.started_at, self.problem = self.started_at or at, ""

    @transition(
        field=state, source=S.RUNNING, target=S.STOPPED, custom={"event": "usage_file.stopped"}
    )
    def stop(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state, source=S.RUNNING, target=S.FAILED, custom={"event": "usage_file.failed"}
    )
    def fail(self, *, at: datetime, problem: str) -> None:
        self.problem = problem

    @transition(field=state, source=S.RUNNING, target=S.DONE, custom={"event": "usage_file.done"})
    def finish(self, *, at: datetime) -> None:
        self.done_at = at


class UsageFilePart(models.Model):
    """Some rows of a file that are not taken yet, packed; deleted when they are."""

    file = models.ForeignKey(UsageFile, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    body = models.BinaryField(help_text=_("[[row number, [cell, …]], …] as JSON, by zlib."))

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="one_part_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.file_id}, part {self.number}"


class UsageFileRow(models.Model):
    """What became of one row of a file."""

    Status = RowStatus

    file = models.ForeignKey(
        UsageFile, on_delete=models.CASCADE, related_name="results", db_index=False
    )
    number = models.PositiveIntegerField(help_text=_("The line of the file that it begins on."))
    key = Sent(max_length=KEY_LENGTH, blank=True, default="")
    status = models.CharField(max_length=9, choices=RowStatus.choices)
    code = models.CharField(max_length=40, blank=True, default="")
    field = models.CharField(max_length=80, blank=True, default="")
    message = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["file", "number"]
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="one_result_a_usage_row"),
        ]
        indexes = [
            models.Index(fields=["file", "status", "number"], name="usage_file_row_by_status"),
        ]

    def __str__(self) -> str:
        return f"row {self.number}: {self.status}"
