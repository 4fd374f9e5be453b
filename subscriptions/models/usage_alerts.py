"""Alerts of usage: who is told at which thresholds, what was told of a period, what to look at."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import Meter
from o2b.customers.models import Account, LegalEntity
from subscriptions.models.items import Item

MOST_THRESHOLDS = 10
DECIMALS = 6
SMALLEST, LARGEST = 1, 10**12
LARGEST_PERCENT = 1000
POOL_NUMBER = "U-"


class AlertOf(models.TextChoices):
    """What a rule watches; each kind has a reading of its own in `subscriptions.usage.alerts`."""

    ALLOWANCE = "allowance", _("percent of the allowance")
    FORECAST = "forecast", _("percent of the allowance, by the forecast")
    AMOUNT = "amount", _("amount so far")
    UNITS = "units", _("units used")
    POOL = "pool", _("percent of a pool")
    WALLET = "wallet", _("prepaid credit left")


def _threshold() -> models.DecimalField:
    return models.DecimalField(max_digits=20, decimal_places=DECIMALS)


class UsageAlertDefault(models.Model):
    """Percents of an allowance or a pool that every account is told at, unless a rule says else.

    That of the seller (legal entity) counts, else the one of the house, which names no seller.
    """

    legal_entity = models.OneToOneField(
        LegalEntity,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("Empty: of the house, for every seller without one of its own."),
    )
    thresholds = ArrayField(
        models.DecimalField(
            max_digits=20,
            decimal_places=DECIMALS,
            validators=[MinValueValidator(SMALLEST), MaxValueValidator(LARGEST_PERCENT)],
        ),
        size=MOST_THRESHOLDS,
        help_text=_("Percent of the allowance or the pool, with commas between: 80,100"),
    )
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity"], name="one_alert_default", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return str(self.legal_entity or _("the house"))


class UsageAlert(models.Model):
    """A rule: of an account, or of one service of it, by a meter or by every meter.

    For a service the rule that says most counts alone: its own before that of the account, one of
    the meter before one of all meters, and any of them before the default.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey(
        Item,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text=_("First of its chain; empty: every service of the account."),
    )
    meter = models.ForeignKey(
        Meter,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty: every meter."),
    )
    of = models.CharField(max_length=12, choices=AlertOf.choices)
    thresholds = ArrayField(_threshold(), size=MOST_THRESHOLDS)
    active = models.BooleanField(default=True, help_text=_("Else nothing is told."))
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        permissions = [("set_usage_alerts", "Can set at which usage customers are told")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "service", "meter", "of"],
                name="one_usage_alert",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service or self.account}: {self.get_of_display()}"


class UsageAlertSent(models.Model):
    """A threshold that a charge of a service passed in a period: a fact, once for ever.

    Of several that were passed at once the highest is `told`, the others are noted alone. Figures
    are those of that moment; of a kind that has no limit `limit` is empty.
    """

    rule = models.ForeignKey(
        UsageAlert,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Empty: the default, or a rule that is gone."),
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(
        Item,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Empty: of the account as a whole."),
    )
    charge = models.CharField(max_length=60)
    meter = models.ForeignKey(Meter, null=True, on_delete=models.PROTECT, related_name="+")
    of = models.CharField(max_length=12, choices=AlertOf.choices)
    threshold = _threshold()
    period_start = models.DateField()
    period_end = models.DateField(help_text=_("The first day after."))
    reached = models.DecimalField(max_digits=36, decimal_places=12)
    limit = models.DecimalField(max_digits=36, decimal_places=12, null=True)
    used = models.DecimalField(max_digits=36, decimal_places=12)
    forecast = models.DecimalField(max_digits=36, decimal_places=12, null=True)
    amount = models.DecimalField(max_digits=36, decimal_places=12)
    currency = models.CharField(max_length=3)
    unit = models.CharField(max_length=40, blank=True, default="")
    told = models.BooleanField()
    at = models.DateTimeField(help_text=_("By the clock of the account."))
    recorded_at = models.DateTimeField(db_default=Now())
    letter_owed = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "item", "charge", "of", "period_start", "threshold"],
                name="usage_alert_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(
                fields=["account"],
                name="usage_alert_letter_owed",
                condition=models.Q(letter_owed=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id or self.account_id} {self.charge}: {self.threshold} of {self.of}"

    def get_absolute_url(self) -> str:
        if self.item_id is None:
            return self._pool_url() or self.account.get_absolute_url()
        return reverse("subscriptions:usage-service", args=[self.item_id])

    def _pool_url(self) -> str:
        """Of a pool the charge is its number."""
        if self.of != AlertOf.POOL:
            return ""
        return reverse("subscriptions:pool", args=[int(self.charge.removeprefix(POOL_NUMBER))])


class UsageAlertDue(models.Model):
    """A service whose usage or rules changed: it is looked at, and the row goes with what that did.

    Without a row foreign key, as events are.
    """

    service_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return str(self.service_id)


class UsageAlertLook(models.Model):
    """Up to which `recorded_at` (the database's time) events were looked through; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M:%S}"
