"""BillRun with its life cycle, its shards, and the accounts that it set aside."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.customers.models import Account, LegalEntity
from o2b.fsm import Stateful


class RunState(models.TextChoices):
    """Where a run stands."""

    OPEN = "open", _("open")
    DRAFTING = "drafting", _("drafting")
    TO_APPROVE = "to_approve", _("to approve")
    APPROVED = "approved", _("approved")
    FINALISING = "finalising", _("finalising")
    FINALISED = "finalised", _("finalised")
    PAUSED = "paused", _("paused")
    CANCELLED = "cancelled", _("cancelled")


R = RunState


class BillRun(Stateful):
    """All accounts of a legal entity, or some, billed up to a day."""

    State = RunState
    OVER = (R.FINALISED, R.CANCELLED)
    MOVING = (R.OPEN, R.DRAFTING, R.APPROVED, R.FINALISING)

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    on = models.DateField(help_text=_("Everything due up to this day; the invoices' date."))
    account_ids = ArrayField(
        models.BigIntegerField(), null=True, help_text=_("Only these accounts; empty: all.")
    )
    state = FSMField(choices=State.choices, default=State.OPEN, protected=True)
    paused_from = models.CharField(max_length=12, blank=True, default="")
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    opened_at = models.DateTimeField()
    drafted_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    finalised_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    # A reversal is a run that takes back one document, or all of a run, instead of billing.
    reverses_invoice = models.ForeignKey(
        "billing.Invoice", null=True, on_delete=models.PROTECT, related_name="reversals"
    )
    reverses_run = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="reversals"
    )
    reason = models.TextField(blank=True, default="", db_default="")
    # What gave its numbers, from approval on.
    series = models.ForeignKey(
        "billing.NumberSeries", null=True, on_delete=models.PROTECT, related_name="+"
    )
    credit_series = models.ForeignKey(
        "billing.NumberSeries", null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reverses_invoice=None, reverses_run=None)
                | (
                    ~models.Q(reason="")
                    & (models.Q(reverses_invoice=None) | models.Q(reverses_run=None))
                ),
                name="reversal_has_a_reason",
            ),
            models.UniqueConstraint(
                fields=["reverses_invoice"],
                condition=~models.Q(state="cancelled"),
                name="one_reversal_an_invoice",
            ),
            models.UniqueConstraint(
                fields=["reverses_run"],
                condition=~models.Q(state="cancelled"),
                name="one_reversal_a_run",
            ),
        ]
        permissions = [
            ("run_bills", "Can open, pause and cancel bill runs"),
            ("approve_run", "Can approve bill runs"),
        ]
        indexes = [
            models.Index(
                fields=["legal_entity"],
                name="run_unfinished",
                condition=~models.Q(state__in=["finalised", "cancelled"]),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("billing:run-detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"R-{self.pk}"

    @property
    def is_reversal(self) -> bool:
        return self.reverses_invoice_id is not None or self.reverses_run_id is not None

    @property
    def is_over(self) -> bool:
        return self.state in self.OVER

    @property
    def is_moving(self) -> bool:
        """Will change by itself; a page that shows it should look again."""
        return self.state in self.MOVING

    # The life cycle, in the order in which a run lives it.

    @transition(field=state, source=R.OPEN, target=R.DRAFTING)
    def begin_drafting(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=R.DRAFTING,
        target=R.TO_APPROVE,
        custom={"event": "bill_run.drafted", "stamp": "drafted_at"},
    )
    def ask_approval(self, *, at: datetime) -> None:
        self.drafted_at = at

    @transition(
        field=state,
        source=R.TO_APPROVE,
        target=R.APPROVED,
        custom={"event": "bill_run.approved", "stamp": "approved_at"},
    )
    def approve(self, *, at: datetime, by: int) -> None:
        self.approved_at, self.approved_by_id = at, by

    @transition(field=state, source=R.APPROVED, target=R.FINALISING)
    def begin_finalising(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=R.FINALISING,
        target=R.FINALISED,
        custom={"event": "bill_run.finalised", "stamp": "finalised_at"},
    )
    def finish(self, *, at: datetime) -> None:
        self.finalised_at = at

    # Standing still, and the two ways back.

    @transition(
        field=state,
        source=[R.DRAFTING, R.FINALISING],
        target=R.PAUSED,
        custom={"event": "bill_run.paused"},
    )
    def pause(self, *, at: datetime) -> None:
        self.paused_from = self.state

    def _was_drafting(self) -> bool:
        return self.paused_from == R.DRAFTING

    def _was_finalising(self) -> bool:
        return self.paused_from == R.FINALISING

    @transition(
        field=state,
        source=R.PAUSED,
        target=R.DRAFTING,
        conditions=[_was_drafting],  # type: ignore[list-item]
        custom={"event": "bill_run.resumed"},
    )
    def resume_drafting(self, *, at: datetime) -> None:
        self.paused_from = ""

    @transition(
        field=state,
        source=R.PAUSED,
        target=R.FINALISING,
        conditions=[_was_finalising],  # type: ignore[list-item]
        custom={"event": "bill_run.resumed"},
    )
    def resume_finalising(self, *, at: datetime) -> None:
        self.paused_from = ""

    # Until it is approved a run can be thrown away.

    @transition(
        field=state,
        source=[R.OPEN, R.DRAFTING, R.TO_APPROVE],
        target=R.CANCELLED,
        custom={"event": "bill_run.cancelled", "stamp": "cancelled_at"},
    )
    def cancel(self, *, at: datetime) -> None:
        self.cancelled_at = at

    @transition(
        field=state,
        source=R.PAUSED,
        target=R.CANCELLED,
        conditions=[_was_drafting],  # type: ignore[list-item]
        custom={"event": "bill_run.cancelled", "stamp": "cancelled_at"},
    )
    def cancel_paused(self, *, at: datetime) -> None:
        self.cancelled_at = at


class Shard(models.Model):
    """A range of accounts that one message drafts, and one finalises; progress is counted here.

    `looked_at` = `drafted` + `nothing_due` + `parked` holds for each shard, and so for the run.
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
    planned_accounts = models.PositiveIntegerField()
    planned_lines = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    looked_at = models.PositiveIntegerField(default=0)
    drafted = models.PositiveIntegerField(default=0)
    nothing_due = models.PositiveIntegerField(default=0)
    parked = models.PositiveIntegerField(default=0)
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


class ParkedAccount(models.Model):
    """An account that a run left out, why, and who looks into it; the next run meets it again."""

    run = models.ForeignKey(BillRun, on_delete=models.CASCADE, related_name="parked_accounts")
    shard = models.ForeignKey(Shard, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=20)
    reason = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField(default=dict)
    parked_at = models.DateTimeField()

    class Meta:
        ordering = ["run", "account"]
        constraints = [
            models.UniqueConstraint(fields=["run", "account"], name="parked_once_a_run"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.code}"
