"""period.boundaries: where full periods begin and end, and when they are invoiced."""

from datetime import date
from decimal import Decimal

from o2b.charging import ChargeFacts
from o2b.charging.schedule import schedule_of
from o2b.periods import Period
from tests.cases.adapter.grid import Grid
from tests.cases.adapter.selling import NOTHING, ONE, net, served
from tests.cases.asking import Answers, Asked, Boundaries, Drafts, First, Lines, Pure
from tests.cases.reading import CaseInput

SEEN = 12  # of them that are billed
MANY = 24  # periods, where a case does not say how many it shows


def boundaries(case: CaseInput) -> Asked:
    """The days between periods: those of the lines of a service that is billed till they are due.

    A number of periods that are no whole ones is no day of a bill.
    """
    given = case.given
    grid = Grid(case)
    price = given.maybe_decimal("price") or ONE
    counted = given.has("periods") or given.has("end") or grid.until is not None
    shown = grid.periods(given.integer("periods") if given.has("periods") else MANY)
    if grid.until is not None:
        shown = grid.due()
    elif not counted:
        shown = shown[:SEEN]
    if "number_of_cycles" in case.wanted:
        return Pure(lambda: {"number_of_cycles": grid.number(), "items": len(shown)})
    return _of_bills(grid, price, shown, counted=counted)


def _of_bills(grid: Grid, price: Decimal, shown: list[Period], *, counted: bool) -> Asked:
    due = _due_days(grid, shown)

    def read(found: Lines) -> Answers:
        periods = [line.period for line in found[0]]
        answers = {
            "boundaries": Boundaries(grid.start, [each.end for each in periods], not counted),
            "periods": [grid.shown(each) for each in periods],
            "periods_end": [grid.shown(each)[1] for each in periods],
            "invoice_dates": due,
            "items": len(periods),
            "total": net(found[0]),
        }
        for first in periods[:1]:
            answers["first_period_end"] = grid.shown(first)[1]
        return answers if counted else _beginning(answers)

    return Drafts((grid.charge(grid.terms(price)),), grid.until or list(due).pop(), read)


def _beginning(answers: Answers) -> Answers:
    """The same where lists go on and on."""
    return {key: First(each) if isinstance(each, list) else each for key, each in answers.items()}


def _due_days(grid: Grid, shown: list[Period]) -> list[date]:
    """When each period is due, as a draft has it."""
    promised = grid.terms(NOTHING)
    facts = ChargeFacts(
        1, promised, grid.start, grid.anchor_day, (served(grid.start, grid.end),), None
    )
    schedule = schedule_of(facts, promised)
    return [
        schedule.due_on(schedule.period_on(period.start), since=period.start) for period in shown
    ]
