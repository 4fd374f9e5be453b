"""Product, its frozen versions, and the frozen versions of the plan by which it is delivered."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.frozen import child_of_draft, published_only
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
    prepared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who wrote the draft last; somebody else publishes it."),
    )
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    submitted_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Since when it waits for the second person.")
    )

    class Meta:
        abstract = True

    @property
    def author_ids(self) -> set[int]:
        """Who wrote it, and so does not publish it; nobody of them, when programs did."""
        return {self.prepared_by_id} if self.prepared_by_id is not None else set()

    @transition(field=state, source=Lifecycle.DRAFT, target=Lifecycle.PUBLISHED)
    def publish(self, *, at: datetime) -> None:
        self.published_at = at

    @transition(field=state, source=Lifecycle.PUBLISHED, target=Lifecycle.RETIRED)
    def retire(self, *, on: date) -> None:
        self.retired_on = on


def second_person(name: str) -> models.CheckConstraint:
    """Who wrote the draft last does not publish it."""
    return models.CheckConstraint(
        condition=models.Q(prepared_by=None)
        | models.Q(published_by=None)
        | ~models.Q(prepared_by=models.F("published_by")),
        name=name,
        violation_error_message=_("Somebody else than who wrote it publishes it."),
    )


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
    unit, minimum, maximum, required, default}; a line's characteristics are validated against it.
    `eligibility` is {segments: [...], countries: [...]}: who may have it; empty, everybody.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    description = models.TextField(blank=True, default="")
    eligibility = models.JSONField(default=dict, blank=True)
    characteristics = models.JSONField(default=list, blank=True)
    successor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["product__code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="one_version_a_number"),
            second_person("product_version_second_person"),
        ]
        triggers = published_only("state", "retired_on", "successor_id")

    def __str__(self) -> str:
        return f"{self.product} v{self.number}"


class BundleOption(models.Model):
    """A product that may be chosen, or must be, within a bundle: how many, for one bundle."""

    version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="options")
    group = models.SlugField(blank=True, default="", help_text=_("The heading it is shown under."))
    component = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    minimum = models.PositiveSmallIntegerField(default=0)
    maximum = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text=_("Empty: as many as one likes.")
    )
    default = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["version", "group", "component__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "component"], name="one_option_a_component_of_a_bundle"
            ),
            models.CheckConstraint(
                condition=models.Q(minimum__lte=models.F("default"))
                & (models.Q(maximum=None) | models.Q(maximum__gte=models.F("default"))),
                name="bundle_option_default_in_range",
                violation_error_message=_("The default lies between minimum and maximum."),
            ),
        ]
        triggers = child_of_draft(parent_table="catalog_productversion", column="version_id")

    def __str__(self) -> str:
        return f"{self.version}: {self.component}"


class ProductRule(models.Model):
    """What must, or must not, be there too where the product is."""

    class Kind(models.TextChoices):
        REQUIRES = "requires", _("requires")
        EXCLUDES = "excludes", _("excludes")

    version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="rules")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    other = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["version", "kind", "other__code"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "kind", "other"], name="one_rule_a_kind_and_product"
            ),
        ]
        triggers = child_of_draft(parent_table="catalog_productversion", column="version_id")

    def __str__(self) -> str:
        return f"{self.version} {self.kind} {self.other}"


class DeliveryPlan(Publishable):
    """How a product is delivered: a DAG of tasks, in versions published apart from the product's.

    `components` are the technical parts that a product is made of, `tasks` the steps that make
    them; `o2b.catalog.plans` says what both may hold. Laid on a line, each step becomes a Task.
    """

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="plans")
    number = models.PositiveSmallIntegerField()
    components = models.JSONField(default=list, blank=True)
    tasks = models.JSONField(default=list)

    class Meta:
        ordering = ["product__code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["product", "number"], name="one_plan_a_number"),
            second_person("delivery_plan_second_person"),
        ]
        triggers = published_only("state", "retired_on")

    def __str__(self) -> str:
        return f"{self.product}: plan v{self.number}"
