"""The way to whoever knows tax rates: the callable that O2B_TAX_RATES names, asked in batches.

It is given questions (TaxAsked: country of the seller, code, day, exempt) and returns a mapping
from them to percent (0-100). None means that this seller charges no tax at all; a question that is
left out has no rate, and whoever asked refuses, so that tax is never silently 0. Billing asks once
a shard, before it reads what is due; previews and quotes once a request. Drafting is a reaction, so
its transaction is open: an engine outside answers within moments, or from what it keeps.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from o2b.charging.tax import TaxRounding
from o2b.charging.taxing import UNTAXED
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from o2b.taxes.rules import TaxAsked
from o2b.web.show import day_text

Answers = Mapping[TaxAsked, Decimal | None]
Engine = Callable[[Collection[TaxAsked]], Answers]


class TaxUnknown(Refused):
    """The country charges tax, but has no rate for the code on the day."""

    code = "tax_rate_unknown"


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates that were asked together; `percent` reads one and refuses where there is none."""

    answers: Answers

    def percent(self, asked: TaxAsked, field: str | None = None) -> Decimal | None:
        """In percent; None where no tax is charged at all. Raises TaxUnknown."""
        if asked.code == UNTAXED:
            return None
        if asked not in self.answers:
            raise unknown(asked, field)
        return self.answers[asked]


def ask_rates(asked: Iterable[TaxAsked]) -> Rates:
    """Ask the port once; without a question nobody is asked, of prepaid money nobody ever."""
    questions = {each for each in asked if each.code != UNTAXED}
    if not questions:
        return Rates({})
    engine: Engine = import_string(settings.O2B_TAX_RATES)
    return Rates(engine(questions))


@dataclass(frozen=True, slots=True)
class SellerRates:
    """What a seller charges for some codes on some days, and how it rounds."""

    country: str
    per: TaxRounding
    rates: Rates

    def percent(
        self, code: str, *, on: date, exempt: bool = False, field: str | None = None
    ) -> Decimal | None:
        """In percent; None where no tax is charged at all. Raises TaxUnknown."""
        return self.rates.percent(TaxAsked(self.country, code, on, exempt), field)


def seller_rates(seller: LegalEntity, *, codes: Iterable[str], on: Collection[date]) -> SellerRates:
    """Ask once for all codes and days of a seller, for who is exempt and who is not."""
    asked = [
        TaxAsked(seller.country, code, day, exempt)
        for code in set(codes)
        for day in on
        for exempt in (False, True)
    ]
    return SellerRates(seller.country, seller.tax_rounding, ask_rates(asked))


def unknown(asked: TaxAsked, field: str | None = None) -> TaxUnknown:
    """Code, country and day that have no rate, and what to do about it."""
    told = {"country": asked.country, "day": day_text(asked.on), "code": asked.code}
    if asked.code:
        message = _(
            "%(country)s has no tax rate for the code %(code)s on %(day)s. "
            "Add it under Tax rates, or mend the price's tax code."
        )
    else:
        message = _(
            "%(country)s has no standard tax rate on %(day)s. "
            "Add it under Tax rates, or give the price a tax code."
        )
    return TaxUnknown(message % told, field=field, tax_code=asked.code, country=asked.country)
