"""A draft is cut into the documents of its account: nothing is added, nothing is lost."""

from collections.abc import Mapping

from billing.documents.rules.places import NOWHERE, Place, home_of
from billing.rules.adjustments import Adjustment
from billing.rules.drafting import AccountDraft
from billing.rules.rendering import Rendered
from o2b.money import EXACT, sum_of

Charges = dict[str, list[tuple[int, int, Rendered]]]


def split_draft(draft: AccountDraft, places: Mapping[int, Place], split: str) -> AccountDraft:
    """The draft with a document for each place.

    A discount goes with its charge, whatever coupon it comes from; a true-up stands on the first
    document. Net and tax of the documents add up to those of the draft, for they are its rows.
    """
    keys = {charge: place.key for charge, place in places.items()}
    home = home_of(billing_charges(draft), draft.adjustments, keys)
    charges: Charges = {}
    for row in draft.charges:
        charges.setdefault(keys.get(row[0], ""), []).append(row)
    given: dict[str, list[Adjustment]] = {}
    for each in draft.adjustments:
        key = home if each.charge is None else keys.get(each.charge, "")
        given.setdefault(key, []).append(each)
    texts: dict[str, str] = {}
    for place in places.values():
        texts.setdefault(place.key, place.about)
    documents = tuple(
        _document(charges.get(key, []), given.get(key, []), split, texts.get(key, NOWHERE.about))
        for key in sorted(charges.keys() | given.keys())
    )
    return draft._replace(documents=documents)


def billing_charges(draft: AccountDraft) -> list[int]:
    """The charges that have a line in it."""
    return [charge for charge, _, rendered in draft.charges if rendered.lines]


def _document(
    charges: list[tuple[int, int, Rendered]], given: list[Adjustment], split: str, about: str
) -> AccountDraft:
    rows = [rendered for _, _, rendered in charges]
    return AccountDraft(
        tuple(charges),
        EXACT.add(sum_of(row.net for row in rows), sum_of(each.amount for each in given)),
        EXACT.add(sum_of(row.tax for row in rows), sum_of(each.tax for each in given)),
        sum(row.lines for row in rows),
        tuple(given),
        split=split,
        about=about,
    )
