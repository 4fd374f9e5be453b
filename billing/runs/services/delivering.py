"""What the check asks where parts of a delivery cost: how much was there, from orders alone."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import date

from billing.rules.expecting import Promised, delivered_by
from billing.runs.selectors.delivered import Parts, parts_of
from billing.runs.selectors.expected import PromisedRow
from o2b.charging import CompiledCharge, Kind, Segment


@dataclass(slots=True)
class Delivered:
    """Item → its parts by day, where each costs; `untold` items do not know of all of them yet.

    They name the order whose reaction fails, so that nobody knows when they will; else None.
    """

    parts: dict[int, Parts] = field(default_factory=dict)
    untold: dict[int, int | None] = field(default_factory=dict)

    def told(
        self,
        rows: list[PromisedRow],
        drafts: MutableMapping[int, tuple[int, str]],
        *,
        tell: Callable[[PromisedRow, str, str, str], None],
    ) -> list[PromisedRow]:
        """Without the untold, and their drafts: the next run looks at those.

        Where it is not known when they will be, that is told of a charge of each.
        """
        if not self.untold:
            return rows
        untold = [row for row in rows if row.item_id in self.untold]
        for row in untold:
            drafts.pop(row.charge_id or 0, None)
        for row in {row.item_id: row for row in untold}.values():
            order = self.untold[row.item_id]
            if order is not None:
                task = f"subscriptions.take_parts({order})"
                tell(row, "quantity", "all parts that were delivered", f"{task} has not run")
        return [row for row in rows if row.item_id not in self.untold]

    def began_on(self, item_id: int) -> date | None:
        """The day of the first part; None where parts do not count, or none is known."""
        parts = self.parts.get(item_id)
        return parts[0][0] if parts else None

    def of(self, item_id: int, compiled: CompiledCharge, segments: list[Segment]) -> list[Segment]:
        """The days with how much of the service was delivered; what was used is paid as used."""
        parts = self.parts.get(item_id)
        if parts is None or compiled.metered:
            return segments
        return delivered_by(segments, parts, once=compiled.terms.kind is Kind.ONE_TIME)


def delivered_of(rows: Iterable[PromisedRow], terms: Mapping[int, Promised]) -> Delivered:
    """The parts of those items whose services began under Terms that let each cost.

    An unchanged item stands under these; what was changed may stand under any, so it is asked.
    """
    asked = {
        row.item_id: row.plain for row in rows if not row.plain or terms[row.terms_id].each_part
    }
    if not asked:
        return Delivered()
    parts, untold = parts_of(asked)
    # A line that came at once may have kept no part: an unchanged item says when it came.
    return Delivered({pk: own for pk, own in parts.items() if own or not asked[pk]}, untold)
