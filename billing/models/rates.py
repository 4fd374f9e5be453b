"""Exchange rates by day, as finance tells them; what was booked keeps the rate that it took."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from o2b.catalog.frozen import NEVER

_CODE = RegexValidator(r"^[A-Z]{3}$")


class ExchangeRate(models.Model):
    """One unit of a currency in another, on a day; of two for a day the later one counts."""

    currency = models.CharField(max_length=3, validators=[_CODE])
    into = models.CharField(max_length=3, validators=[_CODE])
    on = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-on", "currency", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchange_rate_above_zero"),
            models.CheckConstraint(
                condition=~Q(currency=F("into")), name="exchange_rate_of_two_currencies"
            ),
        ]
        indexes = [
            models.Index(fields=["currency", "into", "-on", "-id"], name="exchange_rate_newest")
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.rate:f} {self.into} on {self.on}"
