"""Whether a chosen price has an answer for a line: prices may end, contracts' prices above all."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from o2b.catalog.models import ProductVersion
from o2b.catalog.resolution.choice import PriceBroken
from o2b.charging.models import BeyondTiers
from o2b.charging.pricing import list_price
from o2b.charging.terms import ChargeTerms, Kind, plain
from o2b.errors import Invalid
from o2b.money import EXACT


class QuantityBeyondPrice(Invalid):
    """The price of the line ends below its quantity."""

    code = "quantity_beyond_price"


def check_priceable(
    charges: Sequence[ChargeTerms], quantity: Decimal, *, version: ProductVersion, at: str
) -> None:
    """Refuse a quantity above the last tier, and usage that could outgrow its price.

    Nobody knows beforehand how much is used: what lies above a last tier could never be billed.
    """
    for charge in charges:
        if charge.kind is Kind.USAGE:
            end = charge.tiers[-1].up_to if charge.tiers else None
            if end is not None:
                message = _("%(product)s: usage above %(end)s has no price; the last tier ends.")
                told = {"product": version.product, "end": plain(end)}
                raise PriceBroken(message % told, field=f"{at}.product")
            continue
        try:
            list_price(charge, quantity)
        except BeyondTiers as exc:
            message = _(
                "%(product)s has a price for up to %(most)s, and this is %(quantity)s: order no "
                "more than that, or agree on a price for more."
            )
            included = charge.allowance.units if charge.allowance else Decimal(0)
            most = plain(EXACT.add(exc.up_to, included))
            told = {"product": version.product, "most": most, "quantity": plain(quantity)}
            raise QuantityBeyondPrice(message % told, field=f"{at}.quantity", most=most) from exc
