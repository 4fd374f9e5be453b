"""What charges grant, in words, with the names and units of the meters whose pools they fill."""

from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KT

from o2b.catalog.models import Meter, Price
from o2b.catalog.models.prices import ChargeShape
from o2b.charging.terms import ChargeTerms, Kind
from o2b.web.words import NameOf, grant_words


class MeterNames:
    """The name and unit of each meter by its code: one query for a page, when the first is asked.

    There are dozens of meters, so all of them are read at once.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] | None = None

    def __call__(self, code: str) -> tuple[str, str] | None:
        if self._known is None:
            rows = Meter.objects.order_by().values_list("code", "name", "unit")
            self._known = {code: (name, unit) for code, name, unit in rows}
        return self._known.get(code)


def granted_by(
    charge: ChargeTerms, meters: NameOf | None = None, *, quantity: Decimal | None = None
) -> str:
    """What a charge brings into a pool or the wallet, in words; empty where it brings nothing.

    With a quantity the units are those of a line of so many.
    """
    if charge.grant is None:
        return ""
    return grant_words(
        charge.grant,
        recurring=charge.kind is Kind.RECURRING,
        currency=charge.currency,
        meters=meters or MeterNames(),
        quantity=quantity,
    )


def granted_in(charge: ChargeShape, currency: str, meters: NameOf | None = None) -> str:
    """The same of a stored charge."""
    grant = charge.grant
    if grant is None:
        return ""
    recurring = charge.kind == Kind.RECURRING
    return grant_words(grant, recurring=recurring, currency=currency, meters=meters or MeterNames())


def with_pools(prices: QuerySet[Price]) -> QuerySet[Price]:
    """Prices with name and unit of the meter whose pool they fill: `name_of_pool` reads them."""
    meter = Meter.objects.order_by().filter(code=OuterRef("pool_code"))
    return prices.annotate(
        pool_code=KT("details__grant__meter"),
        pool_name=Subquery(meter.values("name")),
        pool_unit=Subquery(meter.values("unit")),
    )


def name_of_pool(price: Any) -> NameOf:
    """What `granted_in` asks, of a row of `with_pools`."""
    return lambda _code: (price.pool_name, price.pool_unit) if price.pool_name else None
