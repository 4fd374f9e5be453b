"""Contract: what was negotiated with one account, frozen when it is signed."""

from datetime import date, datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.frozen import NEVER, child_of_draft, published_only
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.models.products import Product
from o2b.customers.models import Account
from o2b.fields import QuantityField, RateField
from o2b.fsm import Stateful


class Contract(Stateful):
    """One version of an account's contract; frozen when signed (stored as "published")."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SIGNED = "published", _("signed")
        RETIRED = "retired", _("ended")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=60)
    number = models.PositiveSmallIntegerField(default=1)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text=_("First day outside."))
    term_months = models.PositiveSmallIntegerField(default=0, help_text=_("0: month to month."))
    state = FSMField(choices=State.choices, default=State.DRAFT, protected=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    retired_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["account", "-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "code", "number"], name="one_contract_version_a_number"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_to=None) | models.Q(valid_to__gt=models.F("valid_from")),
                name="contract_ends_after_it_begins",
                violation_error_message=_("It ends before it begins."),
            ),
            ExclusionConstraint(
                name="one_signed_contract_at_a_time",
                expressions=[
                    ("account", RangeOperators.EQUAL),
                    (
                        models.Func(
                            "valid_from",
                            "valid_to",
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=models.Q(state="published"),
                violation_error_message=_("Another signed contract of the account is valid then."),
            ),
        ]
        triggers = published_only("state", "retired_on")

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"

    @transition(field=state, source=State.DRAFT, target=State.SIGNED, custom={"stamp": "signed_at"})
    def sign(self, *, at: datetime) -> None:
        self.signed_at = at

    @transition(field=state, source=State.SIGNED, target=State.RETIRED)
    def end(self, *, on: date) -> None:
        self.retired_on = on


class ContractPrice(ChargeShape):
    """A negotiated charge of a product: it wins over every book."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="prices")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    match = models.JSONField(
        default=dict,
        blank=True,
        help_text=_("The characteristics that it is for; empty: for all others."),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "product", "key", "match"], name="one_contract_price_a_charge"
            ),
        ]
        triggers = child_of_draft(parent_table="catalog_contract", column="contract_id")

    def __str__(self) -> str:
        return f"{self.contract}: {self.product} {self.key}"


class ContractDiscount(models.Model):
    """Off every recurring line (percent), or a fixed amount a month off all of them together.

    A fixed amount is shared over the recurring lines of the first order under the contract by
    largest remainder, in proportion to their list prices; negative, it is a surcharge.
    """

    class Kind(models.TextChoices):
        PERCENT = "percent", _("percent")
        AMOUNT = "amount", _("amount a month")

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="discounts")
    position = models.PositiveSmallIntegerField(default=1)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    value = RateField()

    class Meta:
        ordering = ["contract", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "position"], name="one_contract_discount_a_position"
            ),
        ]
        triggers = child_of_draft(parent_table="catalog_contract", column="contract_id")

    def __str__(self) -> str:
        return f"{self.contract}: {self.value} ({self.kind})"


class ContractCommitment(models.Model):
    """The least, or the most, that is billed for an interval: for a product, a charge, or all."""

    class Kind(models.TextChoices):
        MINIMUM = "minimum", _("at least")
        MAXIMUM = "maximum", _("at most")

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="commitments")
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    key = models.SlugField(max_length=40, blank=True, default="")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    amount = RateField()
    interval_unit = models.CharField(max_length=5, default="month")
    interval_count = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["contract", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "product", "key", "kind"],
                nulls_distinct=False,
                name="one_commitment_a_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, interval_count__gte=1),
                name="commitment_not_negative",
                violation_error_message=_("A commitment is not less than zero."),
            ),
        ]
        triggers = child_of_draft(parent_table="catalog_contract", column="contract_id")

    def __str__(self) -> str:
        return f"{self.contract}: {self.kind} {self.amount}"


class ContractPool(models.Model):
    """Units paid for beforehand, to be used up."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="pools")
    name = models.CharField(max_length=60)
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    units = QuantityField()
    unit = models.CharField(max_length=30)
    price = RateField(null=True, blank=True, help_text=_("Of the whole pool."))
    rollover_periods = models.PositiveSmallIntegerField(default=0)
    expires_after_months = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["contract", "name"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "name"], name="one_pool_a_name"),
            models.CheckConstraint(
                condition=models.Q(units__gt=0),
                name="pool_not_empty",
                violation_error_message=_("A pool holds more than nothing."),
            ),
        ]
        triggers = child_of_draft(parent_table="catalog_contract", column="contract_id")

    def __str__(self) -> str:
        return f"{self.contract}: {self.name}"


class ContractDocument(models.Model):
    """What was signed, as a file; attached at any time, and never changed."""

    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, related_name="documents")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    body = models.BinaryField()
    attached_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["contract", "pk"]
        triggers = NEVER

    def __str__(self) -> str:
        return self.name


class FixedDiscountClaim(models.Model):
    """An order without a quote carries the contract's fixed monthly amount; nobody else gets it.

    Offers claim it by their own lines; the stages below orders cannot see an order's, but this.
    """

    contract = models.OneToOneField(Contract, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.contract_id}"
