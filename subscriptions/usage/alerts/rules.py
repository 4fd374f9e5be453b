"""Thresholds of usage: how far a charge is, which rule counts for it, what it has passed; pure."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from o2b.money import EXACT
from o2b.periods import Period
from subscriptions.usage.rules.live import Live, Running

HUNDRED = Decimal(100)
NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)


class Reading(NamedTuple):
    """How far something is, and of how much.

    With a limit thresholds are percents of it; without one they are compared with `reached`.
    """

    reached: Decimal
    limit: Decimal | None = None

    def has_passed(self, threshold: Decimal) -> bool:
        """Whether it stands at the threshold or above; exact, for nothing is divided.

        >>> Reading(Decimal(80), Decimal(100)).has_passed(Decimal(80))
        True
        """
        if self.limit is None:
            return self.reached >= threshold
        return EXACT.multiply(self.reached, HUNDRED) >= EXACT.multiply(threshold, self.limit)


@dataclass(frozen=True, slots=True)
class Watched:
    """What rules watch: a charge of a service in one of its periods.

    `account`, `item` and `meter` are rows; what is of the account as a whole has no item, and a
    name of its own as its charge. `readings` are by kind (`AlertOf`); a kind that is missing tells
    nothing. Whoever adds a kind adds its reading: a function of the period in READINGS, or a maker
    of its own beside of_live().
    """

    account: Any
    item: Any | None
    charge: str
    meter: Any | None
    period: Period
    used: Decimal
    amount: Decimal
    forecast: Decimal | None
    currency: str
    unit: str
    readings: Mapping[str, Reading]


def _of_allowance(run: Running) -> Reading | None:
    return Reading(run.used, run.available) if run.available else None


def _of_forecast(run: Running) -> Reading | None:
    if run.forecast is None or not run.available:
        return None
    return Reading(run.forecast, run.available)


def _of_amount(run: Running) -> Reading | None:
    return Reading(run.amount)


def _of_units(run: Running) -> Reading | None:
    return Reading(run.used)


# One function a kind. An allowance of no units is none: there is nothing to have a percent of.
READINGS: dict[str, Callable[[Running], Reading | None]] = {
    "allowance": _of_allowance,
    "forecast": _of_forecast,
    "amount": _of_amount,
    "units": _of_units,
}


def of_live(live: Live) -> Watched | None:
    """What live usage says of a charge; None where no period runs or nothing is measured."""
    run = live.running
    if run is None or live.meter is None:
        return None
    found = {of: read(run) for of, read in READINGS.items()}
    return Watched(
        account=live.item.account,
        item=live.item,
        charge=live.charge.key,
        meter=live.meter,
        period=run.period,
        used=run.used,
        amount=run.amount,
        forecast=run.forecast,
        currency=live.charge.currency,
        unit=live.unit,
        readings={of: reading for of, reading in found.items() if reading is not None},
    )


class PoolMonth(NamedTuple):
    """A pool in the month that runs: drawn and not covered so far, and what is left; rows first."""

    pool: Any
    meter: Any | None
    month: Period
    drawn: Decimal
    beyond: Decimal
    left: Decimal


def of_pool(seen: PoolMonth) -> Watched | None:
    """What was wanted of a pool this month, of all that it had for the month; None if it had none.

    Its charge is its number; at 100 % nothing is left.
    """
    had = EXACT.add(seen.drawn, seen.left)
    if not had or seen.meter is None:
        return None
    wanted = EXACT.add(seen.drawn, seen.beyond)
    return Watched(
        account=seen.pool.account,
        item=None,
        charge=seen.pool.number,
        meter=seen.meter,
        period=seen.month,
        used=wanted,
        amount=Decimal(0),
        forecast=None,
        currency=seen.pool.account.currency,
        unit=str(seen.meter.unit),
        readings={"pool": Reading(wanted, had)},
    )


class Rule(NamedTuple):
    """At which thresholds what is told; without `key` it is the default.

    `service` (first of its chain) and `meter` are keys, None: of every one of the account.
    """

    of: str
    thresholds: tuple[Decimal, ...]
    active: bool = True
    service: int | None = None
    meter: int | None = None
    key: int | None = None

    @property
    def rank(self) -> tuple[bool, bool, bool]:
        """The more it says, the more it counts."""
        return self.service is not None, self.meter is not None, self.key is not None


def rules_for(rules: Iterable[Rule], *, service: int | None, meter: int | None) -> dict[str, Rule]:
    """By kind the rule that counts for a service and a meter: that which says most, alone."""
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.service not in (None, service) or rule.meter not in (None, meter):
            continue
        if rule.of not in found or rule.rank > found[rule.of].rank:
            found[rule.of] = rule
    return found


class Passed(NamedTuple):
    """A threshold that was passed for the first time; told, or noted beneath a higher one."""

    threshold: Decimal
    told: bool


def passed(
    thresholds: Sequence[Decimal], reading: Reading, *, known: Collection[Decimal]
) -> list[Passed]:
    """What is passed and not known yet, the highest last.

    Only the highest is told, and only if it is above all that are known: what was told of 100 %
    says that 80 % was passed.
    """
    new = sorted(t for t in set(thresholds) if t not in known and reading.has_passed(t))
    highest = max(known, default=None)
    return [Passed(each, each == new[-1] and (highest is None or each > highest)) for each in new]


def read_thresholds(text: str) -> list[Decimal]:
    """Numbers with spaces, semicolons, or commas and spaces between; ValueError names a word.

    >>> read_thresholds("50, 80 100.5")
    [Decimal('50'), Decimal('80'), Decimal('100.5')]
    """
    words = [
        word for word in re.split(r"[;\s]+|,\s+", text.replace("%", " ").strip().strip(",")) if word
    ]
    for word in words:
        if not NUMBER.fullmatch(word):
            raise ValueError(word)
    return [Decimal(word) for word in words]
