"""proration.start_mid_period, both_ends, trial, timezone: a service that begins within a period."""

from zoneinfo import ZoneInfo

from o2b.charging import Conventions, DraftLine, Trial, price
from o2b.charging.changes import share
from o2b.charging.ramps import free_until
from o2b.money import quantise
from o2b.periods import FOREVER, Interval, Unit, periods_from
from tests.cases.adapter import words
from tests.cases.adapter.grid import Grid
from tests.cases.adapter.periods import MANY
from tests.cases.adapter.selling import ONE, first_amount, net, served, terms
from tests.cases.asking import Asked, Charge, Drafts, First, Pure
from tests.cases.reading import CaseInput, Keys

PLACES = 6  # of a multiplier where the case tells no scale (Salesforce)
DAYS_OVER_DAYS = r"(?P<days>\d+) days / (?P<of>\d+)"
INVOICED = {"leading fragment and one whole month": 1}
CAPPED = {"longer than the full service period": True}
ANCHOR_SET_BY = {"trial end": True}
ZONES = {
    name: ZoneInfo(name)
    for name in (
        "America/Los_Angeles",
        "America/Denver",
        "America/New_York",
        "America/Halifax",
        "Europe/Paris",
        "Asia/Karachi",
    )
}


def mid_period(case: CaseInput) -> Asked:
    """The first days of a service up to where its full periods begin."""
    given = case.given
    if given.has("billable_days") or given.has("service_period"):
        return days_of_a_period(case)
    counted = given.has("day_count")
    grid = Grid(case)
    if counted:
        day_count = given.word("day_count", words.DAY_COUNT)
        grid.conventions = Conventions(day_count=day_count)
    if given.has("fragment"):
        given.days("fragment")
    if not given.has("price") and not given.has("prices"):
        return Pure(lambda: {"number_of_cycles": grid.number()})
    prices = given.decimals("prices") if given.has("prices") else [given.decimal("price")]
    until = grid.until or grid.first_due(grid.start)
    if given.has("invoiced_periods"):
        until = grid.periods(2)[given.word("invoiced_periods", INVOICED)].start
    return Drafts(
        [grid.charge(grid.terms(each)) for each in prices],
        until,
        lambda found: {
            "amount": first_amount(found[0]),
            "amounts": [first_amount(lines) for lines in found],
            "total": net([line for lines in found for line in lines]),
        },
    )


def days_of_a_period(case: CaseInput) -> Drafts:
    """Some days of a period of so many days; more days than the period has cost the whole."""
    given = case.given
    rules = words.conventions(case)
    currency = given.word("currency", words.CURRENCIES, words.CURRENCY)
    end = FOREVER
    interval = words.MONTH
    if given.has("period_days"):
        interval = Interval(Unit.DAY, given.integer("period_days"))
    if given.has("billable_days"):
        end = Interval(Unit.DAY, given.integer("billable_days")).advance(words.DAY_ONE, 1)
    given.word("service_period", CAPPED, True)
    promised = terms(
        unit_price=given.decimal("price"), interval=interval, currency=currency, conventions=rules
    )
    charge = Charge(promised, words.DAY_ONE, words.DAY_ONE.day, (served(words.DAY_ONE, end),))
    return Drafts((charge,), words.DAY_ONE, lambda found: {"amount": first_amount(found[0])})


def both_ends(case: CaseInput) -> Asked:
    """A service that begins and ends within a period."""
    given = case.given
    if given.has("weeks"):
        return _weeks(given)
    grid = Grid(case)
    if not given.has("price"):
        return Pure(lambda: {"number_of_cycles": grid.number()})
    if not case.conventions.has("scale"):
        grid.conventions = words.conventions(case, fraction_places=PLACES)
    quantity = given.maybe_decimal("quantity") or ONE
    whole = served(grid.start, grid.end, quantity)
    multiplier = grid.number()
    return Drafts(
        (grid.charge(grid.terms(given.decimal("price")), whole),),
        grid.until or grid.end,
        lambda found: {
            "multiplier": multiplier,
            "number_of_cycles": multiplier,
            "amount": net(found[0]),
        },
    )


