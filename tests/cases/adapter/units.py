"""Amounts in the unit that a case writes them in: major units, or cents where it says so."""

from collections.abc import Iterable
from decimal import Decimal

from o2b.money import minor_units, of_minor_units
from tests.cases.adapter import words
from tests.cases.reading import CaseInput


class Units:
    """Reads amounts of a case as the engine has them, and writes answers as the case does."""

    def __init__(self, case: CaseInput) -> None:
        self.given = case.given
        self.cents = case.given.word("unit", words.CENTS, False)
        self.currency = case.given.word("currency", words.CURRENCIES, words.CURRENCY)

    def of(self, told: Decimal) -> Decimal:
        return of_minor_units(told, self.currency) if self.cents else told

    def amount(self, key: str) -> Decimal:
        return self.of(self.given.decimal(key))

    def amounts(self, key: str) -> list[Decimal]:
        return [self.of(each) for each in self.given.decimals(key)]

    def told(self, amount: Decimal) -> Decimal:
        return Decimal(minor_units(amount, self.currency)) if self.cents else amount

    def told_all(self, amounts: Iterable[Decimal]) -> list[Decimal]:
        return [self.told(each) for each in amounts]
