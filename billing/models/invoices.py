"""Invoice and its lines, final from the moment they are written; and the numbers they get."""

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billing.models.charges import Charge
from billing.models.complete import ADDS_UP
from billing.models.frozen import LINE_MIRRORS, MIRRORS, NEVER_BACK
from billing.models.owed import HAS_SOMETHING, OWES_LINES
from billing.models.runs import BillRun
from o2b.catalog.frozen import NEVER
from o2b.customers.layouts import Split
from o2b.customers.models import Account, LegalEntity
from o2b.fields import AmountField, QuantityField


class Kind(models.TextChoices):
    """A document with a negative total is a credit note; its amounts keep their sign."""

    INVOICE = "invoice", _("invoice")
    CREDIT_NOTE = "credit_note", _("credit note")


class NumberSeries(models.Model):
    """The next number of a legal entity; approval takes a block from it, so no gap can be.

    The series without year and kind is also the row that whoever opens or approves a run locks.
    """

    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField(
        db_default=0, help_text="Of the invoices' date, where numbers begin anew each year; else 0."
    )
    kind = models.CharField(
        max_length=11,
        blank=True,
        default="",
        db_default="",
        help_text="Of the documents that it numbers alone; empty: all others.",
    )
    prefix = models.CharField(max_length=24, blank=True, default="", db_default="")
    digits = models.PositiveSmallIntegerField(db_default=8)
    next_number = models.PositiveBigIntegerField(default=1)

    class Meta:
        verbose_name_plural = "number series"
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "year", "kind"], name="one_number_series_a_year_and_kind"
            ),
            models.UniqueConstraint(
                fields=["legal_entity", "prefix"], name="one_number_series_a_prefix"
            ),
        ]
        triggers = [NEVER_BACK]

    def __str__(self) -> str:
        return f"{self.prefix}{self.next_number}"


class Invoice(models.Model):
    """A document as it was issued. Paid, overdue, credited and reversed are derived."""

    Kind = Kind

    number = models.CharField(max_length=40)
    serial = models.PositiveBigIntegerField(help_text="The number without its prefix.")
    legal_entity = models.ForeignKey(
        LegalEntity,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(
        BillRun, on_delete=models.DO_NOTHING, related_name="invoices", db_constraint=False
    )
    kind = models.CharField(max_length=11, choices=Kind.choices)
    currency = models.CharField(max_length=3)
    issued_on = models.DateField()
    due_on = models.DateField()
    net = AmountField()
    tax = AmountField()
    total = AmountField()
    line_count = models.PositiveIntegerField()
    split = models.CharField(
        max_length=14,
        blank=True,
        default="",
        db_default="",
        choices=Split.choices,
        help_text="What the account's bills were split by when it was issued.",
    )
    about = models.CharField(
        max_length=250,
        blank=True,
        default="",
        db_default="",
        help_text="The purchase order, site or item that it is for, as it was called then.",
    )
    reverses = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="reversed_by",
        db_constraint=False,
        db_index=False,
        help_text="The document that it takes back as a whole.",
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["legal_entity", "number"], name="one_invoice_a_number"),
            models.CheckConstraint(
                condition=models.Q(total=models.F("net") + models.F("tax")),
                name="invoice_total_is_net_and_tax",
            ),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=models.Q(reverses__isnull=False),
                name="no_invoice_reversed_twice",
            ),
            models.CheckConstraint(
                condition=models.Q(about="") | ~models.Q(split=""),
                name="an_invoice_about_something_is_split_by_it",
            ),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="invoice_by_account")]
        triggers = [*NEVER, MIRRORS, OWES_LINES, HAS_SOMETHING]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("billing:invoice-detail", args=[self.pk])

    @property
    def is_credit_note(self) -> bool:
        return self.kind == Kind.CREDIT_NOTE


class InvoiceLine(models.Model):
    """One amount: a charge, a full period (`period_*`), a part of it that was served, a revision.

    Revision n bills the target as it is now less all that revisions before it billed.
    Partitioned by month of `period_start`; in Postgres its key is (id, period_start).
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="+", db_index=False)
    account_id = models.BigIntegerField()
    period_start = models.DateField()
    period_end = models.DateField()
    served_from = models.DateField()
    served_to = models.DateField(help_text="First day outside.")
    segment = models.PositiveSmallIntegerField()
    revision = models.PositiveSmallIntegerField()
    quantity = QuantityField(max_digits=30)
    amount = AmountField(help_text="Net.")
    tax_code = models.CharField(max_length=50, blank=True, default="")
    tax_rate = models.DecimalField(max_digits=9, decimal_places=6, default=0)
    tax = AmountField(default=0)
    cause = models.CharField(max_length=10)
    text = models.CharField(max_length=250)
    basis = models.JSONField(
        null=True,
        blank=True,
        help_text="What it was computed from beyond this row; see billing.rules.basis.",
    )
    reverses = models.PositiveSmallIntegerField(
        null=True,
        help_text="The revision of the same charge, period and segment that it takes back.",
    )

    class Meta:
        ordering = ["invoice", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["charge", "period_start", "segment", "revision"],
                name="no_charge_and_period_billed_twice",
            ),
            models.UniqueConstraint(
                fields=["charge", "period_start", "segment", "reverses"],
                condition=models.Q(reverses__isnull=False),
                name="no_line_reversed_twice",
            ),
        ]
        triggers = [*NEVER, ADDS_UP, LINE_MIRRORS]

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.position}"
