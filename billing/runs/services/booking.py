"""What the journal of a run needs beyond plain postings: deferral, and rates of the day."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.db import connection
from django.utils.translation import gettext as _

from billing.journal.selectors.rates import OLDEST, rates_on
from billing.models import BillRun, Shard
from billing.runs.posting import Books, books_of, last_served
from billing.runs.selectors.due import AccountFacts
from billing.runs.services.words import no_currency_words
from o2b.currencies import is_tender
from o2b.money import is_currency
from o2b.partitions import ensure_months, lacks_a_month
from o2b.periods import add_months

MOST_MONTHS = 36  # what is released later lies in the default partition


def without_rate(run: BillRun, accounts: Mapping[int, AccountFacts]) -> dict[int, str]:
    """Account → why it cannot be booked in its seller's currency; nothing where books do not ask.

    One pass over the accounts, and a query only where one of them has another currency.
    """
    seller = run.legal_entity
    if not seller.bookkeeping.own_currency_books:
        return {}
    foreign = {
        pk: each.currency for pk, each in accounts.items() if each.currency != seller.currency
    }
    if not foreign:
        return {}
    rates = rates_on(run.on, into=seller.currency, currencies=set(foreign.values()))
    return {
        pk: _(
            "There is no rate of %(currency)s into %(own)s of %(day)s or the %(n)s days before it."
        )
        % {"currency": code, "own": seller.currency, "day": run.on, "n": OLDEST.days}
        for pk, code in foreign.items()
        if code not in rates
    }


def in_retired_currency(run: BillRun, accounts: Mapping[int, AccountFacts]) -> dict[int, str]:
    """Account → why it is billed no more in its currency: that was retired before the run's day."""
    shown = {each.currency for each in accounts.values()}
    gone = {code for code in shown if is_currency(code) and not is_tender(code, run.on)}
    if not gone:
        return {}
    return {
        pk: no_currency_words(f"{each.currency!r} is not a currency on {run.on}")
        for pk, each in accounts.items()
        if each.currency in gone
    }


def books_for(run: BillRun, shard: Shard) -> Books | None:
    """How to post a shard; None where plain postings say all."""
    seller = run.legal_entity
    books = seller.bookkeeping
    shown = set(shard.totals)
    foreign = shown - {seller.currency} if books.own_currency_books else set()
    if not foreign and not books.defer_revenue:
        return None
    rates = rates_on(run.on, into=seller.currency, currencies=foreign)
    if missing := foreign - rates.keys():
        raise LookupError(f"no exchange rate of {', '.join(sorted(missing))} on {run.on}")
    return books_of(
        on=run.on,
        currency=seller.currency,
        others=list(rates.values()),
        shown=sorted(shown),
        defers=books.defer_revenue,
    )


def ensure_billing_months(table: str, first: date, last: date) -> None:
    """Partitions of a table that refers to invoices and payments, made in the order of all locks.

    Whoever bills or pays holds those tables before these; a partition wants them after its own.
    """
    if not lacks_a_month(table, first, last):
        return
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE billing_invoice, billing_payment IN SHARE ROW EXCLUSIVE MODE")
    ensure_months(table, first, last)


def ensure_release_months(run: BillRun, shards: Sequence[Shard]) -> None:
    """Partitions for all months in which deferred revenue of a run is released."""
    if not run.legal_entity.bookkeeping.defer_revenue or run.is_reversal:
        return
    first = add_months(run.on.replace(day=1), 1)
    last = last_served([shard.pk for shard in shards], after=first)
    if last is not None:
        ensure_billing_months("billing_posting", first, min(last, add_months(first, MOST_MONTHS)))
