"""What a charge may be made of beside its unit price: tiers, discounts, allowances, steps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from o2b.charging.terms.checks import (
    TermsInvalid,
    check_count,
    check_decimal,
    check_not_negative,
    check_percent,
    check_positive,
    check_truth,
    known,
)
from o2b.charging.terms.enums import AdjustmentOrder, DayCount, DiscountKind, Started
from o2b.money import EXACT, Rounding
from o2b.periods import Interval, Unit

MOST_TIERS = 200
MOST_STEPS = 200

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Discount:
    """Off the price of a full period of the whole line; below zero it is a surcharge."""

    kind: DiscountKind
    value: Decimal

    def __post_init__(self) -> None:
        known(self, "kind", DiscountKind, "discount.kind")
        if self.kind is DiscountKind.PERCENT:
            check_percent("discount.value", self.value)
        else:
            check_decimal("discount.value", self.value)


@dataclass(frozen=True, slots=True)
class Tier:
    """Quantities up to and with `up_to` (None: without end), from where the tier before ended.

    `unit_price` is for one unit, or for each started block of `block` units; of a percentage it
    is in percent. `flat_fee` is due once the tier is reached, that of the first one always.
    """

    up_to: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal = _ZERO
    block: Decimal | None = None

    def __post_init__(self) -> None:
        if self.up_to is not None:
            check_positive("up_to", self.up_to)
        check_decimal("unit_price", self.unit_price)
        check_decimal("flat_fee", self.flat_fee)
        if self.block is not None:
            check_positive("block", self.block)

    @classmethod
    def of_fraction(
        cls, up_to: Decimal | None, fraction: Decimal, flat_fee: Decimal = _ZERO
    ) -> "Tier":
        """A tier of a percentage, told as a fraction: 0.02 is 2 percent."""
        return cls(up_to, fraction.scaleb(2, context=EXACT), flat_fee)


def tiers_of_blocks(
    blocks: Iterable[tuple[Decimal, Decimal | None, Decimal]],
) -> tuple[Tier, ...]:
    """Tiers told as (block size, most blocks, price of a block), as Kill Bill writes them.

    A tier ends where its blocks end: ten blocks of 100 after a tier up to 500 reach to 1,500.
    """
    found: list[Tier] = []
    end = _ZERO
    for size, most, price in blocks:
        up_to = None
        if most is not None:
            up_to = end = EXACT.fma(size, most, end)
        found.append(Tier(up_to, price, block=size))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class EventRates:
    """What model percentage charges for each event beside its share of the value.

    `fee` is for every event that is not wholly free, `minimum` and `maximum` bound what one event
    costs, its fee included. The first `free_events` are free, up to `free_amount` of value; where
    only one of the two is set it decides alone. Source: Lago, percentage charges.
    """

    fee: Decimal = _ZERO
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    free_events: int = 0
    free_amount: Decimal = _ZERO

    def __post_init__(self) -> None:
        check_not_negative("event.fee", self.fee)
        if self.minimum is not None:
            check_not_negative("event.minimum", self.minimum)
        if self.maximum is not None:
            check_not_negative("event.maximum", self.maximum)
            if self.minimum is not None and self.maximum < self.minimum:
                raise TermsInvalid("event.maximum", "below the minimum")
        check_count("event.free_events", self.free_events)
        check_not_negative("event.free_amount", self.free_amount)


@dataclass(frozen=True, slots=True)
class Slot:
    """From a second of the call on: `rate` for each `per_seconds`, in started increments."""

    from_second: int
    rate: Decimal
    per_seconds: int
    increment_seconds: int

    def __post_init__(self) -> None:
        check_count("call.from_second", self.from_second, most=10_000_000)
        check_not_negative("call.rate", self.rate)
        check_count("call.per_seconds", self.per_seconds, least=1, most=10_000_000)
        check_count("call.increment_seconds", self.increment_seconds, least=1, most=10_000_000)


@dataclass(frozen=True, slots=True)
class Window:
    """The rates from a minute of the day on ("18:00" is 1080), until the next window's.

    `connect_fee` is due once a call, by the window it begins in.
    """

    from_minute: int
    slots: tuple[Slot, ...]
    connect_fee: Decimal = _ZERO

    def __post_init__(self) -> None:
        check_count("call.from_minute", self.from_minute, most=1439)
        check_not_negative("call.connect_fee", self.connect_fee)
        if not self.slots or self.slots[0].from_second != 0:
            raise TermsInvalid("call.slots", "the first slot begins at second 0")
        starts = [slot.from_second for slot in self.slots]
        if starts != sorted(set(starts)):
            raise TermsInvalid("call.slots", "slots begin one after the other")

    @classmethod
    def from_time(
        cls, begins: time, slots: tuple[Slot, ...], connect_fee: Decimal = _ZERO
    ) -> "Window":
        """A window told by the clock.

        >>> Window.from_time(time(18, 30), (Slot(0, Decimal(1), 60, 1),)).from_minute
        1110
        """
        return cls(begins.hour * 60 + begins.minute, slots, connect_fee)


@dataclass(frozen=True, slots=True)
class CallRates:
    """Prices of calls: windows of the day in order, the first from midnight."""

    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        if not self.windows or self.windows[0].from_minute != 0:
            raise TermsInvalid("call.windows", "the first window begins at 00:00")
        starts = [window.from_minute for window in self.windows]
        if starts != sorted(set(starts)):
            raise TermsInvalid("call.windows", "windows begin one after the other")


@dataclass(frozen=True, slots=True)
class Allowance:
    """Units that cost nothing in each full period, taken off before the price is asked.

    `rollover` is the most that unused units may carry into the next period (None: nothing is
    carried), `window` the number of periods whose allowance is one pool, settled as it is used
    up. `prorated`: a period served in part includes its share. `per_unit`: for each unit of the
    line's quantity. Sources: Zuora (overage, rollover), AT&T (rollover), Salesforce (grants).
    """

    units: Decimal
    rollover: Decimal | None = None
    window: int = 1
    prorated: bool = False
    per_unit: bool = False

    def __post_init__(self) -> None:
        check_not_negative("allowance.units", self.units)
        if self.rollover is not None:
            check_not_negative("allowance.rollover", self.rollover)
            if self.window > 1:
                raise TermsInvalid("allowance.rollover", "a window's pool does not roll over")
        check_count("allowance.window", self.window, least=1, most=120)
        check_truth("allowance.prorated", self.prorated)
        check_truth("allowance.per_unit", self.per_unit)


@dataclass(frozen=True, slots=True)
class RampStep:
    """From a day on, told by date or by months since the start, another unit price."""

    unit_price: Decimal
    after_months: int | None = None
    on: date | None = None

    def __post_init__(self) -> None:
        check_decimal("ramp.unit_price", self.unit_price)
        if (self.after_months is None) == (self.on is None):
            raise TermsInvalid("ramp", "a step names either its day or its months")
        if self.after_months is not None:
            check_count("ramp.after_months", self.after_months, least=1, most=1200)


@dataclass(frozen=True, slots=True)
class Trial:
    """Days or months from the start that cost nothing.

    With `moves_anchor` full periods are counted from its end (Kill Bill), else from the start
    (Lago).
    """

    length: Interval
    moves_anchor: bool = False

    def __post_init__(self) -> None:
        longest = 120 if self.length.unit in (Unit.MONTH, Unit.YEAR) else 3660
        check_count("trial.length", self.length.count, least=1, most=longest)
        check_truth("trial.moves_anchor", self.moves_anchor)


@dataclass(frozen=True, slots=True)
class Conventions:
    """How peers differ, as settings of a price or of the legal entity that bills.

    `fraction_places` rounds the share of a period, half up, before it is multiplied (Kill Bill 9,
    Salesforce 6; None: multiply first and round once). `last_day_billed`: the day on which
    service ends is billed too (Lago).
    """

    day_count: DayCount = DayCount.ACTUAL
    fraction_places: int | None = None
    rounding: Rounding = Rounding.HALF_UP
    last_day_billed: bool = False
    started: Started = Started.WHOLE
    order: AdjustmentOrder = AdjustmentOrder.DISCOUNT_FIRST

    def __post_init__(self) -> None:
        known(self, "day_count", DayCount, "conventions.day_count")
        known(self, "rounding", Rounding, "conventions.rounding")
        known(self, "started", Started, "conventions.started")
        known(self, "order", AdjustmentOrder, "conventions.order")
        if self.fraction_places is not None:
            check_count("conventions.fraction_places", self.fraction_places, least=2, most=18)
        check_truth("conventions.last_day_billed", self.last_day_billed)


DEFAULT_CONVENTIONS = Conventions()


def check_tiers(tiers: tuple[Tier, ...]) -> None:
    """Tiers follow each other; only the last may be without end."""
    if len(tiers) > MOST_TIERS:
        raise TermsInvalid("tiers", f"at most {MOST_TIERS} tiers")
    before = _ZERO
    for i, tier in enumerate(tiers):
        if tier.up_to is None:
            if i != len(tiers) - 1:
                raise TermsInvalid(f"tiers.{i + 1}.up_to", "a tier after the one without end")
            continue
        if tier.up_to <= before:
            raise TermsInvalid(f"tiers.{i}.up_to", "tiers ascend: not above the tier before")
        before = tier.up_to


def check_ramp(steps: tuple[RampStep, ...]) -> None:
    """Steps are told in one way, each after the one before."""
    if len(steps) > MOST_STEPS:
        raise TermsInvalid("ramp", f"at most {MOST_STEPS} steps")
    days = [step.on for step in steps if step.on is not None]
    months = [step.after_months for step in steps if step.after_months is not None]
    if days and months:
        raise TermsInvalid("ramp", "steps by date and by months do not mix")
    if days != sorted(set(days)) or months != sorted(set(months)):
        raise TermsInvalid("ramp", "each step comes after the one before")
