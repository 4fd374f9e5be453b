"""usage.allowance_overage and usage.rollover: units that cost nothing, and those beyond them."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from o2b.charging import (
    Alignment,
    Allowance,
    ChargeTerms,
    Kind,
    Model,
    Timing,
    price,
    progressive,
)
from o2b.charging.allowances import (
    ChargeAt,
    Part,
    PoolPeriod,
    Settled,
    beyond,
    included_units,
    settle,
    settle_window,
)
from o2b.charging.daycount import Ratio
from o2b.charging.usage import Used
from o2b.money import sum_of
from o2b.periods import Interval, Unit, boundaries
from tests.cases.adapter import words
from tests.cases.adapter.selling import (
    NOTHING,
    ONE,
    as_usage,
    in_slices,
    net,
    served,
    since_day_one,
    terms,
    tiers_of,
)
from tests.cases.asking import Answers, Asked, Charge, Drafts, Lines, Pure
from tests.cases.reading import CaseInput, Keys, Unknown

FAR_MORE = Decimal("1e6")  # than any case has included
SEEN_NEXT_MONTH = frozenset({"rollover", "next_month_available", "next_period_available"})
UNBOUND = Decimal("1e9")  # the most units carried on: the cases tell no limit


def overage(case: CaseInput) -> Asked:
    """What is included, prorated or pooled, and what goes beyond it."""
    given = case.given
    if given.has("window_months"):
        return _window(given)
    if given.has("grant_per_unit"):
        return _grants(given)
    if given.has("active_days"):
        return _of_days(given)
    if given.has("charge_from"):
        return _days_charged(case)
    if given.has("prepaid_units"):
        return _beyond(given, given.decimal("prepaid_units"), given.decimal("used"))
    return _free_units(given)


def _of_days(given: Keys) -> Asked:
    """What is included in some days of a period: far more is used in them."""
    active, period = given.integer("active_days"), given.integer("period_days")
    allowance = Allowance(given.decimal("allowance"), prorated=True)
    share = Ratio(active, period).value
    exact = {"allowance": included_units(allowance, [Part(share=share)])}
    ends = Interval(Unit.DAY, active).advance(words.DAY_ONE, 1)
    promised = _one_each(allowance, interval=Interval(Unit.DAY, period))
    charge = Charge(promised, words.DAY_ONE, words.DAY_ONE.day, (served(words.DAY_ONE, ends),))
    used = (Used(words.DAY_ONE, FAR_MORE),)
    return Drafts(
        (replace(charge, usage=used),),
        ends,
        lambda found: {"allowance": beyond(net(found[0]), FAR_MORE)},
        exact=lambda: exact,
    )


def _days_charged(case: CaseInput) -> Asked:
    """From which day to which the line of a month's usage is; what it costs is not told."""
    given = case.given
    last_inside = words.inclusive(case)
    days = words.span(given.day("charge_from"), given.day("charge_to"), last_inside=last_inside)
    promised = as_usage(terms(unit_price=given.decimal("unit_price"), alignment=Alignment.CALENDAR))
    charge = Charge(promised, days.start, days.start.day, (served(days.start, days.end),))
    used = (Used(days.start, given.decimal("usage_amount")),)
    return Drafts(
        (replace(charge, usage=used),),
        days.end,
        lambda found: {"prorated_days": [line.period for line in found[0]].pop().days},
    )


def _one_each(allowance: Allowance, **given: Any) -> ChargeTerms:
    """Usage at 1 a unit beyond what is included: a bill says what that is, if far more is used."""
    shape = {"kind": Kind.USAGE, "timing": Timing.ARREARS, "unit_price": ONE}
    return terms(allowance=allowance, **shape, **given)