def _weeks(given: Keys) -> Asked:
    """So many days of a price for a week, told as "75 days / 7"."""
    told = given.match("weeks", DAYS_OVER_DAYS)
    days, of = int(told["days"]), int(told["of"])
    quantity = given.maybe_decimal("quantity") or ONE
    promised = terms(unit_price=given.decimal("price"), interval=Interval(Unit.DAY, of))
    whole = price(promised, quantity)
    amount = share(whole, days, of, currency=words.CURRENCY)
    if whole != quantise(whole, words.CURRENCY):
        return Pure(lambda: {"amount": amount})
    end = Interval(Unit.DAY, days).advance(words.DAY_ONE, 1)
    served_days = (served(words.DAY_ONE, end, quantity),)
    return Drafts(
        (Charge(promised, words.DAY_ONE, words.DAY_ONE.day, served_days),),
        end,
        lambda found: {"amount": net(found[0])},
        exact=lambda: {"amount": amount},
    )


def trial(case: CaseInput) -> Asked:
    """Days from the start that cost nothing; full periods are counted as without them."""
    given = case.given
    if given.has("trial_end"):
        return _buckets(case)
    length = Trial(Interval(Unit.DAY, given.integer("trial_days")))
    start = given.day("start") if given.has("start") else words.DAY_ONE
    grid = Grid(case, start=start)
    if given.has("days_in_period"):
        grid.interval = Interval(Unit.DAY, given.integer("days_in_period"))
    promised = grid.terms(given.decimal("price"), trial=length)
    return Drafts(
        (grid.charge(promised),),
        grid.until or grid.first_due(free_until(promised, grid.start)),
        lambda found: {"amount": first_amount(found[0]), "total": net(found[0])},
    )


def _buckets(case: CaseInput) -> Asked:
    """The trial cuts the calendar's periods."""
    start, interval = case.given.day("start"), case.given.word("period", words.PERIOD)
    last_inside = words.inclusive(case)
    ends = case.given.day("trial_end")
    cut = words.span(ends, ends, last_inside=True).end if last_inside else ends
    found = periods_from(start, interval, calendar=True, cuts=[cut])
    shown = [
        [period.start, period.last if last_inside else period.end]
        for _, period in zip(range(MANY), found, strict=False)
    ]
    return Pure(lambda: {"buckets": First(shown)})


def time_zone(case: CaseInput) -> Asked:
    """The customer's own date decides on which day a service begins."""
    given = case.given
    zone = given.word("time_zone", ZONES)
    if given.has("created_local"):
        start = given.moment("created_local").date()
    else:
        start = given.moment("created_utc").astimezone(zone).date()
    grid = Grid(case, start=start)
    more = {}
    if given.has("trial_days"):
        moves = given.word("billing_cycle_day_set_by", ANCHOR_SET_BY, False)
        more["trial"] = Trial(Interval(Unit.DAY, given.integer("trial_days")), moves_anchor=moves)
    promised = grid.terms(given.decimal("price"), **more)
    ends = free_until(promised, start)
    until = grid.first_due(ends)
    if "days" in case.wanted:
        until = Interval(Unit.DAY, MANY).advance(start, 1)

    def read(found: list[list[DraftLine]]) -> dict[str, object]:
        lines = found[0]
        return {
            "trial_end": ends,
            "first_period": grid.shown(lines[0].period),
            "billable_days": lines[0].period.days,
            "amount": lines[0].amount,
            "days": First(
                [
                    {
                        "start": line.period.start,
                        "end": grid.shown(line.period)[1],
                        "amount": line.amount,
                    }
                    for line in lines
                ]
            ),
        }

    return Drafts((grid.charge(promised),), until, read)
