"""How the lines of a shard are taxed: its codes are asked at once, of whoever knows the rates."""

from collections.abc import Iterable
from decimal import Decimal

from billing.models import BillRun
from billing.rules.drafting import Taxing
from billing.runs.selectors import due
from billing.runs.selectors.scope import Scope
from o2b.charging.tax import TaxRounding
from o2b.taxes.port import Rates, ask_rates
from o2b.taxes.rules import TaxAsked


def taxing_of(run: BillRun, scope: Scope) -> Taxing:
    """The rates of the seller's country on the day of the run, the tax point of what it bills.

    All its shards round alike, also those that are drafted again after the setting changed.
    """
    seller = run.legal_entity
    codes = due.tax_codes_of(scope)
    book = _Book(seller.country, run)
    book.ask(
        TaxAsked(seller.country, code, run.on, free) for code in codes for free in (True, False)
    )
    return Taxing(book.percent, TaxRounding(run.tax_rounding or seller.tax_rounding))


class _Book:
    """Rates by code; one that came into use while the shard was read is asked on its own."""

    def __init__(self, country: str, run: BillRun) -> None:
        self.country, self.on = country, run.on
        self.asked: set[TaxAsked] = set()
        self.rates = Rates({})

    def ask(self, questions: Iterable[TaxAsked]) -> None:
        wanted = set(questions)
        self.asked |= wanted
        self.rates = Rates({**self.rates.answers, **ask_rates(wanted).answers})

    def percent(self, code: str, exempt: bool) -> Decimal | None:
        question = TaxAsked(self.country, code, self.on, exempt)
        if question not in self.asked:
            self.ask([question])
        return self.rates.percent(question)
