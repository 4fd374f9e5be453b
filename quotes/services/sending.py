"""Send quotes: the moment when their prices become a promise."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from o2b import clock, fsm
from o2b.catalog.characteristics import check_characteristics
from o2b.catalog.definitions import definitions_of
from o2b.catalog.resolution import Resolution
from o2b.catalog.services import freeze_terms
from o2b.customers.models import Account
from quotes import selectors
from quotes.changing import PromisedChanges, of_changes
from quotes.inputs import NoLines, refuse_unless_on_sale
from quotes.models import Quote, QuoteLine
from quotes.services.checking import check_validity, refuse_closed, refuse_unless_draft
from quotes.services.refusals import CurrencyChanged
from quotes.together import NOTHING, faults_together

# One statement whatever the number of lines; building a CASE for each is what costs otherwise.
PROMISE = """
UPDATE quotes_quoteline AS line
    SET terms_id = said.terms, book_version_id = said.book, contract_id = said.contract,
        why = said.why
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::jsonb[])
        AS said (line, terms, book, contract, why)
    WHERE line.id = said.line
"""
TOTALS = """
UPDATE quotes_quote AS quote SET one_time_total = said.one_time, monthly_total = said.monthly
    FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS said (quote, one_time, monthly)
    WHERE quote.id = said.quote
