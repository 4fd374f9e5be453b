"""Whether a quantity is one that a product can be sold in."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

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
        raise QuantityInvalid(_("The quantity must be a number."), field=field) from exc
    if not quantity.is_finite() or quantity <= 0:
        raise QuantityInvalid(_("The quantity must be more than zero."), field=field)
    if quantity > LARGEST:
        message = _("The quantity is at most %(most)s.") % {"most": f"{LARGEST:f}"}
        raise QuantityInvalid(message, field=field)
    rounded = round(quantity, product.quantity_places)
    if rounded != quantity:
        if not product.quantity_places:
            message = _("%(product)s is sold in whole numbers.") % {"product": product}
        else:
            message = _("%(product)s is sold with at most %(places)s decimals.") % {
                "product": product,
                "places": product.quantity_places,
            }
        raise QuantityInvalid(message, field=field)
    return rounded
