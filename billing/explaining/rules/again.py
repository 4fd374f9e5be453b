"""A line from its inputs alone: frozen Terms, its own row, its basis, what was billed before.

The amount comes from the functions that drafted it (`o2b.charging.proration`, `.rating`); the steps
tell the same arithmetic in words and numbers, and end in it.
"""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from billing.explaining.rules.steps import (
    MOST_EVENTS,
    part_told,
    pieces_told,
    rounded_told,
    usage_told,
)
from billing.rules.basis import BasisUnreadable, Counted, Stored, read_basis
from billing.rules.metering import stored_quantity
from o2b.charging import Aggregation, ChargeTerms, Kind, Step
from o2b.charging.basis import Basis, UsageBasis
from o2b.charging.measuring import Measuring
from o2b.charging.proration import targets
from o2b.charging.ramps import terms_on
from o2b.charging.rating import amount_of
from o2b.charging.schedule import Piece
from o2b.charging.sharing import shared
from o2b.charging.terms import plain
from o2b.money import EXACT, quantise, sum_of
from o2b.periods import Period

NO_BASIS, UNREADABLE = "no_basis", "unreadable"
SHARE = "share"
_ZERO = Decimal(0)


class NotReExecutable(ValueError):
    """What was kept of a line is not enough; `code` says why, no amount is guessed."""

    def __init__(self, code: str, told: str = "") -> None:
        super().__init__(told or code)
        self.code = code


class Inputs(NamedTuple):
    """What the row of a line says: days served, full period, its numbers, and its charge's start.

    `billed_before` is the sum of the earlier revisions, as their own rows have it.
    """

    period: Period
    full: Period
    segment: int
    revision: int
    quantity: Decimal
    started_on: date
    billed_before: Decimal = _ZERO


class Explained(NamedTuple):
    """A line computed again: `target` is what its piece costs in all, `amount` what was to bill.

    `facts` are units, days and the like, (label, text) each. Not `agrees`: the row says another
    quantity, other days or another sum billed before than what it was computed from.
    """

    steps: tuple[Step, ...]
    facts: tuple[tuple[str, str], ...]
    target: Decimal
    billed_before: Decimal
    amount: Decimal
    prepaid: Decimal = _ZERO
    agrees: bool = True


def re_execute(terms: ChargeTerms, line: Inputs, told: Any) -> Explained:
    """Compute a line again; `told` is its basis as JSON. Raises NotReExecutable.

    Only the first piece of a period that is billed for the first time needs no basis.
    """
    stored = _stored(terms, line, told)
    basis = stored.basis
    if not basis.pieces:
        nothing = quantise(_ZERO, terms.currency)
        found = Explained((Step("not served", "0", nothing),), (), nothing, _ZERO, nothing)
        found = found._replace(agrees=line.quantity == 0)
    elif basis.usage is not None:
        found = _usage(terms, line, basis, basis.usage, stored.events)
    else:
        found = _pieces(terms, line, basis)
    return _less_before(found, line, basis)


def mirror(amount: Decimal) -> Explained:
    """A line that takes back another of so much: the same, turned."""
    told = f"−{rounded_told(amount)}"
    turned = EXACT.subtract(_ZERO, amount)
    return Explained((Step("taken back", told, turned),), (), _ZERO, amount, turned)


def _stored(terms: ChargeTerms, line: Inputs, told: Any) -> Stored:
    usage = terms.kind is Kind.USAGE
    if told is None:
        if usage or line.segment > 1 or line.revision > 1:
            raise NotReExecutable(NO_BASIS)
        return Stored(Basis(((line.quantity, line.period),)))
    try:
        stored = read_basis(told)
    except BasisUnreadable as exc:
        raise NotReExecutable(UNREADABLE, str(exc)) from exc
    if stored.basis.pieces and usage != (stored.basis.usage is not None):
        raise NotReExecutable(UNREADABLE, "of another kind of charge")
    return stored


def _pieces(terms: ChargeTerms, line: Inputs, basis: Basis) -> Explained:
    """By running total: all pieces of the period up to this one are computed."""
    in_force = [terms_on(terms, days.start, started_on=line.started_on) for _, days in basis.pieces]
    delivered = basis.delivered
    amounts = targets(
        terms,
        basis.pieces,
        full=line.full,
        in_force=in_force,
        delivered=delivered,
        paid=basis.paid,
    )
    steps = pieces_told(
        terms,
        basis.pieces,
        full=line.full,
        in_force=in_force,
        amounts=amounts,
        part=basis.part,
        delivered=delivered,
        paid=basis.paid,
    )
    facts: tuple[tuple[str, str], ...] = ()
    whole = None
    if basis.part is not None:
        whole = sum_of(amounts)
        amounts = shared(basis.part, amounts, terms.currency)
        facts = ((SHARE, f"{plain(basis.part.percent)} %"),)
    quantity, days = basis.pieces[-1]
    if delivered:
        quantity = stored_quantity(EXACT.multiply(quantity, delivered[-1]))
    agrees = len(basis.pieces) == line.segment and (quantity, days) == (line.quantity, line.period)
    agrees = agrees and whole == basis.whole
    return Explained(tuple(steps), facts, amounts[-1], _ZERO, amounts[-1], agrees=agrees)


def _usage(
    terms: ChargeTerms,
    line: Inputs,
    basis: Basis,
    usage: UsageBasis,
    events: tuple[Counted, ...],
) -> Explained:
    pieces = [Piece(n, days, q) for n, (q, days) in enumerate(basis.pieces, start=1)]
    shared = Measuring((), terms, Aggregation.SUM).of(line.full, pieces)
    measured = shared._replace(quantity=usage.quantity, events=usage.events)
    in_force = terms_on(terms, measured.served.start, started_on=line.started_on)
    target = amount_of(in_force, measured, usage.covered)
    steps = list(usage_told(in_force, measured, usage.covered, events, target))
    whole = target if basis.part is not None else None
    if basis.part is not None:
        step = part_told(basis.part, target, terms.currency)
        steps, target = [*steps, step], step.result
    agrees = (
        line.segment == 1
        and stored_quantity(usage.quantity) == line.quantity
        and measured.served == line.period
        and whole == basis.whole
    )
    facts = [("used", plain(usage.quantity))]
    if basis.part is not None:
        facts.append((SHARE, f"{plain(basis.part.percent)} %"))
    if usage.own is not None and usage.available is not None:
        facts.append(("included", f"{plain(usage.own)} / {plain(usage.available)}"))
    if usage.prepaid:
        facts.append(("covered by a pool", plain(usage.prepaid)))
    if measured.reached != measured.whole:
        facts.append(("days", f"{measured.reached} / {measured.whole}"))
    if len(events) > MOST_EVENTS:
        facts.append(("events", str(sum(each.times for each in events))))
    return Explained(
        tuple(steps), tuple(facts), target, _ZERO, target, prepaid=usage.prepaid, agrees=agrees
    )


def _less_before(found: Explained, line: Inputs, basis: Basis) -> Explained:
    """Revision n bills the target as it is now less all that revisions before it billed."""
    if line.revision == 1 and basis.before is None:
        return found
    before, agrees = line.billed_before, basis.before == line.billed_before
    amount = EXACT.subtract(found.target, before)
    step = Step("billed before", f"{rounded_told(found.target)} − {rounded_told(before)}", amount)
    return found._replace(
        steps=(*found.steps, step),
        billed_before=before,
        amount=amount,
        agrees=found.agrees and agrees,
    )
