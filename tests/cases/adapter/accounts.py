"""payment.allocation, credit.account_balance, credit_note.partial: what an account owes."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from o2b.charging import Discount, DiscountKind
from o2b.charging.allocation import Coupon
from o2b.charging.tax import TaxLine
from o2b.money import sum_of
from tests.cases.adapter import words
from tests.cases.adapter.selling import NOTHING
from tests.cases.adapter.units import Units
from tests.cases.asking import Answers, Asked, Credit, Ledger, Standing
from tests.cases.reading import CaseInput, Keys, Unknown

Read = Callable[[Standing], Answers]
OLDEST_FIRST = {"oldest first": True}
STEP = r"(?P<what>credit|charge|pay) (?P<amount>\d+(?:\.\d+)?)(?: to the account)?"


def allocation(case: CaseInput) -> Asked:
    """Payments settle open bills, the oldest first; what is left stays on the account."""
    given = case.given
    case.conventions.word("order", OLDEST_FIRST, True)
    if given.has("debts"):
        debts, payments = given.decimals("debts"), given.decimals("payments")
    else:
        debts = given.decimals("open_amounts_oldest_first")
        payments = [given.decimal("payment")]
    return Ledger(
        _owed(debts),
        lambda said: {
            "applied": said.applied,
            "left": said.left,
            "unapplied": said.unapplied,
        },
        apart=True,
        payments=_money(payments),
    )


def balance(case: CaseInput) -> Asked:
    """Credit of an account that pays its bills, or that a correction of a paid bill leaves."""
    given = case.given
    read = _of_account if "invoice_balance" in case.wanted else _balance
    if given.has("steps"):
        charged, credits = _steps(given)
        return Ledger(_owed(charged), read, before=_money(credits))
    if given.has("paid_invoice_items"):
        items = given.decimals("paid_invoice_items")
        first, *_ = items
        keys = ("then_adjust_item", "then_adjust_tax")
        off = [given.decimal(key) for key in keys if given.has(key)]
        return _corrected(items, sum_of([first, *off]), [sum_of(items)], read)
    credits = _told(given, "account_credit", "credit", "credits")
    charged = _told(given, "charge")
    if given.has("invoice_items"):
        charged = given.decimals("invoice_items")
    return Ledger(_owed(charged), read, before=_money(credits))


def item_adjustment(case: CaseInput) -> Asked:
    """A line of a bill, paid or not, comes to less than was billed."""
    given = case.given
    item = given.decimal("item")
    paid = given.maybe("paid")
    if isinstance(paid, bool) or paid is None:
        payments = [item] if given.flag("paid") else []
    else:
        payments = [given.decimal("paid")]
    left = sum_of([item, given.decimal("adjustment")])
    return _corrected([item], left, payments, _of_item)


def partial(case: CaseInput) -> Asked:
    """Lines of a bill that are credited, some and then others, with their discount and tax."""
    given = case.given
    case.conventions.word("discount", words.BEFORE_TAX, True)
    units = Units(case)
    if units.currency != words.CURRENCY:
        raise Unknown("given.currency", units.currency)
    percent = given.maybe_decimal("tax_percent") or NOTHING
    off = given.maybe_decimal("coupon_percent") or NOTHING
    coupons = [Coupon(Discount(DiscountKind.PERCENT, off))] if off else []
    amounts = units.amounts("lines")
    numbers = {n for n, _ in enumerate(amounts, start=1)}
    corrections = [dict.fromkeys(_numbers(told, numbers), NOTHING) for told in _lists(given)]

    def read(said: Standing) -> Answers:
        return {
            "invoice_total": units.told(sum_of([each.total for each in said.bills])),
            "credit_notes": [Credit(units.told(each.total)) for each in said.notes],
        }

    return Ledger(
        [TaxLine(each.amount, percent) for each in _owed(amounts)],
        read,
        coupons=coupons,
        corrections=corrections,
    )


def _lists(given: Keys) -> list[list[Any]]:
    told = given.values("credit_lines")
    if not all(isinstance(each, list) for each in told):
        raise Unknown("given.credit_lines", told)
    return told


def _numbers(told: Sequence[Any], known: set[int]) -> list[int]:
    """Lines by their numbers from 1."""
    if not set(told).issubset(known):
        raise Unknown("given.credit_lines", told)
    return list(told)


def _corrected(items: list[Decimal], left: Decimal, payments: list[Decimal], read: Read) -> Ledger:
    """Of the first item only so much was right."""
    if left.is_signed():
        raise Unknown("given: more is taken off than an item comes to")
    return Ledger(_owed(items), read, payments=_money(payments), corrections=[{1: left}])


def _balance(said: Standing) -> dict[str, Any]:
    """What is owed, or whose the credit is; how much of it paid bills, and what is left on them."""
    in_credit = said.owed.is_signed()
    return {
        "balance": NOTHING if in_credit else said.owed,
        "account_credit": Credit(said.owed if in_credit else NOTHING),
        "credit_used": sum_of(said.applied),
        "credit_left": said.unapplied,
        "invoice": sum_of(said.left),
        "invoice_balance": sum_of(said.left),
    }


def _of_account(said: Standing) -> dict[str, Any]:
    """The same beside the balance of a bill: below zero where the customer has credit."""
    return {**_balance(said), "balance": said.owed}


def _of_item(said: Standing) -> dict[str, Any]:
    """The same with what the line comes to in the end."""
    amount = sum_of([each.total for each in (*said.bills, *said.notes)])
    return {**_balance(said), "amount": amount}


def _steps(given: Keys) -> tuple[list[Decimal], list[Decimal]]:
    """ "credit 20 to the account", "charge 15": what is charged, and what was there before."""
    told: dict[str, list[Decimal]] = {"charge": [], "credit": [], "pay": []}
    for n, _ in enumerate(given.values("steps")):
        step = given.match_of("steps", n, STEP)
        if told["charge"] and step["what"] != "pay":
            raise Unknown("given.steps", given.raw("steps"))
        told[step["what"]].append(Decimal(step["amount"]))
    return told["charge"], [*told["credit"], *told["pay"]]


def _told(given: Keys, *keys: str) -> list[Decimal]:
    return [given.decimal(key) for key in keys if given.has(key)]


def _owed(amounts: Sequence[Decimal]) -> list[TaxLine]:
    """Lines without tax; nothing, and less than nothing, is no bill."""
    return [TaxLine(each, NOTHING) for each in _money(amounts)]


def _money(amounts: Sequence[Decimal]) -> list[Decimal]:
    for each in amounts:
        if each.is_signed() or not each:
            raise Unknown("given: an amount that is no debt and no payment", f"{each:f}")
    return list(amounts)