def _free_units(given: Keys) -> Asked:
    """The first units are free, over all slices of a period."""
    free = given.decimal("free_units") if given.has("free_units") else given.decimal("allowance")
    already = given.maybe_decimal("already_used") or NOTHING
    now = given.decimal("period_quantity" if given.has("period_quantity") else "quantity")
    if not given.has("tiers"):
        return _beyond(given, free, now, already)
    units = beyond(free, now, already)
    promised, other = (
        terms(model=model, tiers=tiers_of(given)) for model in (Model.GRADUATED, Model.VOLUME)
    )
    before = beyond(NOTHING, beyond(free, already))
    found = progressive(promised, before=before, now=units)
    if found.amount != progressive(other, before=before, now=units).amount:
        raise Unknown("given.tiers", "graduated or volume is not told")
    more = {"billable_units": units, "overage_units": units}
    return in_slices(
        with_free(promised, free),
        already,
        now,
        exact=lambda: {"amount": found.amount, **more},
        more=more,
    )


def _beyond(given: Keys, free: Decimal, now: Decimal, already: Decimal = NOTHING) -> Asked:
    """Units beyond what is free, at their price; at 1 a unit where none is told."""
    units = beyond(free, now, already)
    more = {"billable_units": units, "overage_units": units}
    keys = [key for key in ("overage_price", "unit_price") if given.has(key)]
    unit_price = ONE
    for key in keys:
        unit_price = given.decimal(key)
    promised = terms(unit_price=unit_price)
    amount = price(promised, units)
    if not keys:
        asked = in_slices(with_free(promised, free), already, now, exact=lambda: more)
        return replace(asked, read=lambda found: dict.fromkeys(more, net(found[0])))
    return in_slices(
        with_free(promised, free),
        already,
        now,
        exact=lambda: {"amount": amount, **more},
        more=more,
    )


def with_free(promised: ChargeTerms, free: Decimal) -> ChargeTerms:
    """The price of usage of which the first units of a month are free."""
    return replace(as_usage(promised), allowance=Allowance(free) if free else None)


def _grants(given: Keys) -> Asked:
    """Units of a seat each; seats that come in the middle bring their share of another grant."""
    first = Allowance(given.decimal("grant_per_unit"), per_unit=True, prorated=True)
    other = Allowance(given.decimal("grant_per_added_unit"), per_unit=True, prorated=True)
    there, added = given.decimal("units"), given.decimal("added_mid_month")
    month, left, share = given.word("fraction", words.FRACTION)

    def included(of_added: Decimal) -> Decimal:
        return sum_of(
            [
                included_units(first, [Part(there)]),
                included_units(other, [Part(added, of_added)]),
            ]
        )

    exact = {"this_month": included(share), "next_month": included(ONE)}
    start, following, end = boundaries(month.start, words.MONTH, count=2)
    used = (Used(left.start, FAR_MORE), Used(following, FAR_MORE))
    charges = [
        replace(
            Charge(
                _one_each(allowance, alignment=Alignment.CALENDAR),
                start,
                start.day,
                (served(day, quantity=units),),
            ),
            usage=used,
        )
        for allowance, day, units in ((first, start, there), (other, left.start, added))
    ]

    def read(found: Lines) -> Answers:
        months = zip(*found, strict=True)
        now, then = (sum_of([beyond(line.amount, FAR_MORE) for line in each]) for each in months)
        return {"this_month": now, "next_month": then}

    return Drafts(charges, end, read, exact=lambda: exact)


def _window(given: Keys) -> Asked:
    """A pool over several months, charged as it is used up or at the window's end."""
    pool = Allowance(given.decimal("allowance_per_month"), window=given.integer("window_months"))
    at = given.word("charge_at", words.CHARGE_AT, ChargeAt.RUNNING)
    promised = terms(unit_price=given.decimal("overage_price"))
    told = given.raw("usage")
    if isinstance(told, dict):
        months = given.inside("usage")
        used = [months.decimal(month) for month in ("jan", "feb", "mar", "apr")]
    else:
        used = given.decimals("usage")
    found = settle_window(pool, [PoolPeriod(each) for each in used], charge_at=at)
    if at is ChargeAt.RUNNING:
        return _as_it_occurs(pool, given.decimal("overage_price"), used, found)
    units = [each.overage for each in found]
    amounts = [price(promised, each) for each in units]
    answers = {
        "overage_units": sum_of(units),
        "amount": sum_of(amounts),
        "charged_units": units,
        "amounts": amounts,
    }
    if isinstance(told, dict):
        answers["jan_mar"], answers["feb_apr_units"] = amounts[2], units[3]
    return Pure(lambda: answers)


