"""The dated facts of a service, as the rules take them: what holds from which day."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Act(StrEnum):
    """What a fact changes. Sources: Zuora (order actions), Kill Bill (subscription events)."""

    START = "start"
    PART = "part"
    TERMS = "terms"
    REPLACE = "replace"
    QUANTITY = "quantity"
    SUSPEND = "suspend"
    RESUME = "resume"
    MOVE = "move"
    TRANSFER = "transfer"
    END = "end"
    WITHDRAW = "withdraw"


class Billing(StrEnum):
    """How a suspension is billed: as if in use, not at all, or by the Terms of a holding fee."""

    FULL = "full"
    NONE = "none"
    FEE = "fee"


# Which of one day's facts is taken first: what begins before what changes before what ends.
RANK = {act: n for n, act in enumerate(Act)} | {Act.TRANSFER: 0, Act.RESUME: 0}


@dataclass(frozen=True, slots=True)
class Fact:
    """One dated fact of a service; `key` is its place in the order in which facts came in.

    START names version, Terms, quantity and account; TERMS a version and its Terms (an upgrade),
    or Terms alone: another price of what is there, as a renewal brings it; REPLACE another version
    under the same Terms; QUANTITY how many in all; SUSPEND how it is billed, with the Terms of a
    holding fee; TRANSFER the account that has it from the day on; END the first day out of service;
    WITHDRAW the key of a fact that does not hold; PART how much of the whole is delivered, on the
    day of the start less than a START alone says. `line` is the order line whose characteristics
    hold from the day on, as a MOVE to another address changes them.
    """

    key: int
    act: Act
    on: date
    product_version: int | None = None
    terms: int | None = None
    quantity: Decimal | None = None
    billing: Billing | None = None
    account: int | None = None
    withdraws: int | None = None
    line: int | None = None
    delivered: Decimal | None = None


def standing_facts(facts: list[Fact]) -> list[Fact]:
    """Facts that hold, in the order of their days; what was withdrawn is as if never told."""
    gone = {fact.withdraws for fact in facts if fact.act is Act.WITHDRAW}
    held = [fact for fact in facts if fact.act is not Act.WITHDRAW and fact.key not in gone]
    return sorted(held, key=lambda fact: (fact.on, RANK[fact.act], fact.key))
