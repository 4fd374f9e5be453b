"""The optional parts of a charge: what is refused, and by which field."""

from decimal import Decimal

import pytest

from o2b.charging import (
    Allowance,
    CallRates,
    ChargeTerms,
    Conventions,
    EventRates,
    RampStep,
    Slot,
    TermsInvalid,
    Tier,
    Trial,
    Window,
)
from o2b.charging.terms import (
    conventions_of,
    details_of,
    tiers_of,
)
from o2b.periods import Interval, Unit
from tests.o2b.charging.build import charge, day
from tests.o2b.charging.shapes import call_rates, slot, tiers, usage

SLOT = slot("0@1/60+60")
TWO = Decimal(2)


def tiered(*told: str, **given: object) -> ChargeTerms:
    return charge("0", **{"model": "graduated", "tiers": tiers(*told)} | given)


def step(price: str = "1", **given: object) -> RampStep:
    return RampStep(Decimal(price), **given)


def stored(**document: object) -> object:
    return details_of(document)


REFUSED = [
    # tiers
    (lambda: tiered(), "tiers"),
    (lambda: charge(tiers=tiers(":1")), "tiers"),
    (lambda: tiered("10:1", "10:2", ":3"), "tiers.1.up_to"),
    (lambda: tiered("10:1", "5:2", ":3"), "tiers.1.up_to"),
    (lambda: tiered(":1", "5:2"), "tiers.1.up_to"),
    (lambda: tiered("5:1", ":1", ":2"), "tiers.2.up_to"),
    (lambda: tiered(*[f"{n}:1" for n in range(1, 202)]), "tiers"),
    (lambda: Tier(Decimal(0), TWO), "up_to"),
    (lambda: Tier(Decimal(-1), TWO), "up_to"),
    (lambda: Tier(Decimal("NaN"), TWO), "up_to"),
    (lambda: Tier(None, Decimal("Infinity")), "unit_price"),
    (lambda: Tier(None, 0.5), "unit_price"),
    (lambda: Tier(None, TWO, Decimal("1E+20")), "flat_fee"),
    (lambda: Tier(None, TWO, block=Decimal(0)), "block"),
    (lambda: tiers_of("10"), "tiers"),
    (lambda: tiers_of([{"up_to": "5"}]), "tiers.0"),
    (lambda: tiers_of([{"unit_price": "1"}, {"unit_price": 0.5}]), "tiers.1"),
    (lambda: tiers_of([{"unit_price": "1", "from": "0"}]), "tiers.0.from"),
    (lambda: tiers_of([{"unit_price": "1", "up_to": "-5"}]), "tiers.0.up_to"),
    (lambda: tiers_of([1]), "tiers.0"),
    # package
    (lambda: charge(model="package"), "package_size"),
    (lambda: charge(package_size=TWO), "package_size"),
    (lambda: charge(model="package", package_size=Decimal(0)), "package_size"),
    (lambda: charge(model="package", package_size=Decimal(-10)), "package_size"),
    (lambda: stored(package_size=10.5), "package_size"),
    (lambda: stored(package_size="ten"), "package_size"),
    # bounds
    (lambda: charge(minimum=Decimal(-1)), "minimum"),
    (lambda: charge(maximum=Decimal(-1)), "maximum"),
    (lambda: charge(minimum=TWO, maximum=Decimal(1)), "maximum"),
    # usage only
    (lambda: charge(model="percentage"), "model"),
    (lambda: charge(model="rated", call=call_rates("0@1/60+60")), "model"),
    (lambda: usage(timing="advance"), "timing"),
    (lambda: usage(interval=None), "interval"),
    # events
    (lambda: usage(event=EventRates()), "event"),
    (lambda: EventRates(fee=Decimal(-1)), "event.fee"),
    (lambda: EventRates(minimum=Decimal(-1)), "event.minimum"),
    (lambda: EventRates(maximum=Decimal(-1)), "event.maximum"),
    (lambda: EventRates(minimum=TWO, maximum=Decimal(1)), "event.maximum"),
    (lambda: EventRates(free_events=-1), "event.free_events"),
    (lambda: EventRates(free_events=True), "event.free_events"),
    (lambda: EventRates(free_amount=Decimal(-1)), "event.free_amount"),
    (lambda: stored(event={"gift": "1"}), "event.gift"),
    (lambda: stored(event={"fee": "-1"}), "event.fee"),
    (lambda: stored(event=[]), "event"),
    # calls
    (lambda: usage(model="rated"), "call"),
    (lambda: usage(call=call_rates("0@1/60+60")), "call"),
    (lambda: CallRates(()), "call.windows"),
    (lambda: CallRates((Window(60, (SLOT,)),)), "call.windows"),
    (lambda: CallRates((Window(0, (SLOT,)), Window(0, (SLOT,)))), "call.windows"),
    (lambda: CallRates(tuple(Window(m, (SLOT,)) for m in (0, 90, 60))), "call.windows"),
    (lambda: Window(1440, (SLOT,)), "call.from_minute"),
    (lambda: Window(0, (SLOT,), Decimal(-1)), "call.connect_fee"),
    (lambda: Window(0, ()), "call.slots"),
    (lambda: Window(0, (slot("60@1/60+60"),)), "call.slots"),
    (lambda: Window(0, (SLOT, slot("60@1/1+1"), slot("30@1/1+1"))), "call.slots"),
    (lambda: Slot(-1, TWO, 60, 60), "call.from_second"),
    (lambda: Slot(0, Decimal(-2), 60, 60), "call.rate"),
    (lambda: Slot(0, TWO, 0, 60), "call.per_seconds"),
    (lambda: Slot(0, TWO, 60, 0), "call.increment_seconds"),
    (lambda: stored(call=[{"from_minute": 0}]), "call"),
    (lambda: stored(call=[{"from_minute": 0, "slots": []}]), "call.slots"),
    # allowances
    (lambda: Allowance(Decimal(-1)), "allowance.units"),
    (lambda: Allowance(TWO, rollover=Decimal(-1)), "allowance.rollover"),
    (lambda: Allowance(TWO, rollover=TWO, window=3), "allowance.rollover"),
    (lambda: Allowance(TWO, window=0), "allowance.window"),
    (lambda: Allowance(TWO, window=121), "allowance.window"),
    (lambda: charge(allowance=Allowance(TWO, rollover=TWO)), "allowance"),
    (lambda: charge(allowance=Allowance(TWO, window=3)), "allowance"),
    (lambda: charge(model="flat", allowance=Allowance(TWO)), "allowance"),
    (lambda: charge(kind="one_time", allowance=Allowance(TWO)), "allowance"),
    (lambda: stored(allowance={"units": "5", "days": 3}), "allowance.days"),
    (lambda: stored(allowance={}), "allowance"),
    # ramps and trials
    (lambda: step(), "ramp"),
    (lambda: step(after_months=1, on=day("2026-01-01")), "ramp"),
    (lambda: step(after_months=0), "ramp.after_months"),
    (lambda: step(after_months=1201), "ramp.after_months"),
    (lambda: step("NaN", after_months=1), "ramp.unit_price"),
    (lambda: charge(ramp=(step(after_months=2), step(after_months=2))), "ramp"),
    (lambda: charge(ramp=(step(after_months=2), step(on=day("2026-01-01")))), "ramp"),
    (lambda: charge(ramp=(step(on=day("2026-02-01")), step(on=day("2026-01-01")))), "ramp"),
    (lambda: charge(ramp=tuple(step(after_months=n) for n in range(1, 202))), "ramp"),
    (lambda: charge(kind="one_time", ramp=(step(after_months=2),)), "ramp"),
    (lambda: tiered(":1", ramp=(step(after_months=2),)), "ramp"),
    (lambda: stored(ramp=[["2026-13-01", "5"]]), "ramp"),
    (lambda: stored(ramp=[[True, "5"]]), "ramp.after_months"),
    (lambda: Trial(Interval(Unit.MONTH, 121)), "trial.length"),
    (lambda: Trial(Interval(Unit.DAY, 3661)), "trial.length"),
    (lambda: charge(kind="one_time", trial=Trial(Interval(Unit.DAY, 14))), "trial"),
    (lambda: stored(trial=["fortnight", 1, False]), "trial"),
    # conventions
    (lambda: Conventions(day_count="lunar"), "conventions.day_count"),
    (lambda: Conventions(rounding="often"), "conventions.rounding"),
    (lambda: Conventions(started="gladly"), "conventions.started"),
    (lambda: Conventions(order="random"), "conventions.order"),
    (lambda: Conventions(fraction_places=1), "conventions.fraction_places"),
    (lambda: Conventions(fraction_places=19), "conventions.fraction_places"),
    (lambda: Conventions(last_day_billed=1), "conventions.last_day_billed"),
    (lambda: conventions_of({"moon": "full"}), "conventions"),
    (lambda: conventions_of({"rounding": "often"}), "conventions.rounding"),
    (lambda: stored(moon="full"), "moon"),
]


@pytest.mark.parametrize(("build", "field"), REFUSED)
def test_refusals_name_the_field(build, field):
    with pytest.raises(TermsInvalid) as refusal:
        build()
    assert refusal.value.field == field
    assert refusal.value.message


@pytest.mark.parametrize(
    "build",
    [
        lambda: tiered(*[f"{n}:1" for n in range(1, 201)]),
        lambda: charge(minimum=TWO, maximum=TWO),
        lambda: EventRates(minimum=TWO, maximum=TWO, free_events=100_000),
        lambda: Window(1439, (SLOT,)),
        lambda: Allowance(Decimal(0), rollover=Decimal(0)),
        lambda: Allowance(TWO, window=120),
        lambda: charge(ramp=tuple(step(after_months=n) for n in range(1, 201))),
        lambda: step(after_months=1200),
        lambda: Trial(Interval(Unit.MONTH, 120)),
        lambda: Trial(Interval(Unit.DAY, 3660)),
        lambda: (Conventions(fraction_places=2), Conventions(fraction_places=18)),
        lambda: charge(allowance=Allowance(TWO)),
    ],
)
def test_what_lies_on_a_limit_is_taken(build):
    build()
