"""What coupons and minimums should have given in all, from what is known now.

Coupons come in the order in which they were granted, each on what those before it left. A
percentage is taken off each charge's period and rounded there; a fixed amount is shared over all
charges' periods whose service begins in one period of the coupon, in whole minor units, and takes
at most what they are. Sources: Lago (applied coupons), Polar (allocation of a fixed discount).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

from billing.adjustments.rules.facts import Base, CouponFacts, Key, MinimumFacts
from billing.rules.adjustments import COUPON, MINIMUM
from o2b.charging import Discount, DiscountKind
from o2b.charging.allocation import allocate_discount, stack
from o2b.charging.commitments import true_up
from o2b.money import EXACT, minor_units, quantise, sum_of, to_decimal
from o2b.periods import FOREVER, Period, add_months

_ZERO = Decimal(0)


class Target(NamedTuple):
    """What should be given in all (a discount below zero), and from what that is computed."""

    amount: Decimal
    period_end: date
    basis: Mapping[str, Any]


def discounts(
    coupons: Sequence[CouponFacts], bases: Iterable[Base], currency: str
) -> dict[Key, Target]:
    """What each coupon takes off each charge's period; one of another currency takes nothing."""
    left = {each: max(each.amount, _ZERO) for each in sorted(bases)}
    found: dict[Key, Target] = {}
    for coupon in coupons:
        if coupon.currency not in ("", currency):
            continue
        own = [base for base in left if left[base] and coupon.counts(base)]
        shares = _percent if coupon.kind == DiscountKind.PERCENT else _fixed
        for base, taken, basis in shares(coupon, own, left, currency):
            left[base] = EXACT.subtract(left[base], taken)
            if taken:
                key = (COUPON, coupon.grant, base.charge, base.period_start)
                found[key] = Target(-taken, base.period_end, basis)
    return found


_Taken = Iterator[tuple[Base, Decimal, dict[str, Any]]]


def _percent(
    coupon: CouponFacts, own: Sequence[Base], left: Mapping[Base, Decimal], currency: str
) -> _Taken:
    discount = Discount(DiscountKind.PERCENT, coupon.value)
    for base in own:
        taken = stack(left[base], [discount], currency=currency).discount
        yield base, taken, {"left": f"{left[base]:f}"}


def _fixed(
    coupon: CouponFacts, own: Sequence[Base], left: Mapping[Base, Decimal], currency: str
) -> _Taken:
    turns: dict[int, list[Base]] = {}
    for base in own:
        turns.setdefault(coupon.turn(base.begins), []).append(base)
    for members in turns.values():
        lines = [left[base] for base in members]
        total = sum_of(lines)
        whole, of = min(coupon.value, total), f"{total:f}"
        for base, line, taken in zip(
            members, lines, allocate_discount(coupon.value, lines, currency).shares, strict=True
        ):
            more = minor_units(taken, currency) - floor(
                Fraction(minor_units(whole, currency)) * Fraction(line) / Fraction(total)
            )
            yield base, taken, {"left": f"{line:f}", "of": of, "more": more}


def true_ups(
    minimums: Iterable[MinimumFacts],
    spent: Sequence[tuple[Base, Decimal]],
    *,
    until: date,
    currency: str,
) -> dict[Key, Target]:
    """What each minimum asks for in each of its periods that is over; `spent` with discounts.

    Billed for a period is that of which service begins in it, less discounts. One that holds in
    part is over when the part is, and none before its last day is over where the account lives.
    """
    found: dict[Key, Target] = {}
    for each in minimums:
        if each.currency != currency:
            continue
        for part, full in periods_of(each, until=min(until, each.today)):
            share = Fraction(part.days, full.days) if each.prorated else Fraction(1)
            billed = billed_for(part, spent, since=each.starts, currency=currency)
            asked = true_up(each.minimum, billed, share=share, currency=currency)
            basis = {"billed": f"{billed:f}", "days": part.days, "of_days": full.days}
            found[MINIMUM, each.id, None, part.start] = Target(asked, part.end, basis)
    return found


def billed_for(
    part: Period, spent: Iterable[tuple[Base, Decimal]], *, since: date, currency: str
) -> Decimal:
    """The net of what begins to be served in a part of a minimum that holds `since` a day.

    What was in service by then counts from that day on, with its share of days; all shares
    together are rounded once.
    """
    whole, shares = _ZERO, Fraction(0)
    for base, off in spent:
        if not part.contains(max(base.begins, since)):
            continue
        if base.begins >= since:
            whole = EXACT.add(whole, EXACT.add(base.amount, off))
        else:
            shares += _share_from(since, base, off)
    if not shares:
        return whole
    return quantise(to_decimal(Fraction(whole) + shares), currency)


def _share_from(day: date, base: Base, off: Decimal) -> Fraction:
    """The share of the days from one on, discounts in proportion."""
    share = Fraction(0)
    for each in base.served:
        days = (each.to - max(each.since, day)).days
        share += Fraction(each.amount) * max(days, 0) / (each.to - each.since).days
    return share * (1 + Fraction(off) / Fraction(base.amount)) if off else share


def waits(key: Key, minimums: Iterable[MinimumFacts], *, until: date) -> bool:
    """Whether a true-up is of a part that is not over for this run: what was given stays so."""
    kind, source, _, start = key
    for each in minimums:
        if kind == MINIMUM and each.id == source:
            parts = (part for part, _ in periods_of(each, until=FOREVER))
            own = next((part for part in parts if part.start >= start), None)
            return own is not None and own.start == start and own.end > min(until, each.today)
    return False


def periods_of(each: MinimumFacts, *, until: date) -> Iterator[tuple[Period, Period]]:
    """The days that a minimum holds of each period that is over on a day, and that period.

    >>> since = date(2026, 2, 4)
    >>> held = MinimumFacts(1, Decimal(9), "EUR", 3, True, True, since, date.max, "", "")
    >>> [(str(a), str(b)) for a, b in periods_of(held, until=date(2026, 5, 1))]
    [('[2026-02-04, 2026-04-01)', '[2026-01-01, 2026-04-01)')]
    """
    first = each.starts
    if each.calendar:
        first = date(first.year, (first.month - 1) // each.months * each.months + 1, 1)
    anchor, n = first.day, 0
    while True:
        start = add_months(first, n * each.months, anchor)
        end = add_months(first, (n + 1) * each.months, anchor)
        part_end = min(end, each.ends)
        if part_end > until or each.ends <= max(start, each.starts) or end == FOREVER:
            return
        yield Period(max(start, each.starts), part_end), Period(start, end)
        n += 1
