"""A shard's drafts are split into documents, where an account wants that; else nothing is asked."""

from collections.abc import Iterable, Mapping
from datetime import date

from billing.documents.rules.places import Place
from billing.documents.rules.splitting import split_draft
from billing.documents.selectors.places import places_of
from billing.rules.drafting import AccountDraft
from billing.runs.selectors.due import AccountFacts

Places = dict[int, dict[int, Place]]


def places_in(accounts: Mapping[int, AccountFacts], *, on: date) -> Places:
    """account → charge → its document, of those accounts whose bills are split."""
    splits = {pk: each.split for pk, each in accounts.items() if each.split}
    return places_of(splits, on=on) if splits else {}


def keys_of(places: Mapping[int, Mapping[int, Place]]) -> dict[int, str]:
    """charge → what sorts its document: by these keys tax is rounded together."""
    return {charge: place.key for charges in places.values() for charge, place in charges.items()}


def split_drafts(
    drafts: dict[int, AccountDraft],
    accounts: Mapping[int, AccountFacts],
    places: Mapping[int, Mapping[int, Place]],
    *,
    skip: Iterable[int],
) -> None:
    """Give each draft of these accounts its documents."""
    for account_id in places.keys() & drafts.keys() - set(skip):
        split = accounts[account_id].split
        drafts[account_id] = split_draft(drafts[account_id], places[account_id], split)
