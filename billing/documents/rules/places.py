"""Which document of its account a charge stands on: by purchase order, site or item; pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from billing.rules.adjustments import Adjustment
from o2b.customers.layouts import Split

LONGEST = 250


class Place(NamedTuple):
    """A document of an account: what sorts it among the others, and what it says it is for."""

    key: str
    about: str


NOWHERE = Place("", "")


class Whereabouts(NamedTuple):
    """What is known of a charge that a bill may be split by, as it is now."""

    charge: int
    account: int
    po_number: str
    site: str
    item: int
    item_text: str


def place_of(facts: Whereabouts, split: str) -> Place:
    """The document of a charge; what has no purchase order or site stands with its like.

    Case and spaces make no other document: nobody wants two bills for one site.
    """
    if split == Split.ITEM:
        return Place(f"{facts.item:020}", facts.item_text[:LONGEST])
    said = facts.po_number if split == Split.PURCHASE_ORDER else facts.site
    about = " ".join(said.split())[:LONGEST]
    return Place(about.casefold(), about)


def home_of(
    charges: Iterable[int], adjustments: Iterable[Adjustment], keys: Mapping[int, str]
) -> str:
    """Where stands what belongs to no charge: on the first document of the account.

    `charges` are those that bill something. What has no purchase order or site sorts first.
    """
    billed = [keys.get(charge, "") for charge in charges]
    billed += [keys.get(each.charge, "") for each in adjustments if each.charge is not None]
    return min(billed, default="")
