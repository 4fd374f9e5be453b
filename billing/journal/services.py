"""Verbs of the journal: tell exchange rates, and value what is posted by hand."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from billing.journal.selectors.rates import rates_on
from billing.models import ExchangeRate, Posting
from billing.runs.posting import places
from o2b import events
from o2b.customers.models import LegalEntity
from o2b.errors import Invalid
from o2b.money import is_currency

MOST_LINES = 10_000
MOST = Decimal(10) ** 9


class RateInvalid(Invalid):
    code = "rate_invalid"


class RateTold(NamedTuple):
    """One unit of a currency in another, on a day."""

    currency: str
    into: str
    on: date
    rate: Decimal


@transaction.atomic
def tell_rates(*, rates: Sequence[RateTold], actor_id: int | None, at: datetime) -> int:
    """Write down the rates of days that have come; of two for a day the later told counts."""
    for each in rates:
        _check(each, at)
    made = ExchangeRate.objects.bulk_create(
        ExchangeRate(**each._asdict(), recorded_by_id=actor_id) for each in rates
    )
    events.record_many(
        "exchange_rate.told",
        made,
        at=at,
        actor_id=actor_id,
        facts_of=lambda row: {"rate": f"{row.rate:f}", "currency": row.currency},
    )
    return len(made)


def rates_in(text: str) -> list[RateTold]:
    """The rows of a CSV: day, currency, into, rate; a heading may stand above them.

    Raises RateInvalid with the line that cannot be read.
    """
    found: list[RateTold] = []
    for number, row in enumerate(_rows(text), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() in ("day", "on", "date")):
            continue
        if len(found) >= MOST_LINES:
            raise RateInvalid(_("At most %(n)s rates at once.") % {"n": MOST_LINES}, field="file")
        try:
            day, currency, into, rate = cells
            told = RateTold(currency.upper(), into.upper(), date.fromisoformat(day), Decimal(rate))
        except (ValueError, InvalidOperation):
            message = _("Line %(n)s is not: day, currency, into, rate.") % {"n": number}
            raise RateInvalid(message, field="file") from None
        found.append(told)
    if not found:
        raise RateInvalid(_("There is no rate in it."), field="file")
    return found


def _rows(text: str) -> Iterator[list[str]]:
    """Lines end as they may: also those of a Mac of old are read."""
    rows = csv.reader(StringIO(text, newline=None))
    try:
        yield from rows
    except csv.Error:
        message = _("Line %(n)s is not: day, currency, into, rate.") % {"n": rows.line_num}
        raise RateInvalid(message, field="file") from None


def _check(told: RateTold, at: datetime) -> None:
    for field in ("currency", "into"):
        code = getattr(told, field)
        if not is_currency(code):
            message = _("%(code)s is no ISO 4217 currency.") % {"code": code}
            raise RateInvalid(message, field=field)
    if told.currency == told.into:
        raise RateInvalid(_("A rate is between two currencies."), field="into")
    if not told.rate.is_finite() or not 0 < told.rate < MOST:
        raise RateInvalid(_("The rate must be more than zero."), field="rate")
    if int(told.rate.as_tuple().exponent) < -10:
        raise RateInvalid(_("A rate has at most ten decimals."), field="rate")
    if told.on > at.date():
        raise RateInvalid(_("Nobody knows the rate of a day to come."), field="on")


def value_postings(postings: Iterable[Posting]) -> None:
    """Fill in the seller's currency, where its books are kept in it, at the rate of each day.

    Where nobody told a rate the posting stays without: money that came is never refused for that,
    and the trial balance counts it.
    """
    foreign: dict[int, list[Posting]] = {}
    for each in postings:
        foreign.setdefault(each.legal_entity_id, []).append(each)
    sellers = LegalEntity.objects.in_bulk(foreign)
    for key, rows in foreign.items():
        seller = sellers[key]
        if not seller.bookkeeping.own_currency_books:
            continue
        unit = Decimal(1).scaleb(-places(seller.currency))
        for row in rows:
            if row.currency == seller.currency:
                continue
            rate = rates_on(row.on, into=seller.currency, currencies=[row.currency]).get(
                row.currency
            )
            if rate is not None:
                row.entity_amount = (row.amount * rate.rate).quantize(unit)
                row.rate, row.rate_on = rate.rate, rate.on
