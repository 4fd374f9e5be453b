"""RateDeck, what calls cost by the prefix of their number, and its frozen versions."""

from typing import Any

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import children_of_draft, published_only
from o2b.catalog.models.products import Publishable, second_person
from o2b.charging.decks import MOST_DIGITS, RATE_DECIMALS

MOST_SECONDS = 86_400
DIGITS = 14
_SECONDS = [MinValueValidator(1), MaxValueValidator(MOST_SECONDS)]


class RateDeck(models.Model):
    """Rates of calls under one code for ever; in which currency and per what never changes."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(
        max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$", _("A code such as EUR."))]
    )
    per_seconds = models.PositiveIntegerField(
        default=60, validators=_SECONDS, help_text=_("For so many seconds is a rate.")
    )

    class Meta:
        ordering = ["code"]
        triggers = [
            pgtrigger.Protect(
                name="deck_keeps_its_currency",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("code", "currency", "per_seconds"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:deck", args=[self.code])


class RateDeckVersion(Publishable):
    """The rates of a deck from a day on: those of the version that holds on the day of the call.

    `rates` and `longest` count its rows and the digits of the longest prefix. Who filled in the
    rates does not publish them, whoever moved their day since.
    """

    deck = models.ForeignKey(RateDeck, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField(help_text=_("The first day whose calls it rates."))
    rates = models.PositiveIntegerField(default=0)
    longest = models.PositiveSmallIntegerField(default=0)
    filled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["deck__code", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["deck", "number"], name="one_deck_version_a_number"),
            second_person("deck_version_second_person"),
            models.CheckConstraint(
                condition=models.Q(filled_by=None)
                | models.Q(published_by=None)
                | ~models.Q(filled_by=models.F("published_by")),
                name="deck_rates_second_person",
            ),
        ]
        triggers: Any = published_only("state", "retired_on")

    def __str__(self) -> str:
        return f"{self.deck} v{self.number}"

    @property
    def author_ids(self) -> set[int]:
        """Who filled in the rates, and who last moved their day."""
        return super().author_ids | (
            {self.filled_by_id} if self.filled_by_id is not None else set()
        )


class DeckRate(models.Model):
    """What calls to the numbers of a prefix cost; rows come by COPY."""

    version = models.ForeignKey(RateDeckVersion, on_delete=models.PROTECT, related_name="rows")
    prefix = models.CharField(max_length=MOST_DIGITS)
    destination = models.CharField(max_length=100, blank=True, default="")
    rate = models.DecimalField(max_digits=DIGITS, decimal_places=RATE_DECIMALS)
    connect_fee = models.DecimalField(max_digits=DIGITS, decimal_places=RATE_DECIMALS, default=0)
    first_seconds = models.PositiveIntegerField(default=1)
    next_seconds = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["version", "prefix"]
        constraints = [
            models.UniqueConstraint(fields=["version", "prefix"], name="one_rate_a_prefix"),
            models.CheckConstraint(
                condition=models.Q(prefix__regex=r"^[0-9]+$"), name="deck_prefix_of_digits"
            ),
            models.CheckConstraint(
                condition=models.Q(rate__gte=0, connect_fee__gte=0), name="deck_rate_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    first_seconds__range=(1, MOST_SECONDS), next_seconds__range=(1, MOST_SECONDS)
                ),
                name="deck_increments_within_a_day",
            ),
        ]
        triggers = children_of_draft(parent_table="catalog_ratedeckversion", column="version_id")

    def __str__(self) -> str:
        return f"{self.version}: {self.prefix}"