"""


ADD = QuoteLine.Action.ADD
PROMISED = (
    *("product_version", "quantity", "characteristics"),
    *("terms", "book_version", "contract", "why"),
)


def send_quote(
    *,
    quote_id: int,
    at: datetime,
    actor_id: int | None = None,
    already: Collection[str] = NOTHING,
) -> Quote:
    """Resolve every price, freeze the Terms and open the offer to the customer.

    `already` are the products that the account has.
    """
    held = {quote_id: already}
    return send_quotes(quote_ids=[quote_id], at=at, actor_id=actor_id, already=held)[0]


@transaction.atomic
def send_quotes(
    *,
    quote_ids: Sequence[int],
    at: datetime,
    actor_id: int | None = None,
    already: Mapping[int, Collection[str]] | None = None,
) -> list[Quote]:
    """Many quotes, in order, in the queries of one as long as each is of another account."""
    waves: list[list[Quote]] = []
    by_id = _locked(quote_ids)
    for quote in by_id.values():
        _refuse_unsendable(quote, at)
        # A second quote of one account must see what the first has claimed of its contract.
        wave = next((w for w in waves if all(q.account_id != quote.account_id for q in w)), None)
        waves.append([quote]) if wave is None else wave.append(quote)
    lines = _lines_of(by_id, already or {})
    for wave in waves:
        _promise(wave, lines, at)
        fsm.move_locked(wave, "send", at=at, actor_id=actor_id)
    return [by_id[pk] for pk in quote_ids]


def _locked(quote_ids: Sequence[int]) -> dict[int, Quote]:
    """The quotes, their accounts locked first: only one of two gets the fixed discount."""
    wanted = Quote.objects.filter(pk__in=quote_ids)
    accounts = {
        account.pk: account
        for account in Account.objects.select_for_update(of=("self",), no_key=True)
        .select_related("customer", "legal_entity", "test_clock")
        .filter(pk__in=wanted.values("account_id"))
        .order_by("pk")
    }
    quotes = {quote.pk: quote for quote in wanted.select_for_update().order_by("pk")}
    if missing := set(quote_ids) - quotes.keys():
        raise Quote.DoesNotExist(f"there is no quote {min(missing)}")
    for quote in quotes.values():
        quote.account = accounts[quote.account_id]
    return quotes


def _promise(quotes: Sequence[Quote], lines: dict[int, list[QuoteLine]], at: datetime) -> None:
    """Price the quotes and point their lines at the frozen Terms."""
    by_day = defaultdict(list)
    for quote in quotes:
        by_day[clock.day(quote.account, at)].append(quote)
    for day, together in by_day.items():
        priced = selectors.price_many(
            askings=[
                selectors.Asking(
                    account=quote.account,
                    wanted=[selectors.wanted(line) for line in lines[quote.pk]],
                    start_on=quote.start_on,
                    besides=quote.pk,
                )
                for quote in together
            ],
            on=day,
        )
        # Refuses what nobody could bill: a tax code without a rate.
        selectors.with_tax_each(
            [(quote.account, found.totals) for quote, found in zip(together, priced, strict=True)]
        )
        for quote, found in zip(together, priced, strict=True):
            quote.one_time_total = found.totals.one_time
            quote.monthly_total = found.totals.monthly
            if quote.is_change:
                _promise_changes(quote, lines[quote.pk], found, at)
        _write(together, lines, [r for found in priced for r in found.resolutions])


def _promise_changes(
    quote: Quote, added: Sequence[QuoteLine], priced: selectors.PricedLines, at: datetime
) -> None:
    """Freeze what a change quote says of services, and what all of it comes to."""
    promised: PromisedChanges = of_changes("promise")(quote=quote, added=priced, at=at)
    lines = {line.pk: line for line in quote.lines.exclude(action=ADD)}
    for said in promised.lines:
        line = lines[said.line_id]
        line.product_version_id, line.quantity = said.product_version_id, said.quantity
        line.characteristics, line.terms_id = said.characteristics, said.terms_id
        line.book_version_id, line.contract_id = said.book_version_id, said.contract_id
        line.why = list(said.why)
    QuoteLine.objects.bulk_update(lines.values(), PROMISED)
    quote.monthly_total, quote.one_time_total = promised.monthly, promised.one_time


def _write(
    quotes: Sequence[Quote],
    lines: dict[int, list[QuoteLine]],
    resolutions: Sequence[Resolution],
) -> None:
    frozen = freeze_terms(resolutions)
    offered = [line for quote in quotes for line in lines[quote.pk]]
    with connection.cursor() as cursor:
        cursor.execute(
            PROMISE,
            [
                [line.pk for line in offered],
                [terms.pk for terms in frozen],
                [r.book_version_id for r in resolutions],
                [r.contract_id for r in resolutions],
                [json.dumps(r.why) for r in resolutions],
            ],
        )
        cursor.execute(
            TOTALS,
            [
                [quote.pk for quote in quotes],
                [quote.one_time_total for quote in quotes],
                [quote.monthly_total for quote in quotes],
            ],
        )


def _refuse_unsendable(quote: Quote, at: datetime) -> None:
    if quote.state not in {Quote.State.DRAFT, Quote.State.APPROVED}:
        refuse_unless_draft(quote)
    refuse_closed(quote.account)
    if quote.currency != quote.account.currency:
        message = _("The account is billed in %(currency)s now; edit the quote first.")
        raise CurrencyChanged(message % {"currency": quote.account.currency}, field="account")
    check_validity(quote.account, quote.valid_until, at)


def _lines_of(
    quotes: Mapping[int, Quote], already: Mapping[int, Collection[str]]
) -> dict[int, list[QuoteLine]]:
    """The lines that add, if they can still be promised: time has passed since the draft."""
    found: dict[int, list[QuoteLine]] = {pk: [] for pk in quotes}
    lines = QuoteLine.objects.filter(quote__in=found, action=ADD).order_by("quote_id", "position")
    for line in lines.select_related("product_version__product"):
        found[line.quote_id].append(line)
    definitions = definitions_of(
        line.product_version for wished in found.values() for line in wished
    )
    for pk, wished in found.items():
        if not wished and not quotes[pk].is_change:
            raise NoLines(_("At least one line is needed."), field="lines")
        for i, line in enumerate(wished):
            refuse_unless_on_sale(line.product_version, field=f"lines[{i}].product")
            # A revised line is of the version on sale now, which may ask for other things.
            check_characteristics(
                line.product_version.characteristics,
                line.characteristics,
                field=f"lines[{i}].characteristics",
            )
        together = [(line.product_version, line.quantity) for line in wished]
        if faults := faults_together(
            together,
            account=quotes[pk].account,
            already=already.get(pk, NOTHING),
            definitions=definitions,
        ):
            raise faults[0]
    return found
