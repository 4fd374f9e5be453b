"""How long a million calls take to rate by a deck, beside a bare join that knows each prefix."""

import gc
import random
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from io import StringIO
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.core.management.base import CommandError
from django.db import connection

from billing.desk.usagebench.world import AT, START
from o2b.catalog.selectors.decks import decks_in_force, prefix_table
from o2b.catalog.services.decks import add_deck, fill_version, publish_version
from o2b.charging import ChargeTerms, DeckRate, DeckRates, event_of, price
from o2b.charging.terms import Alignment, Kind, Model, Proration, Timing
from o2b.periods import Interval, Unit

CODE, ROUNDS, AT_ONCE, CALLS_A_CHARGE = "bench", 3, 10_000, 100
INCREMENTS = ((1, 1), (60, 1), (60, 60), (30, 6))
LONGEST = 7  # digits of the longest prefix, which totals keep
DAY = date(2025, 1, 15)
ZERO = Decimal(0)

CALLS = """
CREATE UNLOGGED TABLE bench_call (charge_id INT, number TEXT, prefix TEXT, seconds NUMERIC)
"""
# The yardstick is told the prefix: it looks for none, and neither rounds nor multiplies.
BARE = """
SELECT charge_id, seconds, rate, connect_fee, first_seconds, next_seconds
    FROM bench_call JOIN catalog_deckrate AS rate USING (prefix) WHERE rate.version_id = %s
"""
OURS = "SELECT charge_id, number, seconds FROM bench_call ORDER BY charge_id"
SUM = """
SELECT count(*), sum(connect_fee + rate / 60 * (first_seconds + next_seconds
        * ceil(greatest(seconds - first_seconds, 0) / next_seconds)))
    FROM bench_call JOIN catalog_deckrate AS rate USING (prefix) WHERE rate.version_id = %s
"""


def measure(*, calls: int, prefixes: int) -> dict[str, Any]:
    """Seconds of both sides, from a million rows in Postgres to each charge's amount in Python.

    Ours reads calls and finds the longest prefix of each, rounds by its increments and sums; the
    bare join reads each call with the columns of its rate. What a join costs that hands nothing
    over (`deck_sum_seconds`) is told beside them.
    """
    chance = random.Random(prefixes)
    version_id, loaded = _deck(chance, prefixes)
    _calls(chance, calls, version_id)
    sides: dict[str, list[float]] = {"bare": [], "ours": [], "sum": []}
    total = Decimal(0)
    for turn in range(ROUNDS + 1):
        took_bare, _ = _timed(lambda: sum(1 for _ in _read(BARE, [version_id])))
        took_ours, total = _timed(_rate_all)
        took_sum, (told,) = _timed(lambda: list(_read(SUM, [version_id])))
        if turn:  # the first round warms both up
            for name, took in (("bare", took_bare), ("ours", took_ours), ("sum", took_sum)):
                sides[name].append(took)
    count, amount = told
    if count != calls or abs(amount - total) > Decimal("0.000001"):
        raise CommandError(f"rated {total}, the calls cost {amount} ({count} of {calls}).")
    middle = {name: sorted(took)[len(took) // 2] for name, took in sides.items()}
    return {
        "deck_calls": calls,
        "deck_prefixes": prefixes,
        "deck_load_seconds": round(loaded, 2),
        "deck_seconds": round(middle["ours"], 2),
        "deck_join_seconds": round(middle["bare"], 2),
        "deck_sum_seconds": round(middle["sum"], 2),
        "deck_ratio_to_join": round(middle["ours"] / middle["bare"], 2),
    }


def _deck(chance: random.Random, count: int) -> tuple[int, float]:
    """A published deck of prefixes of 1 to 7 digits, most of them long; and how long that took."""
    known = [str(n) for n in range(1, 10)]
    seen = set(known)
    while len(known) < count:
        digits = chance.choice((3, 4, 5, 5, 6, 6, 7, 7))
        prefix = str(chance.randrange(10 ** (digits - 1), 10**digits))
        if prefix not in seen:
            seen.add(prefix)
            known.append(prefix)
    rates = []
    for prefix in known[:count]:
        first, then = chance.choice(INCREMENTS)
        rate = Decimal(chance.randrange(1, 900_000)).scaleb(-6)
        fee = Decimal(chance.choice((0, 0, 5))).scaleb(-2)
        rates.append(DeckRate(rate, 60, fee, first, then, prefix, f"Destination {prefix}"))
    began = time.perf_counter()
    deck = add_deck(code=CODE, name=CODE, currency="EUR", by=None, at=AT, starts_on=START)
    version = deck.versions.get()
    fill_version(version_id=version.pk, rates=rates, by=None, at=AT)
    publish_version(version_id=version.pk, at=AT)
    return version.pk, time.perf_counter() - began


def _calls(chance: random.Random, count: int, version_id: int) -> None:
    """Calls evenly over the prefixes; their numbers as ingest cuts them."""
    table = prefix_table(version_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT prefix FROM catalog_deckrate WHERE version_id = %s", [version_id])
        prefixes = [prefix for (prefix,) in cursor.fetchall()]
        cursor.execute(CALLS)
        lines = StringIO()
        for n in range(count):
            number = f"{chance.choice(prefixes)}{chance.randrange(10**7):07}"[:LONGEST]
            found = table.find(number)
            assert found is not None
            lines.write(f"{n // CALLS_A_CHARGE}\t{number}\t{found.prefix}\t")
            lines.write(f"{chance.randrange(1, 1800)}\n")
        lines.seek(0)
        cursor.copy_expert("COPY bench_call FROM STDIN", lines)
        cursor.execute("CREATE INDEX ON bench_call (charge_id)")  # as totals have one by service
        cursor.execute("VACUUM ANALYZE bench_call")
        cursor.execute("VACUUM ANALYZE catalog_deckrate")
        cursor.execute("SET jit = off")


def _rate_all() -> Decimal:
    """What every charge costs, summed: as drafting prices a period of calls."""
    rate = decks_in_force([CODE])[CODE].rate
    terms = ChargeTerms(
        key="calls",
        kind=Kind.USAGE,
        model=Model.RATED,
        unit_price=Decimal(0),
        currency="EUR",
        interval=Interval(Unit.MONTH),
        timing=Timing.ARREARS,
        alignment=Alignment.CALENDAR,
        proration=Proration.DAY,
        call=DeckRates(CODE, "to"),
    )
    total = Decimal(0)
    for _charge, calls in groupby(_read(OURS, []), itemgetter(0)):
        events = [
            event_of((seconds, None, rate(number, DAY), ZERO)) for _, number, seconds in calls
        ]
        total += price(terms, Decimal(len(events)), events)
    return total


def _read(question: str, values: list[Any]) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        while rows := cursor.fetchmany(AT_ONCE):
            yield from rows


def _timed(run: Any) -> tuple[float, Any]:
    """How long it took, and what came of it; without looking for cycles, as a bill run is."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        found = run()
        return time.perf_counter() - began, found
    finally:
        gc.enable()
