"""Meter, what usage is measured by, and its frozen versions: what an event of it must look like."""

from typing import Any

import pgtrigger
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import published_only
from o2b.catalog.models.products import Publishable, second_person
from o2b.charging import Aggregation

MOST_DECIMALS = 12

AGGREGATIONS = {
    Aggregation.SUM: _("sum"),
    Aggregation.COUNT: _("number of events"),
    Aggregation.MAX: _("highest value"),
    Aggregation.LAST: _("last value"),
    Aggregation.UNIQUE: _("number of different values"),
    Aggregation.AVERAGE: _("average over time"),
    Aggregation.EACH: _("each event by itself"),
}


class Meter(models.Model):
    """What usage is measured by, under one code for ever; how it adds up never changes."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=30)
    aggregation = models.CharField(
        max_length=7, choices=[(each.value, words) for each, words in AGGREGATIONS.items()]
    )

    class Meta:
        ordering = ["code"]
        triggers = [
            pgtrigger.Protect(
                name="meter_keeps_its_measure",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("code", "unit", "aggregation"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:meter", args=[self.code])


class MeterVersion(Publishable):
    """What an event of a meter must look like from a day on, the day of the event.

    A value has at most `decimals` places and lies from `least` to `most`. `dimensions` is a list of
    {name, required, choices, digits}: what an event says beside its value and totals are kept
    apart by; with `digits` it is a called number, of which totals keep the first so many.
    `timed`: its prices hang on the time of the day; totals keep each event's own (`each` only).
    """

    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField(help_text=_("The first day whose events it judges."))
    decimals = models.PositiveSmallIntegerField(default=6)
    least = models.DecimalField(max_digits=30, decimal_places=12, default=0)
    most = models.DecimalField(max_digits=30, decimal_places=12, default=1_000_000_000)
    dimensions = models.JSONField(default=list, blank=True)
    timed = models.BooleanField(default=False)

    class Meta:
        ordering = ["meter__code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["meter", "number"], name="one_meter_version_a_number"),
            second_person("meter_version_second_person"),
            models.CheckConstraint(
                condition=models.Q(decimals__lte=MOST_DECIMALS),
                name="meter_decimals_that_can_be_kept",
                violation_error_message=_("At most 12 decimals."),
            ),
            models.CheckConstraint(
                condition=models.Q(most__gte=models.F("least")),
                name="meter_most_is_not_below_least",
                violation_error_message=_("The highest value lies below the lowest."),
            ),
        ]
        triggers: Any = published_only("state", "retired_on")

    def __str__(self) -> str:
        return f"{self.meter} v{self.number}"
