"""A service that goes on under other prices is billed what is owed, whenever it is looked at."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.explaining.rules.again import Inputs, re_execute
from billing.rules.basis import basis_text
from billing.rules.metering import stored_quantity
from o2b.charging import (
    Billed,
    ChargeFacts,
    ChargeTerms,
    DraftLine,
    Segment,
    compile_charge,
    draft_and_mark,
)
from o2b.charging.begun import Had, begun_by
from o2b.periods import FOREVER, Period
from tests.o2b.charging.build import bill, charge
from tests.o2b.charging.owed import (
    Stood,
    Way,
    by_volume,
    days_of,
    graduated,
    months,
    owed,
    per_unit,
)
from tests.o2b.charging.shapes import tiers

CLOSE = Fraction(1, 10**6)
START, END = date(2026, 1, 1), date(2026, 3, 1)
UNITS = {
    # name: the price by hand, the terms
    "31 a unit": (per_unit("31"), charge("31")),
    "32.50 a unit": (per_unit("32.50"), charge("32.50")),
    "19.99, 10 % off": (per_unit("19.99", off="10"), charge("19.99", discounts=["10%"])),
    "gives 7.77 a unit": (per_unit("-7.77"), charge("-7.77")),
}
TIERED = {
    "two at 40, more at 10": (
        graduated((2, "40"), (None, "10")),
        charge("0", model="graduated", tiers=tiers("2:40", ":10")),
    ),
    "up to three at 30, all at 15": (
        by_volume((3, "30"), (None, "15")),
        charge("0", model="volume", tiers=tiers("3:30", ":15")),
    ),
}
DEARER = {name: UNITS[name] for name in ("31 a unit", "32.50 a unit", "19.99, 10 % off")}
BOUNDS = [{}, {}, {}, {"minimum": Decimal(50)}, {"maximum": Decimal(90)}]


class Told(NamedTuple):
    """A change that is known from a day on: late, early or on its own."""

    known_on: date
    stood: Stood


class Chain(NamedTuple):
    ways: tuple[Way, ...]
    terms: tuple[ChargeTerms, ...]
    told: tuple[Told, ...]
    runs: tuple[date, ...]

    def known(self, on: date) -> list[Stood]:
        return [each.stood for each in self.told if each.known_on <= on]


@st.composite
def chains(draw: Any, shapes: Any = UNITS | TIERED, *, late: bool = True) -> Chain:
    """Two to four prices of one service, in any order and back again, billed at any cadence."""
    ways, terms = [], []
    for _ in range(draw(st.integers(2, 4))):
        by_hand, made = shapes[draw(st.sampled_from(sorted(shapes)))]
        how = draw(st.sampled_from(["none", "full", "day"]))
        plain = late and made.unit_price >= 0 and not made.discounts
        bounds: dict[str, Decimal] = draw(st.sampled_from(BOUNDS)) if plain else {}
        limits = [Fraction(bounds[k]) if k in bounds else None for k in ("minimum", "maximum")]
        ways.append(Way(by_hand, how, *limits))
        timing = draw(st.sampled_from(["advance", "advance", "arrears"]))
        terms.append(replace(made, proration=how, timing=timing, **bounds))
    steps = draw(st.lists(st.integers(1, 58), min_size=1, max_size=6, unique=True))
    parts = sorted(Fraction(each, 4) for each in draw(st.sets(st.sampled_from([1, 2, 4]))))
    told: list[Told] = []
    delivered = parts[0] if parts else Fraction(1)
    for step in [0, *sorted(steps)]:
        way = draw(st.sampled_from(range(len(ways)))) if step else 0
        units = Fraction(draw(st.integers(1, 6)))
        if step:
            delivered = max(delivered, draw(st.sampled_from([*parts, Fraction(1)])))
        on = START + timedelta(days=step)
        lag = draw(st.sampled_from([0, 0, 0, -5, 9])) if step and late else 0
        told.append(Told(on + timedelta(days=lag), Stood(on, way, units, delivered)))
    cadence = draw(st.sampled_from(["daily", "once", "some"]))
    runs = [START + timedelta(days=n) for n in range((END - START).days)]
    if cadence != "daily":
        some = st.lists(st.sampled_from(runs), max_size=6 if cadence == "some" else 0, unique=True)
        runs = sorted(draw(some))
    return Chain(tuple(ways), tuple(terms), tuple(told), (*runs, END + timedelta(days=14)))


def facts_of(stood: Sequence[Stood], terms: Sequence[ChargeTerms]) -> list[ChargeFacts]:
    """Each charge as the selectors tell it: its own days, and what the others had."""
    ends = [each.on for each in stood[1:]] + [FOREVER]
    own: dict[int, list[Segment]] = defaultdict(list)
    had: list[Had[int]] = []
    for each, end in zip(stood, ends, strict=True):
        days, units, part = Period(each.on, end), as_decimal(each.units), as_decimal(each.delivered)
        own[each.way].append(Segment(days, units, end == FOREVER, part))
        whole = terms[each.way].proration != "day"
        had.append(Had(each.way, each.way, days, units, whole, True, part))
    begun = begun_by([had])
    return [
        ChargeFacts(
            n, compile_charge(terms[n]), START, 1, tuple(segments), None, (), begun=begun.get(n, ())
        )
        for n, segments in own.items()
    ]


def as_decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def billed(chain: Chain) -> tuple[dict[tuple[int, date], Fraction], list[DraftLine]]:
    """What all runs billed, by charge and month; each line is computed again from its basis."""
    sums: dict[int, dict[tuple[date, int], Billed]] = defaultdict(dict)
    through: dict[int, date | None] = {}
    found: list[DraftLine] = []
    for run in chain.runs:
        facts = {each.ref: each for each in facts_of(chain.known(run), chain.terms)}
        for ref in sums.keys() - facts.keys():  # a price of which no day is left
            facts[ref] = ChargeFacts(ref, compile_charge(chain.terms[ref]), START, 1, (), None, ())
        for ref, each in facts.items():
            known = each._replace(billed=tuple(sums[ref].values()), billed_through=through.get(ref))
            lines, (through[ref], _) = draft_and_mark(known, until=run)
            for line in lines:
                told_again(chain.terms[ref], line, sums[ref])
            bill(sums[ref], lines)
            found += lines
    totals: dict[tuple[int, date], Fraction] = defaultdict(Fraction)
    for ref, rows in sums.items():
        for (first, _), row in rows.items():
            totals[ref, first] += Fraction(row.amount)
    return {key: amount for key, amount in totals.items() if amount}, found


def told_again(terms: ChargeTerms, line: DraftLine, sums: dict[tuple[date, int], Billed]) -> None:
    """Its row and basis alone give its amount, and each step is what its words say."""
    before = sums.get((line.full_period.start, line.segment))
    row = Inputs(
        line.period,
        line.full_period,
        line.segment,
        line.revision,
        stored_quantity(line.quantity),
        START,
        before.amount if before else Decimal(0),
    )
    basis = json.loads(basis_text(line.basis, terms)) if line.basis else None
    again = re_execute(terms, row, basis)
    assert (again.amount, again.target, again.agrees) == (line.amount, line.target, True), (
        line,
        again,
    )
    assert again.steps[-1].result == line.amount
    for step in again.steps:
        if step.label in ("delivered", "paid already", "days", "sum", "pieces before"):
            assert abs(value_of(step.arithmetic) - Fraction(step.result)) < CLOSE, step


def value_of(words: str) -> Fraction:
    """The number that the words of a step stand for; of a quotient twelve places are told."""
    sums = words.replace("×", "*").replace("−", "-").replace("…", "")
    numbers = re.sub(r"[0-9.]+", lambda found: f"F('{found[0]}')", sums)
    return Fraction(eval(numbers, {"F": Fraction, "max": max, "min": min}))


@settings(deadline=None, max_examples=100)
@given(chains())
def test_whenever_it_is_looked_at_what_is_owed_is_billed(chain: Chain) -> None:
    found, _ = billed(chain)
    wanted = owed(chain.known(chain.runs[-1]), chain.ways, until=END)
    assert {k: v for k, v in found.items() if k[1] < END} == {k: v for k, v in wanted.items() if v}


@settings(deadline=None, max_examples=60)
@given(chains(DEARER, late=False))
def test_what_is_paid_whole_is_never_more_than_the_most_at_the_dearest_price(chain: Chain) -> None:
    """And nothing of it is given back; what is paid by the day comes on top."""
    found, lines = billed(chain)
    stood, ways = chain.known(END), chain.ways
    dearest = max(way.of((Fraction(1), Fraction(1))) for way in ways)
    for first, after in months(START, END):
        days = days_of(stood, first, after)
        there = {
            whole: [each for each in days if (ways[each.way].proration != "day") is whole]
            for whole in (True, False)
        }
        most = max((prod(each.there) for each in there[True]), default=Fraction(0))
        by_day = sum(prod(each.there) * (each.end - each.first).days for each in there[False])
        cents = Fraction(len(days), 100)
        paid = sum(amount for (_, month), amount in found.items() if month == first)
        assert paid <= dearest * (most + Fraction(by_day) / (after - first).days) + cents
    for line in lines:
        if chain.terms[line.ref].proration != "day":
            assert line.amount >= 0
