"""A stored charge in words and figures, as every page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.selectors.granted import granted_in
from o2b.periods import Interval, Unit
from o2b.web.show import money_text, number_text
from o2b.web.words import NameOf, deck_words, interval_words, length_words, meter_words


@dataclass(frozen=True, slots=True)
class Rate:
    """One charge of a price, in words and figures; `parts` are what its price is made of."""

    name: str
    amount: Decimal
    currency: str
    rhythm: str
    parts: tuple[str, ...] = ()
    tiered: bool = False
    rated: bool = False


def rate_of(charge: ChargeShape, currency: str, meters: NameOf | None = None) -> Rate:
    """A stored charge as a page shows it; who shows many of them hands in one `meters`."""
    return Rate(
        name_of(charge.key),
        charge.unit_price.normalize(),
        currency,
        rhythm_of(charge),
        tuple(parts_of(charge, currency, meters)),
        bool(charge.tiers),
        charge.model == "rated",
    )


def name_of(key: str) -> str:
    """A charge's key as a heading."""
    return key.replace("-", " ").replace("_", " ").capitalize()


def rhythm_of(charge: ChargeShape) -> str:
    """How often and for what it is charged, in words."""
    unit, count = charge.interval_unit, charge.interval_count
    often = interval_words(Interval(Unit(unit), count) if unit else None)
    return f"{often}, {model_words(charge.model)}"


def model_words(model: str) -> str:
    """How a quantity becomes an amount, in two or three words."""
    return {
        "flat": _("flat"),
        "per_unit": _("per unit"),
        "graduated": _("graduated tiers"),
        "volume": _("volume tiers"),
        "stairstep": _("stair steps"),
        "package": _("per package"),
        "percentage": _("percent of the value"),
        "graduated_percentage": _("graduated percentage"),
        "rated": _("rated calls"),
    }.get(model, model)


def parts_of(charge: ChargeShape, currency: str, meters: NameOf | None = None) -> list[str]:
    """Tiers, packages, bounds, allowance, what it grants and whom it is for: a line each."""
    return own_parts_of(charge, currency, meters) + match_words(getattr(charge, "match", {}))


def own_parts_of(charge: ChargeShape, currency: str, meters: NameOf | None = None) -> list[str]:
    """What its price is made of, but not whom it is for."""
    found = [tier_words(tier, currency) for tier in charge.tiers]
    details: Mapping[str, Any] = charge.details
    if size := details.get("package_size"):
        found.append(_("packages of %(size)s") % {"size": number_text(size)})
    if units := details.get("allowance", {}).get("units"):
        found.append(_("%(units)s units included") % {"units": number_text(units)})
    if least := details.get("minimum"):
        found.append(_("at least %(amount)s") % {"amount": money_text(least, currency)})
    if most := details.get("maximum"):
        found.append(_("at most %(amount)s") % {"amount": money_text(most, currency)})
    if trial := details.get("trial"):
        length = length_words(Interval(Unit(trial[0]), trial[1]))
        found.append(_("free for the first %(length)s") % {"length": length})
    found += [words for part, words in _words_of_parts().items() if details.get(part)]
    if by_deck := deck_words(details.get("call")):
        found[found.index(_("rates by time of day"))] = by_deck
    measured = meter_words(details.get("meter", ""), charge.where)
    granted = granted_in(charge, currency, meters)
    return [*found, *filter(None, (measured, granted))]


def _words_of_parts() -> dict[str, str]:
    return {"ramp": _("steps over time"), "call": _("rates by time of day")}


def tier_words(tier: Mapping[str, Any], currency: str) -> str:
    """'up to 10: €5.00 + €20.00'."""
    price = money_text(tier["unit_price"], currency)
    if block := tier.get("block"):
        price = _("%(price)s each %(block)s") % {"price": price, "block": number_text(block)}
    if fee := tier.get("flat_fee"):
        price = f"{price} + {money_text(fee, currency)}"
    if up_to := tier.get("up_to"):
        return _("up to %(up_to)s: %(price)s") % {"up_to": number_text(up_to), "price": price}
    return _("above: %(price)s") % {"price": price}


def match_words(match: Mapping[str, str]) -> list[str]:
    """'bandwidth mbps = 150'."""
    return [f"{name.replace('_', ' ')} = {value}" for name, value in sorted(match.items())]
