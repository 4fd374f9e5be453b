"""Short ways to write the parts of prices in tables: tiers, events, call rates, conventions."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from o2b.charging import CallRates, ChargeTerms, Conventions, EventRates, Slot, Tier, Window
from o2b.charging.usage import Event
from tests.o2b.charging.build import charge


def fitting(model: str, shape: tuple[Tier, ...]) -> tuple[Tier, ...]:
    """The tiers as a model may have them: a step has only its flat fee."""
    if model != "stairstep":
        return shape
    return tuple(Tier(tier.up_to, Decimal(0), tier.flat_fee) for tier in shape)


def tiers(*told: str) -> tuple[Tier, ...]:
    """`10:5+2`: up to 10 at 5 each and 2 flat; `:5` has no end."""
    found = []
    for each in told:
        end, cost = each.split(":")
        unit, _, fee = cost.partition("+")
        found.append(Tier(Decimal(end) if end else None, Decimal(unit), Decimal(fee or 0)))
    return tuple(found)


def conventions(**given: Any) -> dict[str, Conventions]:
    """As an argument of `charge`."""
    return {"conventions": Conventions(**given)}


def usage(price: str = "0", **given: Any) -> ChargeTerms:
    """A monthly charge of usage."""
    return charge(price, **{"kind": "usage", "timing": "arrears"} | given)


def percentage(percent: str, **rates: Any) -> ChargeTerms:
    """Percent of each event by its rates; decimals may be told as text."""
    told = {k: Decimal(v) if isinstance(v, str) else v for k, v in rates.items()}
    return usage(percent, model="percentage", event=EventRates(**told))


def events(*values: str) -> tuple[Event, ...]:
    return tuple(Event(Decimal(value)) for value in values)


def slot(text: str) -> Slot:
    """`60@0.2/60+10`: from second 60 at 0.2 for 60 seconds, in increments of 10."""
    start, rest = text.split("@")
    rate, rest = rest.split("/")
    per, step = rest.split("+")
    return Slot(int(start), Decimal(rate), int(per), int(step))


def call_rates(*told: str, connect: str = "0") -> CallRates:
    """One window of the whole day."""
    return CallRates((Window(0, tuple(map(slot, told)), Decimal(connect)),))


def windows(told: Mapping[str, tuple[str, str]]) -> CallRates:
    """Windows by their first minute "HH:MM": (slot, connect fee)."""
    return CallRates(
        tuple(
            Window(int(at[:2]) * 60 + int(at[3:]), (slot(text),), Decimal(fee))
            for at, (text, fee) in told.items()
        )
    )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)
