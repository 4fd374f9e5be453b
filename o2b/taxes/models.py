"""TaxRate: what a country takes of a tax code from a day on; closed once, never rewritten."""

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NOT_TRUNCATED
from o2b.charging.terms import plain

# The one update that is allowed says from which day a rate does not hold any more, once.
ONLY_CLOSED = pgtrigger.Trigger(
    name="only_closed",
    operation=pgtrigger.Update,
    when=pgtrigger.Before,
    func="""
    IF (to_jsonb(OLD) - 'valid_until') IS DISTINCT FROM (to_jsonb(NEW) - 'valid_until')
            OR OLD.valid_until IS NOT NULL THEN
        RAISE EXCEPTION 'o2b: of a tax rate only its end can be told, and only once';
    END IF;
    RETURN NEW;
    """,
)
KEPT = pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)


class TaxRate(models.Model):
    """Percent on top of net, in a country, for a code (blank: the standard rate).

    Half open: it holds from `valid_from` until before `valid_until`. One that ends on the day on
    which it begins holds on no day.
    """

    country = models.CharField(max_length=2, validators=[RegexValidator(r"^[A-Z]{2}$")])
    code = models.SlugField(blank=True, default="", help_text=_("Empty: the standard rate."))
    name = models.CharField(max_length=80, blank=True, default="")
    percent = models.DecimalField(
        max_digits=9,
        decimal_places=6,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text=_("First day outside."))

    class Meta:
        ordering = ["country", "code", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__range=(0, 100)), name="tax_rate_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until=None)
                | models.Q(valid_until__gte=models.F("valid_from")),
                name="tax_rate_ends_after_it_begins",
            ),
            ExclusionConstraint(
                name="one_tax_rate_a_day",
                expressions=[
                    ("country", RangeOperators.EQUAL),
                    ("code", RangeOperators.EQUAL),
                    (
                        models.Func(
                            "valid_from",
                            "valid_until",
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        triggers = [ONLY_CLOSED, KEPT, NOT_TRUNCATED]

    def __str__(self) -> str:
        return f"{self.country} {self.shown_code} {plain(self.percent)} %"

    def get_absolute_url(self) -> str:
        return reverse("taxes:close", args=[self.pk])

    @property
    def shown_code(self) -> str:
        return self.code or gettext("standard")
