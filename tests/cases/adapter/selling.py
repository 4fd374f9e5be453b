"""Charges as they are sold: a quantity at a price, for a period, in advance unless told."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from o2b.charging import (
    Alignment,
    ChargeTerms,
    Conventions,
    DraftLine,
    Kind,
    Model,
    Proration,
    Segment,
    Tier,
    Timing,
)
from o2b.charging.usage import Event, Used
from o2b.money import sum_of
from o2b.periods import FOREVER, Period
from tests.cases.adapter.words import CURRENCY, DAY_ONE, MONTH
from tests.cases.asking import Answers, Charge, Drafts, MaybeCall
from tests.cases.reading import CaseInput, Keys

ONE, NOTHING = Decimal(1), Decimal(0)
NO_MORE: Answers = {}


def terms(**given: Any) -> ChargeTerms:
    """A monthly charge per unit in advance on the calendar, unless told."""
    return ChargeTerms(
        **{
            "key": "charge",
            "kind": Kind.RECURRING,
            "model": Model.PER_UNIT,
            "unit_price": NOTHING,
            "currency": CURRENCY,
            "interval": MONTH,
            "timing": Timing.ADVANCE,
            "alignment": Alignment.ANNIVERSARY,
            "proration": Proration.DAY,
            "conventions": Conventions(),
            **given,
        }
    )


def served(first: date, end: date = FOREVER, quantity: Decimal = ONE) -> Segment:
    return Segment(Period(first, end), quantity)


def month_of(
    promised: ChargeTerms,
    quantity: Decimal,
    read: Callable[[Sequence[DraftLine]], Answers],
    *,
    until: date = DAY_ONE,
    exact: MaybeCall = None,
) -> Drafts:
    """A quantity sold from the first day on, billed up to a day, read from its one charge."""
    charge = since_day_one(promised, quantity)
    return Drafts((charge,), until, lambda found: read(found[0]), exact=exact)


def since_day_one(promised: ChargeTerms, quantity: Decimal = ONE) -> Charge:
    """A charge in service from the first day on."""
    return Charge(promised, DAY_ONE, DAY_ONE.day, (served(DAY_ONE, quantity=quantity),))


def used_in_month(
    promised: ChargeTerms,
    quantity: Decimal,
    *,
    events: tuple[Event, ...] = (),
    exact: MaybeCall = None,
    more: Answers = NO_MORE,
) -> Drafts:
    """Usage of the first month, billed when it is over."""
    end = MONTH.advance(DAY_ONE, 1)
    used = (Used(DAY_ONE, quantity, events),)
    charge = replace(since_day_one(promised), usage=used)
    return Drafts((charge,), end, lambda found: {"amount": net(found[0]), **more}, exact=exact)


def used_of(
    promised: ChargeTerms,
    quantity: Decimal,
    read: Callable[[Sequence[DraftLine]], Answers],
    *,
    exact: MaybeCall = None,
) -> Drafts:
    """The same charge for what is used in the first month, read when it is billed."""
    end = MONTH.advance(DAY_ONE, 1)
    charge = replace(since_day_one(as_usage(promised)), usage=(Used(DAY_ONE, quantity),))
    return Drafts((charge,), end, lambda found: read(found[0]), exact=exact)


def in_slices(
    promised: ChargeTerms,
    before: Decimal,
    now: Decimal,
    *,
    exact: MaybeCall = None,
    more: Answers = NO_MORE,
) -> Drafts:
    """Usage of a month that is billed, then more of the same month, told late and billed, too."""
    end = MONTH.advance(DAY_ONE, 1)
    charge = since_day_one(as_usage(promised))
    charge = replace(
        charge,
        usage=(Used(DAY_ONE, before),),
        late=(Used(DAY_ONE, now),),
        billed_until=end,
        later=charge.segments,
    )
    return Drafts((charge,), end, lambda found: {"amount": net(found[0]), **more}, exact=exact)


def as_usage(promised: ChargeTerms) -> ChargeTerms:
    """The same price of what is used, in arrears."""
    return replace(promised, kind=Kind.USAGE, timing=Timing.ARREARS)


def net(lines: Sequence[DraftLine]) -> Decimal:
    """What lines come to; the engine adds them."""
    return sum_of([line.amount for line in lines])


def tiers(case: CaseInput) -> tuple[Tier, ...]:
    return tiers_of(case.given)


def tiers_of(given: Keys) -> tuple[Tier, ...]:
    return tuple(tier(each) for each in given.each("tiers"))


def first_amount(lines: Sequence[DraftLine]) -> Decimal:
    """The amount of the first line; nothing where there is none."""
    return next((line.amount for line in lines), NOTHING)


def endless(told: tuple[Tier, ...]) -> tuple[Tier, ...]:
    """Blocks beyond all tiers stay in the last one (Kill Bill)."""
    *others, last = told
    return (*others, replace(last, up_to=None))


def tier(told: Keys) -> Tier:
    return Tier(
        told.maybe_decimal("up_to"),
        told.decimal("unit_price"),
        told.maybe_decimal("flat_fee") or NOTHING,
    )
