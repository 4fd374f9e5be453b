"""credit_note.termination: what comes back of a paid period when service ends, with its tax."""

from datetime import date

from o2b.charging.daycount import ratio
from o2b.charging.tax import add_tax
from o2b.money import Exact, part_of
from o2b.periods import Period
from tests.cases.adapter import words
from tests.cases.adapter.cancelling import days, start_told
from tests.cases.adapter.grid import Grid
from tests.cases.adapter.paid import of_days
from tests.cases.adapter.selling import NOTHING, net, served
from tests.cases.asking import Asked, Credit, Drafts
from tests.cases.reading import CaseInput, Keys


def termination(case: CaseInput) -> Asked:
    """What of a paid period comes back, with its tax: of so many days, or from a day on."""
    given = case.given
    if given.has("unused_days"):
        paid = of_days(given.integer("unused_days"), given.integer("period_days"))
        grid = Grid(case, start=paid.period.start)
        grid.interval = paid.interval
        return _terminated(given, grid, paid.on, billed_until=grid.start)
    last = given.day("terminated")
    grid = Grid(case, start=start_told(given, last))
    outside = Period.inclusive(last, last).end if grid.last_inside else last
    return _terminated(given, grid, outside, billed_until=last)


def _terminated(given: Keys, grid: Grid, outside: date, *, billed_until: date) -> Asked:
    """The net amounts are billed and credited; tax is taken on the unrounded net, apart."""
    price, percent = given.decimal("price"), given.decimal("tax_percent")
    charge = grid.charge(
        grid.terms(price),
        served(grid.start),
        billed_until=billed_until,
        later=days(grid.start, outside),
    )
    back = add_tax(part_of(price, _unused(grid, billed_until, outside)), percent, words.CURRENCY)
    return Drafts(
        (charge,),
        outside,
        lambda found: {
            "credit_ex_tax": Credit(net(found[0])),
            "credit_tax": back.tax,
            "credit_total": back.total,
        },
        read_before=lambda found: {
            "invoice_total": add_tax(net(found[0]), percent, words.CURRENCY).total
        },
    )


def _unused(grid: Grid, day: date, outside: date) -> Exact:
    """The share that is not used of the period that a day lies in."""
    full = grid.full_period(day)
    if outside == full.end:
        return NOTHING
    counts = grid.conventions.day_count
    left = Period(outside, full.end)
    return ratio(left, full=full, interval=grid.interval, day_count=counts).value
