"""Whether a quantity is one that a product can be sold in."""

from decimal import Decimal, InvalidOperation
from typing import Any

from o2b.catalog.models import Product
from o2b.errors import Invalid

LARGEST = Decimal(10) ** 9


class QuantityInvalid(Invalid):
    code = "quantity_invalid"


def check_quantity(product: Product, value: Any, *, field: str = "quantity") -> Decimal:
    """The quantity as a Decimal; refuses zero, negatives, too many decimals and the absurd."""
    try:
        quantity = Decimal(str(value))
    except InvalidOperation as exc:
        raise QuantityInvalid("the quantity is a number", field=field) from exc
    if not quantity.is_finite() or quantity <= 0:
        raise QuantityInvalid("the quantity is more than zero", field=field)
    if quantity > LARGEST:
        raise QuantityInvalid(f"the quantity is at most {LARGEST:f}", field=field)
    rounded = round(quantity, product.quantity_places)
    if rounded != quantity:
        places = product.quantity_places
        raise QuantityInvalid(f"{product} is sold with at most {places} decimals", field=field)
    return rounded
