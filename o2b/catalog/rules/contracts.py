"""What makes a contract's discounts, commitments and pools sound; pure, without a database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from o2b.catalog.rules.faults import Fault
from o2b.catalog.rules.faults import gettext_noop as _
from o2b.charging.terms import LONGEST_INTERVAL, plain
from o2b.money import minor_unit
from o2b.periods import Unit

MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Off:
    """A discount: percent off what recurs, or an amount a month."""

    kind: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Commitment:
    """The least or the most for an interval; no product: of the whole account."""

    product: str
    key: str
    kind: str
    amount: Decimal
    interval_unit: str
    interval_count: int


@dataclass(frozen=True, slots=True)
class Pool:
    """Units paid for beforehand."""

    name: str
    units: Decimal
    unit: str
    price: Decimal | None
    rollover_periods: int
    expires_after_months: int | None


def faults_of_discounts(discounts: Sequence[Off], currency: str) -> Iterator[Fault]:
    """Percentages within their bounds, and amounts that can be paid in the currency."""
    for i, off in enumerate(discounts):
        at = f"discounts[{i}].value"
        if off.kind == "percent" and not -100 <= off.value <= 100:
            yield Fault(at, _("A percentage lies between -100 and 100."))
        if off.kind == "amount" and off.value % minor_unit(currency):
            facts = {"amount": plain(off.value), "currency": currency}
            yield Fault(at, _("%(amount)s cannot be paid in %(currency)s."), facts)


def faults_of_commitments(commitments: Sequence[Commitment]) -> Iterator[Fault]:
    """Positive amounts for intervals that exist, and no least above the most."""
    bounds: dict[tuple[object, ...], dict[str, Decimal]] = {}
    for i, each in enumerate(commitments):
        at = f"commitments[{i}]"
        if each.amount <= 0:
            yield Fault(f"{at}.amount", _("A commitment is more than zero."))
        if each.interval_unit not in {unit.value for unit in Unit}:
            yield Fault(f"{at}.interval_unit", _("There is no such interval."))
        if not 1 <= each.interval_count <= LONGEST_INTERVAL:
            facts = {"most": LONGEST_INTERVAL}
            yield Fault(f"{at}.interval_count", _("Between 1 and %(most)s."), facts)
        if each.key and not each.product:
            yield Fault(f"{at}.product", _("Say of which product the charge is."))
        of = (each.product, each.key, each.interval_unit, each.interval_count)
        bound = bounds.setdefault(of, {})
        bound[each.kind] = each.amount
        if bound.get("minimum", each.amount) > bound.get("maximum", each.amount):
            yield Fault(f"{at}.amount", _("The least that is billed is more than the most."))


def faults_of_pools(pools: Sequence[Pool]) -> Iterator[Fault]:
    """Pools of more than nothing, in some unit, that end some day or never."""
    for i, pool in enumerate(pools):
        at = f"pools[{i}]"
        if pool.units <= 0:
            yield Fault(f"{at}.units", _("A pool holds more than nothing."))
        if not pool.unit.strip():
            yield Fault(f"{at}.unit", _("Say of what the units are."))
        if pool.price is not None and pool.price < 0:
            yield Fault(f"{at}.price", _("A pool costs nothing or more."))
        if not 0 <= pool.rollover_periods <= MOST_MONTHS:
            facts = {"most": MOST_MONTHS}
            yield Fault(f"{at}.rollover_periods", _("At most %(most)s periods."), facts)
        if not 1 <= (pool.expires_after_months or 1) <= MOST_MONTHS:
            facts = {"most": MOST_MONTHS}
            yield Fault(f"{at}.expires_after_months", _("Between 1 and %(most)s months."), facts)
