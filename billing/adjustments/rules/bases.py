"""What coupons and minimums go by: what a charge of a service is billed for a full period.

Another price is another charge. All charges of a service that have the same key, and the same tax,
are one for a period: what a correction credits on the new one is of what the old one was billed.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from billing.adjustments.rules.facts import AccountFacts, Base, Measure, Piece, Served
from billing.rules.drafting import AccountDraft
from o2b.money import EXACT, sum_of

# Of a line as COPY wants it; see billing.rules.rendering.
START, END, SINCE, TO, SEGMENT, REVISION, AMOUNT, CODE, RATE = 3, 4, 5, 6, 7, 8, 10, 11, 12


class _Same(NamedTuple):
    """What is counted together: `start` is the first day of the full period."""

    measure: Measure
    start: date
    tax_code: str
    percent: Decimal


def with_drafted(facts: AccountFacts, draft: AccountDraft | None) -> list[Base]:
    """What was billed of the account's charges, and what this draft adds to it."""
    found = {(each.charge, each.period_start, each.segment): each for each in facts.pieces}
    for piece in _drafted(draft, facts.measures):
        key = piece.charge, piece.period_start, piece.segment
        known = found.get(key)
        if known is not None:
            piece = piece._replace(
                period_end=max(piece.period_end, known.period_end),
                amount=EXACT.add(known.amount, piece.amount),
                tax_code=known.tax_code,
                billed=True,
            )
        found[key] = piece
    return bases_of(found.values(), facts.measures)


def _drafted(draft: AccountDraft | None, measures: Mapping[int, Measure]) -> Iterable[Piece]:
    for charge, _, rendered in draft.charges if draft else ():
        if charge not in measures or not rendered.lines:
            continue
        for tail in rendered.tails:
            told = tail.split("\t")
            yield Piece(
                charge,
                date.fromisoformat(told[START]),
                int(told[SEGMENT]),
                int(told[REVISION]),
                date.fromisoformat(told[END]),
                date.fromisoformat(told[SINCE]),
                date.fromisoformat(told[TO]),
                Decimal(told[AMOUNT]),
                told[CODE].replace("\\\\", "\\"),
                Decimal(told[RATE]),
                billed=False,
            )


def bases_of(pieces: Iterable[Piece], measures: Mapping[int, Measure]) -> list[Base]:
    """The pieces of each full period, charges of one measure and tax together.

    What is together stands with the charge that came first.
    """
    periods: dict[tuple[int, date], list[Piece]] = {}
    for each in pieces:
        periods.setdefault((each.charge, each.period_start), []).append(each)
    together: dict[_Same, list[Piece]] = {}
    for (charge, start), own in periods.items():
        newest = max(own, key=lambda each: (each.revision, -each.segment))
        same = _Same(measures[charge], start, newest.tax_code, newest.percent)
        together.setdefault(same, []).extend(own)
    return [_base(same, own) for same, own in together.items()]


def _base(same: _Same, own: list[Piece]) -> Base:
    """A piece of which nothing is left was taken back: its days are served by others, if by any."""
    served = tuple(Served(each.since, each.to, each.amount) for each in own if each.amount)
    return Base(
        min(each.charge for each in own),
        same.measure.product,
        same.start,
        max(each.period_end for each in own),
        sum_of(each.amount for each in own),
        same.tax_code,
        same.percent,
        any(each.billed for each in own),
        min((each.since for each in served), default=same.start),
        served,
    )
