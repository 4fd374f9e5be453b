"""Short ways to write charges, facts and drafts in tables."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor

from o2b.charging import Billed, ChargeFacts, ChargeTerms, Discount, DraftLine, Segment
from o2b.periods import FOREVER, Interval, Period

DECIMALS = {"EUR": 2, "JPY": 0, "KWD": 3}


def day(text: str) -> date:
    return date.fromisoformat(text)


def off(value: str) -> Discount:
    """`10%` is a percentage, `5` an amount, `-5` a surcharge."""
    if value.endswith("%"):
        return Discount("percent", Decimal(value[:-1]))
    return Discount("amount", Decimal(value))


def charge(price: str = "20", *, discounts: Iterable[str] = (), **changes: object) -> ChargeTerms:
    """A monthly charge per unit, in advance, on its anniversary, prorated, unless told."""
    values: dict[str, object] = {
        "key": "base",
        "kind": "recurring",
        "model": "per_unit",
        "unit_price": Decimal(price),
        "currency": "EUR",
        "interval": Interval("month", 1),
        "timing": "advance",
        "alignment": "anniversary",
        "proration": "day",
        "discounts": tuple(off(each) for each in discounts),
    } | changes
    if values["kind"] == "one_time":
        values["interval"] = None
    return ChargeTerms(**values)


def served(*spans: str) -> tuple[Segment, ...]:
    """`2026-01-01..2026-02-01 x2` or, with an open end, `2026-01-01.. x2`."""
    segments = []
    for span in spans:
        days, _, quantity = span.partition(" x")
        start, _, end = days.partition("..")
        ends_on = day(end) if end else FOREVER
        segments.append(Segment(Period(day(start), ends_on), Decimal(quantity or 1)))
    return tuple(segments)


def facts(
    terms: ChargeTerms,
    *spans: str,
    started_on: str = "",
    anchor_day: int = 1,
    through: str | None = None,
    billed: Iterable[Billed] | None = None,
    ref: int = 7,
) -> ChargeFacts:
    segments = served(*spans)
    return ChargeFacts(
        ref=ref,
        terms=terms,
        started_on=day(started_on) if started_on else segments[0].period.start,
        anchor_day=anchor_day,
        segments=segments,
        billed_through=day(through) if through else None,
        billed=None if billed is None else tuple(billed),
    )


def rows(lines: Iterable[DraftLine]) -> list[tuple[str, str, str]]:
    """What a reader of the bill sees: first day, first day outside, amount."""
    return [(str(each.period.start), str(each.period.end), str(each.amount)) for each in lines]


def bill(sums: dict[tuple[date, int], Billed], lines: Iterable[DraftLine]) -> None:
    """Book lines as a bill run would: highest revision and running sum of each key."""
    for line in lines:
        key = (line.full_period.start, line.segment)
        before = sums.get(key)
        assert line.revision == (before.revision if before else 0) + 1
        amount = line.amount + (before.amount if before else 0)
        assert amount == line.target
        sums[key] = Billed(*key, line.revision, amount, line.full_period.end)


def half_up(value: Fraction, currency: str = "EUR") -> Decimal:
    """Rounding by integers alone, to check the rounding of decimals against."""
    places = DECIMALS[currency]
    units = floor(abs(value) * 10**places + Fraction(1, 2))
    return Decimal(units if value >= 0 else -units).scaleb(-places)
