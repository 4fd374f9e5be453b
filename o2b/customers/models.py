"""LegalEntity (the seller), Customer (who signs), Account (who is billed), Contact."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.charging.tax import TaxRounding
from o2b.customers.bookkeeping import Bookkeeping, bookkeeping_of
from o2b.customers.carrying import Carrying, carrying_of
from o2b.customers.frozen import FAMILY
from o2b.customers.layouts import (
    ACCOUNT_SENDING,
    LANGUAGES,
    Grouping,
    Sending,
    Split,
    validate_layout,
)
from o2b.customers.validators import (
    EXCLUSIVE,
    validate_conventions,
    validate_currency,
    validate_time_zone,
)
from o2b.fields import AmountField
from o2b.models import TestClock


class LegalEntity(models.Model):
    """The company of ours that sells and writes the invoice."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True, default="")
    country = models.CharField(max_length=2, validators=[RegexValidator(r"^[A-Z]{2}$")])
    currency = models.CharField(max_length=3, validators=[validate_currency])
    tax_id = models.CharField(max_length=40, blank=True, default="")
    iban = models.CharField(max_length=34, blank=True, default="")
    number_prefix = models.CharField(max_length=12, default="INV-")
    conventions = models.JSONField(
        default=dict,
        blank=True,
        validators=[validate_conventions],
        help_text=_("How periods, shares and amounts are counted; empty: as everybody does."),
    )
    sending = models.CharField(
        max_length=10,
        choices=Sending.choices,
        default=Sending.ON_DEMAND,
        db_default=Sending.ON_DEMAND,
        help_text=_("What becomes of its invoices; an account may say otherwise."),
    )
    layout = models.JSONField(
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_layout],
        help_text=_("How its documents look: accent, logo, footer, bank, bic, grouping …"),
    )

    class Meta:
        ordering = ["code"]
        verbose_name_plural = "legal entities"

    def __str__(self) -> str:
        return self.name

    @property
    def shows_first_day_outside(self) -> bool:
        """Whether its documents end a period with the first day outside, not the last inside."""
        return bool(self.conventions.get("period_end") == EXCLUSIVE)

    @property
    def tax_rounding(self) -> TaxRounding:
        """What is added up before tax is rounded: each line by itself unless told otherwise."""
        return TaxRounding(self.conventions.get("tax_rounding", TaxRounding.LINE))

    @property
    def bookkeeping(self) -> Bookkeeping:
        """How it numbers its documents and keeps its books."""
        return bookkeeping_of(self.conventions)

    @property
    def carrying(self) -> Carrying:
        """How small a bill it issues, and how long smaller ones wait."""
        return carrying_of(self.conventions)

    @property
    def smallest_coin(self) -> Decimal | None:
        """To what a total is rounded that is paid in cash, if it takes cash at all."""
        said = self.conventions.get("cash_rounding")
        return Decimal(str(said)) if said else None


class Customer(models.Model):
    """A legal or natural person who signs."""

    name = models.CharField(max_length=200)
    segment = models.SlugField(blank=True, default="")
    country = models.CharField(
        max_length=2, blank=True, default="", validators=[RegexValidator(r"^[A-Z]{2}$")]
    )
    language = models.CharField(
        max_length=5,
        blank=True,
        default="",
        db_default="",
        choices=LANGUAGES,
        help_text=_("Of its invoices and letters; empty: that of its country."),
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """Who is billed: one currency, one bill day, one time zone, and an advocate, always."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    reference = models.CharField(
        max_length=40, unique=True, help_text=_("The number that people and files know it by.")
    )
    name = models.CharField(max_length=200)
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="accounts")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    billed_to_parent = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("What it owes is on the bills of its payer: the next parent with own bills."),
    )
    advocate = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("The sales rep who answers for it until delivery and after."),
    )
    currency = models.CharField(max_length=3, validators=[validate_currency])
    bill_day = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    bill_group = models.SlugField(
        blank=True, default="", help_text=_("Accounts of one group can be billed by themselves.")
    )
    time_zone = models.CharField(max_length=60, default="UTC", validators=[validate_time_zone])
    payment_days = models.PositiveSmallIntegerField(default=14)
    payment_method = models.SlugField(blank=True, default="")
    credit_limit = AmountField(
        null=True, blank=True, help_text=_("The most that may be owed; empty: no limit.")
    )
    tax_exempt = models.BooleanField(default=False)
    dunning_profile = models.SlugField(blank=True, default="")
    invoice_grouping = models.SlugField(
        blank=True,
        default="",
        choices=Grouping.choices,
        help_text=_("What the lines of its invoices are put together by; empty: as the seller."),
    )
    invoice_split = models.CharField(
        max_length=14,
        blank=True,
        default="",
        db_default="",
        choices=Split.choices,
        help_text=_("What its bills are split by: a document for each; empty: one document."),
    )
    minimum_invoice = AmountField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Smaller bills wait for the next run; empty: as the seller, 0: none wait."),
    )
    sending = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        choices=ACCOUNT_SENDING,
        help_text=_("How its invoices are sent; empty: as the seller does."),
    )
    bill_to = models.EmailField(
        blank=True,
        default="",
        db_default="",
        help_text=_("Where its invoices are mailed; empty: to the contact of the customer."),
    )
    address = models.TextField(blank=True, default="")
    test_clock = models.ForeignKey(
        TestClock, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["reference"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(bill_day__range=(1, 31)), name="account_bill_day_is_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(minimum_invoice=None) | models.Q(minimum_invoice__gte=0),
                name="account_minimum_invoice_not_below_zero",
            ),
            models.CheckConstraint(
                condition=models.Q(invoice_split__in=Split.values),
                name="account_invoice_split_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(billed_to_parent=False) | models.Q(parent__isnull=False),
                name="billed_to_a_parent_that_is",
            ),
        ]
        indexes = [
            models.Index(
                fields=["legal_entity", "parent"],
                name="account_billed_to_parent",
                condition=models.Q(billed_to_parent=True),
            ),
        ]
        triggers = FAMILY

    def __str__(self) -> str:
        return f"{self.name} ({self.reference})"

    def get_absolute_url(self) -> str:
        return reverse("customers:detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def test_now(self) -> datetime | None:
        """The moment that the account's test clock shows, if it stands under one."""
        return self.test_clock.now if self.test_clock_id and self.test_clock else None


class Contact(models.Model):
    """A person at the customer's."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    phone = models.CharField(max_length=40, blank=True, default="")
    signs = models.BooleanField(default=False, help_text=_("May accept a quote."))

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"
