"""BillRun with its life cycle."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from billing.models.frozen import KEPT_ONCE_APPROVED, KIND_STAYS
from o2b.catalog.frozen import NOT_TRUNCATED
from o2b.customers.models import LegalEntity
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
    CANCELLED = "cancelled", pgettext_lazy("bill run", "cancelled")
    REHEARSED = "rehearsed", _("rehearsed")


class RunKind(models.TextChoices):
    """What a run is for; a rehearsal drafts and checks, and is thrown away."""

    BILLS = "bills", _("bills")
    REHEARSAL = "rehearsal", _("rehearsal")


R = RunState


class BillRun(Stateful):
    """All accounts of a legal entity, or some, billed up to a day."""

    State = RunState
    Kind = RunKind
    OVER = (R.FINALISED, R.CANCELLED)
    MOVING = (R.OPEN, R.DRAFTING, R.APPROVED, R.FINALISING)

    REVIEWED = (R.TO_APPROVE, R.REHEARSED)

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=9, choices=Kind.choices, default=Kind.BILLS)
    on = models.DateField(help_text=_("Everything due up to this day; the invoices' date."))
    account_ids = ArrayField(
        models.BigIntegerField(), null=True, help_text=_("Only these accounts; empty: all.")
    )
    bill_day = models.PositiveSmallIntegerField(
        null=True, help_text=_("The accounts were chosen by this bill day.")
    )
    bill_group = models.SlugField(
        blank=True, default="", db_default="", help_text=_("They were chosen by this group.")
    )
    tax_rounding = models.CharField(
        max_length=7,
        blank=True,
        default="",
        db_default="",
        help_text=_("How its seller rounds tax, as it was when the run began; empty: not kept."),
    )
    families = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("How many families it bills on one document each.")
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
            models.CheckConstraint(
                condition=~models.Q(kind=RunKind.REHEARSAL)
                | (
                    models.Q(approved_at=None, finalised_at=None)
                    & ~models.Q(state__in=["to_approve", "approved", "finalising", "finalised"])
                ),
                name="rehearsal_is_never_approved",
            ),
        ]
        permissions = [
            ("run_bills", "Can open, pause and cancel bill runs"),
            ("approve_run", "Can approve bill runs"),
            ("look_at_bills", "Can look at bills before they are final, and veto them"),
        ]
        triggers = [KIND_STAYS, KEPT_ONCE_APPROVED, NOT_TRUNCATED]
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
    def scope(self) -> str:
        """How its accounts were chosen, in the reader's language; empty: all, or by name."""
        words = []
        if self.bill_day is not None:
            words.append(gettext("bill day %(day)s") % {"day": self.bill_day})
        if self.bill_group:
            words.append(gettext("group %(group)s") % {"group": self.bill_group})
        return ", ".join(words)

    @property
    def is_by_name(self) -> bool:
        """Somebody named its accounts, as for a bill now or a final bill."""
        return self.account_ids is not None and self.bill_day is None and not self.bill_group

    @property
    def is_rehearsal(self) -> bool:
        return self.kind == self.Kind.REHEARSAL

    @property
    def is_reviewed(self) -> bool:
        """All is drafted and people look at it; accounts may leave and join, but no reversal's."""
        return self.state in self.REVIEWED and not self.is_reversal

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
        source=R.DRAFTING,
        target=R.REHEARSED,
        custom={"event": "bill_run.rehearsed", "stamp": "drafted_at"},
    )
    def show_rehearsal(self, *, at: datetime) -> None:
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
        source=[R.OPEN, R.DRAFTING, R.TO_APPROVE, R.REHEARSED],
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
