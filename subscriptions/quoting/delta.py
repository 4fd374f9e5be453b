"""What a quote of changes brings, from a day on: services, first bill, monthly difference, months.

Plain values that JSON can keep: a sent quote shows what it showed when it was sent.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from o2b.money import Money
from subscriptions.changes.basis import Month
from subscriptions.rules.months import Steps, draw


@dataclass(frozen=True, slots=True)
class Side:
    """A service before or after: what, how many, and what a month costs."""

    product: str
    version: int
    quantity: Decimal
    unit: str
    monthly: Decimal
    monthly_tax: Decimal | None = None


@dataclass(frozen=True, slots=True)
class DeltaLine:
    """One line of the quote: what is done to which service from which day, and both sides."""

    action: str
    item: str
    on: date
    before: Side | None
    after: Side | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BillPart:
    """One amount of the first bill; below zero it is given back. `last` is the last day."""

    name: str
    since: date
    last: date | None
    amount: Decimal
    tax: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """The whole difference, in one currency, net; usage is not foretold.

    The tax of what is due once, of a month and of the first bill is beside them, at the rates of
    the first bill's day; None where the seller charges none.

    `once` is what is charged once: set-up of what is added, fees for leaving a term. The first bill
    is the first on which the quote is seen, with all that the quoted services have on it; `besides`
    of it would have been due anyhow.
    """

    currency: str
    on: date
    lines: tuple[DeltaLine, ...]
    monthly_before: Decimal
    monthly_after: Decimal
    once: Decimal
    first_bill_on: date | None
    first_bill: tuple[BillPart, ...]
    besides: Decimal
    months: tuple[Month, ...]
    once_tax: Decimal | None = None

    @property
    def is_taxed(self) -> bool:
        """Whether the seller charges tax on anything here."""
        taxes = (self.once_tax, self.first_tax, self.monthly_tax_before, self.monthly_tax_after)
        return any(tax is not None for tax in taxes)

    @property
    def monthly_tax_before(self) -> Decimal | None:
        return _total(line.before.monthly_tax for line in self.lines if line.before)

    @property
    def monthly_tax_after(self) -> Decimal | None:
        return _total(line.after.monthly_tax for line in self.lines if line.after)

    @property
    def monthly_tax(self) -> Decimal | None:
        """By how much the tax of a month becomes more."""
        if self.monthly_tax_before is None and self.monthly_tax_after is None:
            return None
        return (self.monthly_tax_after or Decimal(0)) - (self.monthly_tax_before or Decimal(0))

    @property
    def monthly_gross(self) -> Money:
        return Money(self.monthly.amount + (self.monthly_tax or 0), self.currency)

    @property
    def once_gross(self) -> Money:
        return Money(self.once + (self.once_tax or 0), self.currency)

    @property
    def first_tax(self) -> Decimal | None:
        return _total(part.tax for part in self.first_bill)

    @property
    def first_gross(self) -> Money:
        return Money(self.first_total.amount + (self.first_tax or 0), self.currency)

    @property
    def monthly(self) -> Money:
        """By how much a month becomes dearer, below zero cheaper."""
        return Money(self.monthly_after - self.monthly_before, self.currency)

    @property
    def first_total(self) -> Money:
        return Money(sum((part.amount for part in self.first_bill), Decimal(0)), self.currency)

    @property
    def first_more(self) -> Money:
        """What the first bill is more than it would be without the quote."""
        return Money(self.first_total.amount - self.besides, self.currency)

    @property
    def months_total(self) -> Money:
        total = sum((month.difference for month in self.months), Decimal(0))
        return Money(total, self.currency)

    @property
    def chart(self) -> Steps | None:
        return draw([(month.start, month.before, month.after) for month in self.months])


def body_of(delta: Delta) -> dict[str, Any]:
    """The delta as JSON: days as ISO text, amounts as text."""
    plain: dict[str, Any] = _plain(asdict(delta))
    return plain


def from_body(body: Mapping[str, Any]) -> Delta:
    """What `body_of` wrote."""
    return Delta(
        currency=body["currency"],
        on=date.fromisoformat(body["on"]),
        lines=tuple(
            DeltaLine(
                action=line["action"],
                item=line["item"],
                on=date.fromisoformat(line["on"]),
                before=_side(line["before"]),
                after=_side(line["after"]),
                notes=tuple(line["notes"]),
            )
            for line in body["lines"]
        ),
        monthly_before=Decimal(body["monthly_before"]),
        monthly_after=Decimal(body["monthly_after"]),
        once=Decimal(body["once"]),
        first_bill_on=_day(body["first_bill_on"]),
        first_bill=tuple(
            BillPart(
                name=part["name"],
                since=date.fromisoformat(part["since"]),
                last=_day(part["last"]),
                amount=Decimal(part["amount"]),
                tax=_amount(part.get("tax")),
            )
            for part in body["first_bill"]
        ),
        besides=Decimal(body["besides"]),
        months=tuple(
            Month(
                date.fromisoformat(month["start"]),
                Decimal(month["before"]),
                Decimal(month["after"]),
            )
            for month in body["months"]
        ),
        once_tax=_amount(body.get("once_tax")),
    )


def _total(taxes: Iterable[Decimal | None]) -> Decimal | None:
    known = [tax for tax in taxes if tax is not None]
    return sum(known, Decimal(0)) if known else None


def _amount(said: str | None) -> Decimal | None:
    """Quotes that were sent before bills had tax say none."""
    return None if said is None else Decimal(said)


def _side(said: Mapping[str, Any] | None) -> Side | None:
    if said is None:
        return None
    numbers = {name: Decimal(said[name]) for name in ("quantity", "monthly")}
    return Side(
        product=said["product"],
        version=said["version"],
        unit=said["unit"],
        monthly_tax=_amount(said.get("monthly_tax")),
        **numbers,
    )


def _day(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
    return value
