"""Exchange rates: the newest that was told for a day, or for one shortly before it."""

from collections.abc import Collection
from datetime import date, timedelta

from django.db.models import QuerySet

from billing.models import ExchangeRate
from billing.runs.posting import Rate

# Banks publish none on weekends and holidays; what is older than this is somebody's oversight.
OLDEST = timedelta(days=7)


def rates_on(on: date, *, into: str, currencies: Collection[str]) -> dict[str, Rate]:
    """Currency → its rate of the day; left out is one that nobody told. No query for none."""
    if not currencies:
        return {}
    rows = (
        ExchangeRate.objects.filter(
            into=into, currency__in=list(currencies), on__lte=on, on__gte=on - OLDEST
        )
        .order_by("currency", "-on", "-pk")
        .distinct("currency")
    )
    return {row.currency: Rate(row.currency, row.rate, row.on) for row in rows}


def rates_for_list() -> QuerySet[ExchangeRate]:
    """All rates, the newest day first."""
    return ExchangeRate.objects.select_related("recorded_by")
