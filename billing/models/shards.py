"""The pieces that a run is cut into, one task each."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.runs import BillRun


class Shard(models.Model):
    """A range of accounts that one message drafts, and one finalises; progress is counted here.

    `looked_at` = `drafted` + `nothing_due` + `carried` + `parked`, and `drafted` = `to_finalise` +
    `set_aside`, hold for each shard, and so for the run.
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("planned")
        DRAFTED = "drafted", _("drafted")
        FINALISED = "finalised", _("finalised")
        DISCARDED = "discarded", _("discarded")

    run = models.ForeignKey(BillRun, on_delete=models.CASCADE, related_name="shards")
    n = models.PositiveIntegerField()
    first_account = models.BigIntegerField()
    last_account = models.BigIntegerField()
    families = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="Whole families, listed by name; 0: the range but for families.",
    )
    planned_accounts = models.PositiveIntegerField()
    planned_lines = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    looked_at = models.PositiveIntegerField(default=0)
    drafted = models.PositiveIntegerField(default=0)
    nothing_due = models.PositiveIntegerField(default=0)
    carried = models.PositiveIntegerField(
        db_default=0, default=0, help_text="Accounts whose bill is below their minimum: it waits."
    )
    parked = models.PositiveIntegerField(default=0)
    to_finalise = models.PositiveIntegerField(db_default=0)
    set_aside = models.PositiveIntegerField(db_default=0)
    invoices = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    totals = models.JSONField(default=dict, help_text="currency → net, tax, total")
    promises = models.PositiveIntegerField(default=0, help_text="Promises that were checked.")
    promises_kept = models.PositiveIntegerField(default=0)
    first_month = models.DateField(null=True)
    last_month = models.DateField(null=True)
    first_number = models.PositiveBigIntegerField(null=True, help_text="Given on approval.")
    first_credit = models.PositiveBigIntegerField(
        null=True, help_text="The first number of its credit notes, where they have their own."
    )
    draft_seconds = models.FloatField(default=0)
    final_seconds = models.FloatField(default=0)
    worker = models.CharField(max_length=120, blank=True, default="")
    error = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["run", "n"]
        constraints = [
            models.UniqueConstraint(fields=["run", "n"], name="one_shard_a_turn"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}.{self.n}"
