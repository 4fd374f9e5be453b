"""What stops and what marks accounts in a run, and what people say of their bills there."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.parkedwords import code_words, fuse_words
from billing.models.runs import BillRun
from billing.models.shards import Shard
from o2b.catalog.frozen import NEVER
from o2b.customers.models import Account, LegalEntity
from o2b.fields import AmountField


class Rule(models.TextChoices):
    """Why a bill is an outlier, against the last bill of its account."""

    MORE = "more", _("grew")
    LESS = "less", _("shrank")
    CREDIT = "credit", _("credit note")
    MISSING = "missing", _("nothing this time")


class ParkCode(models.TextChoices):
    """Why a person took an account out of a run; all other codes are the run's own."""

    SET_ASIDE = "set_aside", _("set aside")
    VETO = "veto", _("veto")


class RunRules(models.Model):
    """A legal entity's fuses and rules; without a row the defaults hold.

    A fuse parks an account, never the run. An outlier goes on; people look at it first.
    """

    legal_entity = models.OneToOneField(LegalEntity, on_delete=models.PROTECT, related_name="+")
    most_lines_a_charge = models.PositiveIntegerField(
        default=5_000, validators=[MinValueValidator(1)]
    )
    most_lines = models.PositiveIntegerField(default=200_000, validators=[MinValueValidator(1)])
    most_amount = AmountField(null=True, blank=True, help_text=_("Empty: no limit."))
    most_jump = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, blank=True, help_text=_("Empty: no limit.")
    )
    jump_above = AmountField(default=Decimal(100))
    outlier_percent = models.DecimalField(max_digits=8, decimal_places=2, default=Decimal(30))
    outlier_amount = AmountField(default=Decimal(50))
    marks_credits = models.BooleanField(default=True)
    marks_missing = models.BooleanField(default=True)
    advocate_hours = models.PositiveSmallIntegerField(default=0)
    rehearsal_days = models.PositiveSmallIntegerField(default=7, validators=[MinValueValidator(1)])

    class Meta:
        verbose_name_plural = "run rules"
        permissions = [("set_run_rules", "Can set fuses and outlier rules of bill runs")]

    def __str__(self) -> str:
        return f"rules of {self.legal_entity_id}"


class Variance(models.Model):
    """An account of a run beside its last bill, net; an account without one has no row.

    Row foreign keys are left out on purpose: a run writes one of these for each account.
    """

    Rule = Rule

    run = models.ForeignKey(
        BillRun, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    shard_id = models.BigIntegerField()
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=3)
    before_on = models.DateField(help_text="The date of the last bill.")
    before = AmountField()
    now = AmountField()
    rule = models.CharField(max_length=7, choices=Rule.choices, blank=True, default="")
    is_changed = models.BooleanField(help_text="Something of it was changed since that bill.")

    class Meta:
        ordering = ["run", "account"]
        constraints = [
            models.UniqueConstraint(fields=["run", "account"], name="one_variance_an_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.before} then {self.now}"


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
    retry_asked_at = models.DateTimeField(
        null=True, help_text="Since then it waits to be drafted again, for this run."
    )

    class Meta:
        ordering = ["run", "account"]
        constraints = [
            models.UniqueConstraint(fields=["run", "account"], name="parked_once_a_run"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.code}"

    @property
    def is_by_hand(self) -> bool:
        return self.code in ParkCode.values

    @property
    def code_text(self) -> str:
        return code_words(self.code)

    @property
    def reason_text(self) -> str:
        return fuse_words(self.facts) or self.reason


class BillWord(models.Model):
    """What a person said of an account's bill in a run; said once, never changed.

    A look counts for the bill as it was then: `net` tells which. `LIFTED` lets an account pass the
    fuses of this run.
    """

    class Kind(models.TextChoices):
        FINE = "fine", _("looked at")
        VETO = "veto", _("veto")
        SET_ASIDE = "set_aside", _("set aside")
        RETRIED = "retried", _("taken back in")
        LIFTED = "lifted", _("fuse lifted")

    run = models.ForeignKey(BillRun, on_delete=models.CASCADE, related_name="words")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    net = AmountField(null=True)
    reason = models.TextField(blank=True, default="")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["run", "account"], name="word_by_run")]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.account_id}: {self.kind}"
