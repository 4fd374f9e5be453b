"""Product, its frozen versions, and the frozen versions of the plan by which it is delivered."""

from datetime import date, datetime

from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.frozen import published_only
from o2b.fsm import Stateful


class Lifecycle(models.TextChoices):
    """The life of everything that is published: draft → published → retired."""

    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    RETIRED = "retired", _("retired")


class Publishable(Stateful):
    """A version: free while a draft, frozen by Postgres once published."""

    State = Lifecycle

    state = FSMField(choices=Lifecycle.choices, default=Lifecycle.DRAFT, protected=True)
    published_at = models.DateTimeField(null=True, blank=True)
    retired_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True

    @transition(field=state, source=Lifecycle.DRAFT, target=Lifecycle.PUBLISHED)
    def publish(self, *, at: datetime) -> None:
        self.published_at = at

    @transition(field=state, source=Lifecycle.PUBLISHED, target=Lifecycle.RETIRED)
    def retire(self, *, on: date) -> None:
        self.retired_on = on


class Product(models.Model):
    """A thing we sell, under one code for ever; what it is at a time says its version."""

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    family = models.SlugField(blank=True, default="")
    unit = models.CharField(max_length=30, default=_("piece"))
    quantity_places = models.PositiveSmallIntegerField(
        default=0, help_text=_("Decimals that a quantity of it may have (0 to 6).")
    )

    class Meta:
        ordering = ["code"]
        permissions = [("publish", "Can publish versions of the catalog")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:product", args=[self.code])


class ProductVersion(Publishable):
    """What a product is from its publication on.

    `characteristics` is a list of {name, label, type: text|integer|decimal|boolean|choice, choices,
    minimum, maximum, required, default}; a line's characteristics are validated against it.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    characteristics = models.JSONField(default=list, blank=True)
    successor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["product__code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="one_version_a_number"),
        ]
        triggers = published_only("state", "retired_on", "successor_id")

    def __str__(self) -> str:
        return f"{self.product} v{self.number}"


class DeliveryPlan(Publishable):
    """How a product is delivered: a DAG of tasks, in versions published apart from the product's.

    `tasks` is a list of {key, name, kind: manual|automatic, queue, handler, parameters,
    after: [key], evidence: [field], minutes}; laid on a line, each becomes a Task.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="plans")
    number = models.PositiveSmallIntegerField()
    tasks = models.JSONField(default=list)

    class Meta:
        ordering = ["product__code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="one_plan_a_number"),
        ]
        triggers = published_only("state", "retired_on")

    def __str__(self) -> str:
        return f"{self.product}: plan v{self.number}"
