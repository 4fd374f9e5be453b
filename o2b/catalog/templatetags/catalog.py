"""Filters of the catalog's pages: characteristics, components and codes in words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext

from o2b.catalog.models import BundleOption, ContractCommitment, Meter
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.selectors import differences, meters, rates
from o2b.catalog.selectors.granted import granted_by, granted_in
from o2b.charging import NoRate
from o2b.charging.terms import ChargeTerms
from o2b.money import quantise
from o2b.periods import Interval, Unit
from o2b.web.words import deck_words, interval_words, meter_words
from o2b.web.words import no_rate_words as words_of_no_rate

register = template.Library()


@register.filter
def spec_words(spec: Mapping[str, Any]) -> str:
    """{{ spec|spec_words }}: 'one of 100, 200, in Mbit/s, required'."""
    return differences.spec_words({**spec, "label": ""})


@register.filter
def option_words(option: BundleOption) -> str:
    """{{ option|option_words }}: '1 to 4, usually 2'."""
    return differences.option_words(option)


@register.filter
def dimension_words(each: Mapping[str, Any]) -> str:
    """{{ each|dimension_words }}: 'required, one of national, mobile'."""
    return meters.dimension_words(each)


@register.filter
def where_words(price: ChargeShape) -> str:
    """{{ price|where_words }}: 'zone national or eu'."""
    return meter_words("", price.where)


@register.filter
def charge_name(key: str) -> str:
    """{{ price.key|charge_name }}: 'Monthly fee'."""
    return rates.name_of(key)


@register.filter
def rhythm(charge: ChargeTerms) -> str:
    """{{ charge|rhythm }}: 'a month, per unit, by meter calls'; of pure terms."""
    said = [interval_words(charge.interval), rates.model_words(charge.model.value)]
    measured = meter_words(charge.meter, {each.name: each.values for each in charge.where})
    return ", ".join(filter(None, [*said, measured, deck_words(charge.call)]))


@register.filter
def no_rate_words(missing: NoRate) -> str:
    """{{ live.missing|no_rate_words }}: why a call cannot be rated."""
    return words_of_no_rate(missing)


@register.filter
def granted(charge: ChargeTerms, quantity: Decimal | None = None) -> str:
    """{{ charge|granted:quantity }}: 'brings 500 GB into the pool of Data'; of pure terms."""
    return granted_by(charge, quantity=quantity)


@register.filter
def grants_in(price: ChargeShape, meter: Meter) -> str:
    """{{ price|grants_in:meter }}: what a stored price brings into the pool of a meter."""
    grant = price.grant
    if grant is None or grant.meter != meter.code:
        return ""
    return granted_in(price, "", lambda _code: (meter.name, meter.unit))


@register.filter
def interval_of(commitment: ContractCommitment) -> str:
    """{{ commitment|interval_of }}: 'a month', 'every 3 months'."""
    unit, count = commitment.interval_unit, commitment.interval_count
    return interval_words(Interval(Unit(unit), count) if unit else None)


@register.filter
def step_words(label: str) -> str:
    """{{ step.label|step_words }}: a step of the arithmetic in the reader's language."""
    return gettext(label)


@register.filter
def rounded(amount: Decimal, currency: str) -> Decimal:
    """{{ one.after|rounded:one.currency }}: to the decimals of the currency."""
    return quantise(amount, currency)
