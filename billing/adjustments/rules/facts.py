"""What the adjustments of an account are computed from: plain rows."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2b.periods import FOREVER, add_months

Key = tuple[str, int, int | None, date]  # kind, grant or minimum, charge, start of the period


class Measure(NamedTuple):
    """What charges have in common of which only the price differs: a service, and what for."""

    item: int
    product: int
    kind: str
    key: str


class Piece(NamedTuple):
    """What is billed of a segment of a full period of a charge, all revisions together.

    Served days (`since`, and before `to`), tax code and percent are those of its newest line.
    """

    charge: int
    period_start: date
    segment: int
    revision: int
    period_end: date
    since: date
    to: date
    amount: Decimal
    tax_code: str
    percent: Decimal
    billed: bool = True


class Served(NamedTuple):
    """An amount, net, of the days from `since` until before `to`."""

    since: date
    to: date
    amount: Decimal


class Base(NamedTuple):
    """What is billed of a full period of a charge, all revisions and this draft together.

    `percent` and `tax_code` are those of its newest line; `billed` says that there is one already.
    It `begins` with the first day of service in it; `served` are its parts of which something is
    left.
    """

    charge: int
    product: int
    period_start: date
    period_end: date
    amount: Decimal
    tax_code: str
    percent: Decimal
    billed: bool
    begins: date
    served: tuple[Served, ...] = ()


class Given(NamedTuple):
    """What was given for a key so far: the highest revision, and the sums of all."""

    revision: int
    amount: Decimal
    tax: Decimal
    tax_code: str
    percent: Decimal
    period_end: date


class CouponFacts(NamedTuple):
    """A coupon as an account has it; `products` None: all. `ends` is the first day outside."""

    grant: int
    kind: str
    value: Decimal
    currency: str
    months: int
    starts: date
    begins: date
    ends: date
    products: frozenset[int] | None
    text: str

    def turn(self, day: date) -> int:
        """Which of its periods a day is in, counted from the first day of the grant; from 0."""
        n = (day.year - self.starts.year) * 12 + day.month - self.starts.month
        n -= add_months(self.starts, n) > day
        return n // self.months

    def counts(self, base: Base) -> bool:
        """Whether it is good for a charge's period: judged by its first day of service."""
        return self.begins <= base.begins < self.ends and (
            self.products is None or base.product in self.products
        )


def coupon_facts(
    *,
    grant: int,
    kind: str,
    value: Decimal,
    currency: str,
    months: int,
    periods: int | None,
    starts_on: date,
    ends_on: date | None,
    first_on: date | None,
    last_on: date | None,
    products: frozenset[int] | None,
    text: str,
) -> CouponFacts:
    """A grant from `starts_on` until `ends_on`, of a coupon from `first_on` until `last_on`."""
    ends = [day for day in (ends_on, last_on) if day is not None]
    if periods is not None:
        ends.append(add_months(starts_on, periods * months))
    return CouponFacts(
        grant,
        kind,
        value,
        currency,
        months,
        starts_on,
        max(starts_on, first_on or starts_on),
        min(ends, default=FOREVER),
        products,
        text,
    )


class MinimumFacts(NamedTuple):
    """What an account is billed at least, each period; `ends` is the first day outside.

    `today` is the day that its account lives in: what is used of it may still come.
    """

    id: int
    minimum: Decimal
    currency: str
    months: int
    calendar: bool
    prorated: bool
    starts: date
    ends: date
    tax_code: str
    text: str
    today: date = FOREVER


class AccountFacts(NamedTuple):
    """All of them of one account, and what they are held against."""

    coupons: tuple[CouponFacts, ...]
    minimums: tuple[MinimumFacts, ...]
    pieces: tuple[Piece, ...]
    measures: Mapping[int, Measure]  # of charges; those that bring money are none of them
    given: Mapping[Key, Given]
