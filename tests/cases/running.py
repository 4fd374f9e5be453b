"""Runs what the adapter asks for: a pure call, a draft, and for what is sold a real bill run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from o2b.charging import Billed, ChargeFacts, DraftLine, TermsInvalid, draft
from o2b.charging.facts import Segment
from o2b.charging.models import BeyondTiers, EventsNeeded
from o2b.charging.sharing import Sharing, parts_of
from o2b.money import minor_unit
from tests.cases.adapter import LACKING, TOPICS
from tests.cases.asking import Answers, Asked, Charge, Credit, Drafts
from tests.cases.loading import PublishedCase
from tests.cases.reading import CaseInput, Unknown


class Skipped(Exception):
    """The case is not asserted, and why."""


def ask(case: PublishedCase) -> Asked:
    """What the adapter makes of a case; Skipped where it knows a topic, key or word not."""
    if not case.verified:
        raise Skipped("not verified by those who collected it: not asserted")
    if case.topic in LACKING:
        raise Skipped(f"the product lacks {LACKING[case.topic]}")
    if case.topic not in TOPICS:
        raise Skipped(f"not built yet: {case.topic}")
    if case.stray:
        raise Skipped(f"unknown: {', '.join(case.stray)}")
    told = CaseInput(case.topic, case.given, case.conventions, frozenset(case.expect))
    try:
        asked = TOPICS[case.topic](told)
    except (Unknown, BeyondTiers, EventsNeeded) as unknown:
        raise Skipped(str(unknown)) from unknown
    except TermsInvalid as refused:
        raise Skipped(f"refused by the engine: {refused}") from refused
    if unread := told.unread():
        raise Skipped(f"unknown: {', '.join(unread)}")
    return asked


def drafted(asked: Drafts) -> Answers:
    """The answers by draft(): what was billed before is drafted first, then the rest."""
    try:
        before = [_before(charge) for charge in asked.charges]
        pairs = zip(asked.charges, before, strict=True)
        found = [lines for charge, told in pairs for lines in _by_payer(charge, asked, told)]
        return asked.answers(found, before)
    except BeyondTiers as beyond:
        raise Skipped(f"unknown: {beyond}") from beyond


def exactly(asked: Drafts) -> Answers:
    """The answers of pure functions, which have all the decimals there are."""
    if asked.exact is None:
        raise ValueError("asked for a draft only")
    try:
        return asked.exact()
    except BeyondTiers as beyond:
        raise Skipped(f"unknown: {beyond}") from beyond


def _before(charge: Charge) -> list[DraftLine]:
    if charge.billed_until is None:
        return []
    return draft([_facts(charge, charge.segments, None, None)], until=charge.billed_until)


def _by_payer(
    charge: Charge, asked: Drafts, before: Sequence[DraftLine]
) -> Iterator[list[DraftLine]]:
    """The lines of the customer, then those of each who pays a part of the charge."""
    if not charge.payers:
        yield _lines(charge, asked, before)
        return
    *parts, rest = parts_of(charge.payers)
    for part in (rest, *parts):
        facts = _facts(charge, charge.segments, None, None)
        yield draft([facts._replace(sharing=Sharing(part))], until=asked.until)


def _lines(charge: Charge, asked: Drafts, before: Sequence[DraftLine]) -> list[DraftLine]:
    if charge.billed_until is None:
        facts = _facts(charge, charge.segments, charge.billed, charge.billed_through)
    else:
        charge = replace(charge, usage=(*charge.usage, *charge.late))
        billed = tuple(
            Billed(
                each.full_period.start,
                each.segment,
                each.revision,
                each.target,
                each.full_period.end,
            )
            for each in before
        )
        facts = _facts(charge, charge.later, billed, charge.billed_through)
    return draft([facts], until=asked.until)


def _facts(
    charge: Charge,
    segments: tuple[Segment, ...],
    billed: tuple[Billed, ...] | None,
    through: Any,
) -> ChargeFacts:
    return ChargeFacts(
        ref=1,
        terms=charge.terms,
        started_on=charge.started_on,
        anchor_day=charge.anchor_day,
        segments=segments,
        billed_through=through,
        billed=billed,
        usage=charge.usage,
    )


def is_whole(answers: Mapping[str, Any], currency: str) -> bool:
    """Whether every amount is one that a bill in this currency can have."""
    return all(_whole(each, currency) for each in answers.values())


def _whole(answer: Any, currency: str) -> bool:
    if isinstance(answer, Sequence) and not isinstance(answer, str | Credit):
        return all(_whole(each, currency) for each in answer)
    amount = answer.amount if isinstance(answer, Credit) else answer
    return not amount % minor_unit(currency)
