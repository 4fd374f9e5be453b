"""What coupons and minimums should have given in all, from what is known now.

Coupons come in the order in which they were granted, each on what those before it left. A
percentage is taken off each charge's period and rounded there; a fixed amount is shared over all
charges' periods that begin in one period of the coupon, in whole minor units, and takes at most
what they are. Sources: Lago (applied coupons), Polar (allocation of a fixed discount).
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
from o2b.money import EXACT, minor_units, sum_of
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
        turns.setdefault(coupon.turn(base.period_start), []).append(base)
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
    net: Sequence[tuple[date, Decimal]],
    *,
    until: date,
    currency: str,
) -> dict[Key, Target]:
    """What each minimum asks for in each of its periods that is over; `net` by day of period.

    Billed for a period is what begins in it, less discounts. One that holds in part is over when
    the part is.
    """
    found: dict[Key, Target] = {}
    for each in minimums:
        if each.currency != currency:
            continue
        for part, full in periods_of(each, until=until):
            share = Fraction(part.days, full.days) if each.prorated else Fraction(1)
            billed = sum_of(amount for day, amount in net if part.contains(day))
            asked = true_up(each.minimum, billed, share=share, currency=currency)
            basis = {"billed": f"{billed:f}", "days": part.days, "of_days": full.days}
            found[MINIMUM, each.id, None, part.start] = Target(asked, part.end, basis)
    return found


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
