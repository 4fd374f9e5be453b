"""What the check of a run asks where several pay: their parts, from the agreements themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from billing.payers.selectors import agreed_of
from billing.promises.selectors import Broken, broken
from billing.rules.expecting import Promised
from billing.rules.sharing import sharing_of
from billing.runs.selectors.expected import (
    OTHERS,
    PromisedRow,
    Served,
    still_to_open,
    verified_terms,
)
from o2b.charging import ChargeTerms
from o2b.charging.sharing import Sharing

Place = tuple[int, int]  # payer, item


def sharings_of(rows: Iterable[PromisedRow]) -> dict[Place, Sharing]:
    """The part of each payer of an item, by day; nothing where one pays the whole."""
    shared = {(row.account_id, row.item_id): row.shared for row in rows if row.shared}
    agreed = agreed_of({item for _, item in shared})
    return {
        (payer, item): sharing_of(agreed[item], payer=payer if whose == OTHERS else None)
        for (payer, item), whose in shared.items()
        if item in agreed
    }


def is_shared(terms: ChargeTerms) -> bool:
    """Money for the account's own wallet is its own to pay."""
    return terms.grant is None or not terms.grant.is_money


def names_of(row: PromisedRow, promised: Promised) -> set[str]:
    """The charges of the Terms that this payer should have."""
    return {
        name for name, terms in promised.charges.items() if row.shared != OTHERS or is_shared(terms)
    }


def owes_charges(row: PromisedRow, promised: Promised) -> bool:
    """Whether an item without a charge of this payer lacks one."""
    return row.shared != OTHERS or bool(names_of(row, promised))


def unopened(
    changed: Sequence[PromisedRow], served: Mapping[Place, Sequence[Served]]
) -> list[PromisedRow]:
    """A row of each payer who lacks a charge of Terms that a change of an item brought.

    Not of those that the outbox still opens.
    """
    known: dict[Place, set[int]] = {}
    first: dict[Place, PromisedRow] = {}
    for row in changed:
        place = (row.account_id, row.item_id)
        known.setdefault(place, set()).add(row.terms_id)
        first.setdefault(place, row)
    terms_of: dict[int, set[int]] = {}
    for item, terms in served:
        terms_of.setdefault(item, set()).add(terms)
    lacks = {
        place: terms_of[place[1]] - terms
        for place, terms in known.items()
        if not terms >= terms_of.get(place[1], set())
    }
    of_others = {place for place in lacks if first[place].shared == OTHERS}
    told = verified_terms({pk for place in of_others for pk in lacks[place]}) if of_others else {}
    for place in of_others:
        lacks[place] = {
            pk
            for pk in lacks[place]
            if (body := told.get(pk)) is None or any(map(is_shared, body.charges))
        }
    bare = {place for place in lacks if lacks[place]}
    opening = still_to_open({item for _, item in bare}) if bare else set()
    return [first[place] for place in sorted(bare) if place[1] not in opening]


def broken_for_others(rows: Iterable[tuple[Any, ...]]) -> Iterator[Broken]:
    """Promises to others that are broken: who pays a part of these is not billed either."""
    payers: dict[int, set[int]] = {}
    for row in rows:
        if row[10] == OTHERS and row[1] is not None:
            payers.setdefault(row[1], set()).add(row[0])
    if not payers:
        return
    found = broken(which="promise.id = ANY(%s)", values=[sorted(payers)])
    for each in found:
        for payer in sorted(payers[each.promise_id]):
            yield replace(each, account_id=payer)
