"""Terms: what one line was promised, written once, content-addressed, frozen for ever."""

from django.db import models
from django.db.models.functions import Now

from o2b.catalog.frozen import NEVER
from o2b.catalog.models.prices import ChargeShape, choices_of
from o2b.catalog.models.products import ProductVersion
from o2b.charging.terms import Kind, Proration, StartRule

# What bill runs ask of many Terms: whether any is paid whole, or by part, at all. A question
# that says so in the same words is answered by an index that holds only those.
PAID_WHOLE = '"proration":"(none|full)"'
PAID_BY_PART = '"start_rule":"each_part"'


class Terms(models.Model):
    """The header; `body` is the canonical JSON whose SHA-256 is `digest`."""

    digest = models.CharField(max_length=64, unique=True)
    schema = models.PositiveSmallIntegerField()
    body = models.TextField()
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    start_rule = models.CharField(max_length=12, choices=choices_of(StartRule))
    frozen_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "terms"
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(body__regex=PAID_WHOLE), name="terms_paid_whole"
            ),
            models.Index(
                fields=["id"], condition=models.Q(body__regex=PAID_BY_PART), name="terms_by_part"
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"T-{self.pk}"


class TermsCharge(ChargeShape):
    """One charge of frozen Terms; discounts are [{kind, value}] in the order they apply."""

    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="charges")
    position = models.PositiveSmallIntegerField()
    discounts = models.JSONField(default=list)

    class Meta:
        ordering = ["terms", "position"]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(kind=Kind.RECURRING) & ~models.Q(proration=Proration.DAY),
                name="terms_charge_paid_whole",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["terms", "key"], name="one_terms_charge_a_key"),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.terms}: {self.key}"