def _as_it_occurs(
    pool: Allowance, overage_price: Decimal, used: Sequence[Decimal], found: Sequence[Settled]
) -> Asked:
    """The same drafted: a month's overage is on the bill of that month."""
    promised = terms(
        kind=Kind.USAGE, timing=Timing.ARREARS, unit_price=overage_price, allowance=pool
    )
    days = boundaries(words.DAY_ONE, words.MONTH, count=len(used))
    told = tuple(Used(day, quantity) for day, quantity in zip(days, used, strict=False))
    *_, last = days
    units = [each.overage for each in found]
    return Drafts(
        (replace(since_day_one(promised), usage=told),),
        last,
        lambda lines: {
            "charged_units": units,
            "overage_units": sum_of(units),
            "amounts": [line.amount for line in lines[0]],
            "amount": net(lines[0]),
        },
    )


def rollover(case: CaseInput) -> Asked:
    """Unused units that are there in the next period, drawn once its own are used up."""
    given = case.given
    for key in ("plan", "included_per_month", "included"):
        if given.has(key):
            allowance = Allowance(given.decimal(key), rollover=UNBOUND)
            break
    else:
        raise Unknown("given without the units of a period")
    carried = given.maybe_decimal("rollover_before") or NOTHING
    periods = [PoolPeriod(given.decimal("used")), PoolPeriod(NOTHING)]
    now, following = settle(allowance, periods, carried=carried)
    answers = {
        "rollover": now.rolled_out,
        "drawn": now.drawn_rollover,
        "rollover_left": now.rollover_left,
        "overage": now.overage,
        "next_month_available": following.available,
        "next_period_available": following.available,
    }
    pure = Pure(lambda: answers)
    used = given.decimal("used")
    if carried:
        # So much was left of the month before: all that was used of it is what is beyond.
        earlier = beyond(carried, allowance.units)
        left = settle(allowance, [PoolPeriod(earlier)]).pop().rolled_out
        return _carried(allowance, (earlier, used), answers) if left == carried else pure
    if not case.wanted.issubset(SEEN_NEXT_MONTH):
        return pure
    return _seen_next_month(allowance, used, answers)


def _carried(allowance: Allowance, used: tuple[Decimal, Decimal], answers: Answers) -> Asked:
    """A month that leaves units, one that draws them, and one that uses far more than there is."""
    promised = _one_each(allowance)
    *starts, last = boundaries(words.DAY_ONE, words.MONTH, count=3)
    told = zip(starts, (*used, FAR_MORE), strict=True)

    def read(lines: Lines) -> Answers:
        _, now, then = lines[0]
        available = beyond(then.amount, FAR_MORE)
        return {
            **answers,
            "overage": now.amount,
            "next_month_available": available,
            "next_period_available": available,
        }

    charge = replace(
        since_day_one(promised), usage=tuple(Used(day, quantity) for day, quantity in told)
    )
    return Drafts((charge,), last, read, exact=lambda: answers)


def _seen_next_month(allowance: Allowance, used: Decimal, answers: Answers) -> Asked:
    """Far more than there is, used in the next month at 1 a unit, costs all but what is free."""
    promised = terms(kind=Kind.USAGE, timing=Timing.ARREARS, unit_price=ONE, allowance=allowance)
    first, second, last = boundaries(words.DAY_ONE, words.MONTH, count=2)
    told = (Used(first, used), Used(second, FAR_MORE))

    def read(lines: Lines) -> Answers:
        *_, of_second = lines[0]
        available = beyond(of_second.amount, FAR_MORE)
        return {
            "rollover": beyond(allowance.units, available),
            "next_month_available": available,
            "next_period_available": available,
        }

    charge = replace(since_day_one(promised), usage=told)
    return Drafts((charge,), last, read, exact=lambda: answers)
