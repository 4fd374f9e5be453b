"""What makes a price by a rate deck one that calls can be rated by."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from o2b.catalog.rules.books import BookRow, RowFault
from o2b.catalog.rules.faults import gettext_noop as _
from o2b.charging.terms import DeckRates

UNKNOWN = _("There is no published rate deck “%(deck)s”: publish it first.")
OTHER_CURRENCY = _("Deck %(deck)s is in %(its)s, the price in %(currency)s.")
NO_NUMBER = _(
    "Meter %(meter)s has no dimension “%(name)s” for numbers: it says how many digits totals keep,"
    " and the meter counts each event by itself."
)
TOO_SHORT = _(
    "Totals keep %(digits)s digits of “%(name)s”; the longest prefix of deck %(deck)s has"
    " %(longest)s."
)


class Known(NamedTuple):
    """Published decks: (currency, digits of the longest prefix); dimensions of meters: digits."""

    decks: Mapping[str, tuple[str, int]]
    numbers: Mapping[str, Mapping[str, int]]


def decks_named(rows: Sequence[BookRow]) -> tuple[set[str], set[str]]:
    """The decks that prices name, and the meters that those are measured by."""
    named = [row.charge for row in rows if isinstance(row.charge.call, DeckRates)]
    decks = {each.call.deck for each in named if isinstance(each.call, DeckRates)}
    return decks, {each.meter_code for each in named}


def faults_of_decks(rows: Sequence[BookRow], known: Known) -> Iterator[RowFault]:
    """Prices whose deck is not published, or whose numbers no event would tell."""
    for row in rows:
        call = row.charge.call
        if isinstance(call, DeckRates):
            yield from _of_price(row, call, known)


def _of_price(row: BookRow, call: DeckRates, known: Known) -> Iterator[RowFault]:
    deck = known.decks.get(call.deck)
    meter = row.charge.meter_code
    digits = known.numbers.get(meter, {}).get(call.number, 0)
    if deck is None:
        yield row.fault("details.deck", UNKNOWN, deck=call.deck)
    elif deck[0] != row.charge.currency:
        told = {"deck": call.deck, "its": deck[0], "currency": row.charge.currency}
        yield row.fault("details.deck", OTHER_CURRENCY, **told)
    if not digits:
        yield row.fault("details.number", NO_NUMBER, meter=meter, name=call.number)
    elif deck is not None and digits < deck[1]:
        yield row.fault(
            "details.number",
            TOO_SHORT,
            digits=digits,
            name=call.number,
            deck=call.deck,
            longest=deck[1],
        )
