"""Contract: what was negotiated with one account, frozen when it is signed."""

from datetime import date, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.frozen import child_of_draft, published_only
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.models.products import Product
from o2b.customers.models import Account
from o2b.fields import RateField
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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contract", "product", "key"], name="one_contract_price_a_charge"
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


class FixedDiscountClaim(models.Model):
    """An order without a quote carries the contract's fixed monthly amount; nobody else gets it.

    Offers claim it by their own lines; the stages below orders cannot see an order's, but this.
    """

    contract = models.OneToOneField(Contract, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.contract_id}"
