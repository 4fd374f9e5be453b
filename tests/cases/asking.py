"""What the adapter hands to the driver: which engine inputs to run, and what to read of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from o2b.charging import Billed, ChargeTerms, DraftLine
from o2b.charging.allocation import Coupon
from o2b.charging.facts import Segment
from o2b.charging.tax import TaxLine, TaxRounding
from o2b.charging.usage import Used
from o2b.periods import Period

Answers = Mapping[str, Any]
Lines = Sequence[Sequence[DraftLine]]  # charge by charge, payer by payer


class Level(StrEnum):
    """How much of the system a case went through."""

    PURE = "pure function"
    DRAFT = "draft"
    RUN = "real run"


class Credit(NamedTuple):
    """An amount that the engine gives back, below zero; publishers write it with either sign."""

    amount: Decimal


MaybeCall = Callable[[], Answers] | None
MaybeReader = Callable[[Lines], Answers] | None


class Boundaries(NamedTuple):
    """Days between periods; publishers write them with or without the day of the start.

    Of those that go on a case shows as many as it likes.
    """

    start: date
    ends: list[date]
    goes_on: bool = False


class First(NamedTuple):
    """What begins a list without end; a case shows as much of it as it likes."""

    items: Sequence[Any]


class Document(NamedTuple):
    """What the bill of an account says; `shares` are what each line was reduced by.

    `taxable` is the rest of lines that have a rate above zero, `tax_on_full` what the tax of the
    same lines is without any coupon. `line_taxes` are of the lines, `taxes` of what coupons leave.
    """

    shares: list[Decimal]
    left: list[Decimal]
    subtotal: Decimal
    discount: Decimal
    net: Decimal
    taxable: Decimal
    tax: Decimal
    total: Decimal
    true_up: Decimal
    true_up_tax: Decimal
    tax_on_full: Decimal
    line_taxes: list[Decimal]
    taxes: list[Decimal]


@dataclass(frozen=True)
class Bill:
    """A month of an account: lines with their tax, coupons that it has, what it must spend."""

    lines: Sequence[TaxLine]
    read: Callable[[Document], Answers]
    coupons: Sequence[Coupon] = ()
    minimum: Decimal | None = None
    minimum_percent: Decimal = Decimal(0)
    per: TaxRounding = TaxRounding.INVOICE


MaybeBill = Bill | None


class Paper(NamedTuple):
    """What a document comes to; a credit note is below zero."""

    net: Decimal
    tax: Decimal
    total: Decimal


class Standing(NamedTuple):
    """How an account stands in the end: its documents, and what was paid on them.

    `bills` and `notes` in the order in which they were issued, `applied` and `left` bill by bill.
    `unapplied` is money on no bill, `owed` what was billed less what was paid: below zero the
    customer's credit. `revenue` is what is earned of the bills, month by month.
    """

    bills: list[Paper]
    notes: list[Paper]
    applied: list[Decimal]
    left: list[Decimal]
    unapplied: Decimal
    owed: Decimal
    revenue: list[Decimal]


@dataclass(frozen=True)
class Ledger:
    """What an account is billed, pays and is credited, told to billing in this order.

    Each line is a service of so many units at 1, paid in advance for a month, or for the days
    `served`. All are on one bill, or each is `apart` on one of its own, the oldest first. Money
    that came `before` the first bill is used for it; `payments` come after the last. Each of the
    `corrections` tells what really was in service of some lines, by their numbers from 1; a run
    credits the difference.
    """

    lines: Sequence[TaxLine]
    read: Callable[[Standing], Answers]
    apart: bool = False
    coupons: Sequence[Coupon] = ()
    before: Sequence[Decimal] = ()
    payments: Sequence[Decimal] = ()
    corrections: Sequence[Mapping[int, Decimal]] = ()
    served: Period | None = None


MaybeLedger = Ledger | None


@dataclass(frozen=True)
class Pure:
    """A call of functions of the engine; where it says what documents say, those too."""

    call: Callable[[], Answers]
    bill: Bill | None = None
    ledger: Ledger | None = None


@dataclass(frozen=True)
class Charge:
    """One charge and its life, told to draft() in one step or in two.

    With `billed_until` the charge is first drafted with `segments` up to that day, and what that
    bills is history; then it has the segments `later`, and what was used of the same days and told
    `late` counts, too. `billed` tells the history outright.
    `payers` are the percents that others pay of it; their lines follow those of the customer, who
    pays the rest.
    """

    terms: ChargeTerms
    started_on: date
    anchor_day: int
    segments: tuple[Segment, ...]
    billed_until: date | None = None
    later: tuple[Segment, ...] = ()
    billed: tuple[Billed, ...] | None = None
    billed_through: date | None = None
    usage: tuple[Used, ...] = ()
    late: tuple[Used, ...] = ()
    payers: tuple[Decimal, ...] = ()
    more: Mapping[str, Any] | None = None  # further facts, by their names in ChargeFacts


@dataclass(frozen=True)
class Drafts:
    """Charges to draft up to a day; `read` gets the lines of each charge, in their order.

    `read_before` gets what was billed before, of charges told in two steps. The driver also sells
    the charges, where orders can bring their lives about: account, product, book, quote, order and
    subscription, changes of it, bill runs; it then reads the lines of the invoices. With
    `one_service` the charges follow one another as the Terms of one service, else each is a
    service of its own; of a `base` that of a subscriber of his own, by the thousand.
    `exact` asks pure functions for the same; where that has more decimals than the currency, the
    published figure is not one of a bill, and the case stays at that level.
    """

    charges: Sequence[Charge]
    until: date
    read: Callable[[Lines], Answers]
    read_before: MaybeReader = None
    one_service: bool = False
    base: bool = False
    exact: MaybeCall = None

    def answers(self, lines: Lines, before: Lines) -> Answers:
        """What the lines say, and what those say that were billed before them."""
        told = self.read_before(before) if self.read_before is not None else {}
        return {**told, **self.read(lines)}


Asked = Pure | Drafts | Ledger
