"""period.boundaries: where full periods begin and end, and when they are invoiced."""

from datetime import date

from o2b.charging import ChargeFacts
from o2b.charging.schedule import schedule_of
from o2b.periods import Period
from tests.cases.adapter.grid import Grid
from tests.cases.adapter.selling import NOTHING, net, served
from tests.cases.asking import Asked, Boundaries, Drafts, First, Pure
from tests.cases.reading import CaseInput

MANY = 24  # periods, where a case does not say how many it shows


def boundaries(case: CaseInput) -> Asked:
    """The days between periods; with a price they are those of the lines of a draft."""
    given = case.given
    grid = Grid(case)
    if given.has("price") and given.has("target_date"):
        charge = grid.charge(grid.terms(given.decimal("price")))
        return Drafts(
            (charge,),
            given.day("target_date"),
            lambda found: {
                "periods": [grid.shown(line.period) for line in found[0]],
                "items": len(found[0]),
                "total": net(found[0]),
            },
        )
    if given.has("price"):
        given.decimal("price")
    counted = given.has("periods")
    shown = grid.periods(given.integer("periods") if counted else MANY)
    if given.has("target_date"):
        shown, counted = grid.due(), True
    elif given.has("end"):
        counted = True
    answers = {
        "first_period_end": grid.shown(shown[0])[1],
        "boundaries": Boundaries(grid.start, [period.end for period in shown]),
        "periods": [grid.shown(period) for period in shown],
        "periods_end": [grid.shown(period)[1] for period in shown],
        "invoice_dates": _due_days(grid, shown),
        "items": len(shown),
    }
    if not counted:
        answers = {
            key: First(each) if isinstance(each, list) else each for key, each in answers.items()
        }
    if grid.until is not None or given.has("end"):
        answers["number_of_cycles"] = grid.number()
    return Pure(lambda: answers)


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
