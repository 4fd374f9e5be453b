"""Questions about tax rates: those that hold, and the port's own answer from the table."""

from collections.abc import Collection
from decimal import Decimal

from django.db.models import QuerySet

from o2b.taxes.models import TaxRate
from o2b.taxes.rules import Dated, TaxAsked, answers


def rates_for_list() -> QuerySet[TaxRate]:
    """All rates, by country and code, the newest first."""
    return TaxRate.objects.all()


def get_rate(rate_id: int) -> TaxRate:
    """One rate; raises TaxRate.DoesNotExist."""
    return TaxRate.objects.get(pk=rate_id)


def rates_from_table(asked: Collection[TaxAsked]) -> dict[TaxAsked, Decimal | None]:
    """What O2B_TAX_RATES names unless told otherwise: one query, however much is asked."""
    rows = TaxRate.objects.filter(country__in={each.country for each in asked})
    fields = ("country", "code", "percent", "valid_from", "valid_until")
    return answers(asked, [Dated(*row) for row in rows.values_list(*fields)])
