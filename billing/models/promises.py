"""Promise, what one order line was promised; the dated facts about it; breaches found."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from billing.models.runs import BillRun
from o2b.catalog.frozen import NEVER
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.fields import QuantityField
from orders.models import OrderLine


class Promise(models.Model):
    """What the customer was promised for one order line, written when the order was placed."""

    order_line = models.OneToOneField(OrderLine, on_delete=models.PROTECT, related_name="+")
    order_id = models.BigIntegerField(db_index=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    legal_entity_id = models.BigIntegerField()
    product = models.CharField(max_length=60, help_text="The product's code.")
    version = models.PositiveSmallIntegerField()
    product_version = models.ForeignKey(
        ProductVersion, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    quantity = QuantityField()
    terms_digest = models.CharField(max_length=64)
    book_version_id = models.BigIntegerField(null=True)
    contract_id = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["account", "pk"]
        indexes = [models.Index(fields=["account", "id"], name="promise_by_account")]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} × {self.product} v{self.version}"


class PromiseFact(models.Model):
    """Something that was said about a promise: quoted, ordered or delivered; never updated."""

    class Kind(models.TextChoices):
        QUOTED = "quoted", _("quoted")
        ORDERED = "ordered", _("ordered")
        DELIVERED = "delivered", _("delivered")

    promise = models.ForeignKey(
        Promise, on_delete=models.PROTECT, related_name="facts", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    source_id = models.BigIntegerField(help_text="Quote line, order line or evidence.")
    at = models.DateTimeField()
    product = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    quantity = QuantityField()
    terms_digest = models.CharField(max_length=64, blank=True, default="")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["promise", "at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["promise", "kind", "source_id"], name="one_promise_fact_a_source"
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} of v{self.version}"


class Breach(models.Model):
    """A difference between what was promised and what is, with an owner who mends it."""

    class Stage(models.TextChoices):
        ORDER = "order", _("order")
        DELIVERY = "delivery", _("delivery")
        CHANGE = "change", _("change")
        RUN = "run", _("bill run")

    promise = models.ForeignKey(
        Promise, null=True, on_delete=models.PROTECT, related_name="breaches"
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    field = models.CharField(max_length=20)
    promised = models.TextField(blank=True, default="")
    actual = models.TextField(blank=True, default="")
    stage = models.CharField(max_length=10, choices=Stage.choices)
    found_at = models.DateTimeField()
    run = models.ForeignKey(BillRun, null=True, on_delete=models.PROTECT, related_name="breaches")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    resolution = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "breaches"
        indexes = [
            models.Index(
                fields=["owner", "id"], name="breach_open", condition=models.Q(resolved_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field}: promised {self.promised}, found {self.actual}"

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None
