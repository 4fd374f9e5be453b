"""The lines of a charge: its targets against what was billed of each full period and segment."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from o2b.charging.basis import Basis, UsageBasis
from o2b.charging.begun import carried
from o2b.charging.facts import ChargeFacts
from o2b.charging.proration import delivered_of, targets
from o2b.charging.ramps import free_until, terms_on
from o2b.charging.rating import RatedPeriod
from o2b.charging.schedule import Piece
from o2b.charging.sharing import Of, Part, dealt
from o2b.charging.terms import ChargeTerms, Kind, Proration
from o2b.money import EXACT, quantise
from o2b.periods import Period

PERIOD, ONE_TIME, CHANGE, LATE, POOL = "period", "one_time", "change", "late_usage", "pool"
REVERSAL = "reversal"  # of lines that mirror others; drafting never gives it

_ZERO = Decimal(0)

# A DraftLine without its ref: what charges of equal terms and dates have in common.
Rest = tuple[str, Period, Period, int, int, Decimal, Decimal, Decimal, str, Basis | None]


class Differ:
    """Targets against what was billed, for each full period and segment."""

    def __init__(self, charge: ChargeFacts, terms: ChargeTerms) -> None:
        billed = charge.billed or ()
        self.terms = terms
        self.started_on = charge.started_on
        self.left = {(each.period_start, each.segment): each for each in billed}
        self.known = {each.period_start for each in billed if not each.undone}
        self.full_periods: dict[date, Period] = {}
        self.cause = ONE_TIME if terms.kind is Kind.ONE_TIME else PERIOD
        self.late_to = charge.billed_through if charge.late else None
        self.late = charge.late
        self.late_cause = LATE if charge.prepaid is None else POOL
        self.sharing = charge.sharing
        self.begun = charge.begun
        self.found: list[Rest] = []

    def add(self, full: Period, pieces: tuple[Piece, ...]) -> None:
        """Bill what each piece should cost less what it has been billed.

        What was paid whole under another price is gone on with: it is a piece that is not this
        charge's, and of what comes after it that which costs nothing more has no line.
        """
        pieces, paid = self._with_paid(full, pieces) if self.begun else (pieces, ())
        in_force = None
        if self.terms.ramp:
            started_on = self.started_on
            in_force = [
                terms_on(self.terms, each.period.start, started_on=started_on) for each in pieces
            ]
        shares = [(each.quantity, each.period) for each in pieces]
        delivered = delivered_of(each.delivered for each in pieces)
        by_day = paid if self.terms.proration is Proration.DAY else ()
        amounts = targets(
            self.terms, shares, full=full, in_force=in_force, delivered=delivered, paid=by_day
        )
        own = dealt(self._part(pieces[0].period.start), amounts, self.terms.currency)
        first = paid[0] if paid else len(pieces)
        for n, (piece, (target, of)) in enumerate(zip(pieces, own, strict=True), start=1):
            if n not in paid and (n <= first or target or (full.start, n) in self.left):
                before = by_day and tuple(each for each in by_day if each < n)
                self._add(full, piece, target, shares[:n], delivered[:n], of=of, paid=before)

    def _with_paid(
        self, full: Period, pieces: tuple[Piece, ...]
    ) -> tuple[tuple[Piece, ...], tuple[int, ...]]:
        """The pieces with those before them that were paid whole, and the numbers of these.

        A charge that service comes back to may have such between its own.
        """
        start = max(full.start, free_until(self.terms, self.started_on))
        found: list[Piece] = []
        paid: list[int] = []
        for piece in pieces:
            before = carried(self.begun, start=start, end=piece.period.start)
            if before is not None:
                for what in before.there:
                    found.append(Piece(len(found) + 1, before.period, *what))
                    paid.append(len(found))
            found.append(piece._replace(segment=len(found) + 1))
            start = piece.period.end
        return tuple(found), tuple(paid)

    def _part(self, day: date) -> Part | None:
        """The payer's part of a period is that of the first day which is billed of it."""
        return None if self.sharing is None else self.sharing.on(day)

    def add_usage(self, rated: RatedPeriod) -> None:
        """A period of usage is one piece; one that costs nothing and saw nothing has no line.

        The mark moves over it all the same, and usage that is told later is billed as late if the
        charge says so (a period that had no line too), else as a change of the charge. Of one that
        draws from a pool the usage of others may be what was told later.
        """
        full = rated.full
        seen = full.start in self.known and (full.start, 1) in self.left
        if rated.amount or rated.quantity or seen:
            passed = self.late_to is not None and full.end <= self.late_to
            cause = self.late_cause if self.late and (seen or passed) else ""
            piece = Piece(1, rated.served, rated.quantity)
            part = self._part(rated.served.start)
            ((amount, of),) = dealt(part, [rated.amount], self.terms.currency)
            self._add(full, piece, amount, rated.shares, (), cause, rated.basis, of)

    def _add(
        self,
        full: Period,
        piece: Piece,
        target: Decimal,
        shares: Sequence[tuple[Decimal, Period]],
        delivered: tuple[Decimal, ...],
        cause: str = "",
        usage: UsageBasis | None = None,
        of: Of | None = None,
        *,
        paid: tuple[int, ...] = (),
    ) -> None:
        """One piece; who has no part of it and was billed none gets no line."""
        self.full_periods[full.start] = full
        segment, period, quantity, _ = piece
        if delivered:
            quantity = EXACT.multiply(quantity, delivered[-1])
        cause = cause or (CHANGE if full.start in self.known else self.cause)
        before = self.left.pop((full.start, segment), None)
        if before is None and of is not None and not of.part.percent:
            return
        revision, amount = 1, target
        if before is not None:
            revision, amount = before.revision + 1, EXACT.subtract(target, before.amount)
            if not amount:
                return
        key, basis = self.terms.key, None
        if segment > 1 or before is not None or usage is not None or of is not None or delivered:
            part, whole = of or (None, None)
            told = before.amount if before else None
            basis = Basis(tuple(shares), told, usage, part, whole, delivered, paid)
        self.found.append(
            (key, period, full, segment, revision, quantity, amount, target, cause, basis)
        )

    def lines(self) -> list[Rest]:
        """All lines by period and segment; what was billed and is no more gets target 0."""
        key, nothing = self.terms.key, quantise(_ZERO, self.terms.currency)
        for gone in self.left.values():
            if not gone.amount:
                continue
            billed = Period(gone.period_start, gone.period_end)
            full = self.full_periods.get(gone.period_start, billed)
            amount, revision = EXACT.subtract(nothing, gone.amount), gone.revision + 1
            basis = Basis((), gone.amount)
            self.found.append(
                (key, billed, full, gone.segment, revision, _ZERO, amount, nothing, CHANGE, basis)
            )
        if self.left:
            self.found.sort(key=lambda line: (line[2].start, line[3]))
        return self.found
