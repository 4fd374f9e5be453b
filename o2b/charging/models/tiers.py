"""Prices by tiers: graduated, volume and stair-step, made ready once and asked often."""

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.models.blocks import cost_of_blocks
from o2b.charging.terms import Started, Tier, plain
from o2b.money import EXACT

_ZERO = Decimal(0)


class BeyondTiers(ValueError):
    """The quantity lies above the last tier, which is not without end."""

    def __init__(self, quantity: Decimal, up_to: Decimal) -> None:
        super().__init__(f"{plain(quantity)} is beyond the last tier, which ends at {plain(up_to)}")
        self.quantity = quantity
        self.up_to = up_to


class Row(NamedTuple):
    """One tier made ready: `below` is what all tiers before it cost when they are full."""

    lower: Decimal
    below: Decimal
    unit_price: Decimal
    flat_fee: Decimal
    block: Decimal | None


class TierTable:
    """Tiers made ready; boundaries are continuous and `up_to` belongs to its tier."""

    __slots__ = ("_ups", "percent", "rows", "started")

    def __init__(
        self,
        tiers: Sequence[Tier],
        started: Started = Started.WHOLE,
        *,
        percent: bool = False,
    ) -> None:
        self.started = started
        self.percent = percent
        self._ups = [tier.up_to for tier in tiers if tier.up_to is not None]
        rows: list[Row] = []
        lower = below = _ZERO
        for tier in tiers:
            unit = tier.unit_price.scaleb(-2, context=EXACT) if percent else tier.unit_price
            row = Row(lower, below, unit, tier.flat_fee, tier.block)
            rows.append(row)
            if tier.up_to is not None:
                used = self.part(row, EXACT.subtract(tier.up_to, lower))
                below = EXACT.add(EXACT.add(below, row.flat_fee), used)
                lower = tier.up_to
        self.rows = tuple(rows)

    def index(self, quantity: Decimal) -> int:
        """Which tier the quantity falls in; BeyondTiers above the last."""
        i = bisect_left(self._ups, quantity)
        if i == len(self.rows):
            raise BeyondTiers(quantity, self._ups[-1])
        return i

    def part(self, row: Row, quantity: Decimal) -> Decimal:
        """What so many units cost at a tier's price, without its flat fee."""
        if row.block is None:
            return EXACT.multiply(row.unit_price, quantity)
        return cost_of_blocks(row.unit_price, quantity, row.block, self.started)

    def graduated(self, quantity: Decimal) -> Decimal:
        """Σ over the tiers reached: flat fee + unit price × the units within the tier.

        The first tier is reached at 0 already, the others by what lies above the tier before;
        with blocks, unit price × started blocks within the tier. Sources: Lago (graduated,
        graduated percentage), OpenMeter (tiered graduated), Stripe, Kill Bill (ALL_TIERS).
        """
        row = self.rows[self.index(quantity)]
        within = EXACT.subtract(quantity, row.lower)
        own = EXACT.add(row.below, row.flat_fee)
        if row.block is None:
            return EXACT.fma(row.unit_price, within, own)
        return EXACT.add(own, self.part(row, within))

    def volume(self, quantity: Decimal, tier_quantity: Decimal | None = None) -> Decimal:
        """Flat fee + unit price × all units, by the tier that the total falls in.

        `tier_quantity` chooses the tier where another quantity is charged (prorated units).
        It may cost less to use more: a cheaper tier prices all units. Sources: Lago (volume,
        prorated too), OpenMeter (tiered volume), Stripe, Zuora, Kill Bill (TOP_TIER).
        """
        row = self.rows[self.index(quantity if tier_quantity is None else tier_quantity)]
        if row.block is None:
            return EXACT.fma(row.unit_price, quantity, row.flat_fee)
        return EXACT.add(row.flat_fee, self.part(row, quantity))

    def stairstep(self, quantity: Decimal) -> Decimal:
        """The flat fee of the tier that the total falls in. Source: Flexprice, Chargebee."""
        return self.rows[self.index(quantity)].flat_fee

    def between(self, low: Decimal, high: Decimal) -> Decimal:
        """What the units from `low` to `high` cost at their tiers' prices, without flat fees."""
        return EXACT.subtract(self._units(high), self._units(low))

    def fees(self, quantity: Decimal) -> Decimal:
        """The flat fees of all tiers that the quantity reaches; of the first at least."""
        fee = _ZERO
        for row in self.rows[: self.index(quantity) + 1]:
            fee = EXACT.add(fee, row.flat_fee)
        return fee

    def _units(self, quantity: Decimal) -> Decimal:
        return EXACT.subtract(self.graduated(quantity), self.fees(quantity))
