"""proration.cancel_mid_period and pause_resume: a service that ends or rests within a period."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from o2b.charging import Alignment, Billed, ChargeTerms, DayCount, DraftLine, Segment, Timing
from o2b.charging.tax import add_tax
from o2b.money import sum_of
from o2b.periods import Interval, Period, Unit, anchored_period
from tests.cases.adapter import words
from tests.cases.adapter.grid import Grid, interval_like
from tests.cases.adapter.selling import net, served, terms
from tests.cases.asking import Asked, Charge, Credit, Drafts, Pure
from tests.cases.reading import CaseInput, Keys, MaybeDate, Unknown

YEARLESS = r"\(year\)-(?P<day>\d\d-\d\d)"  # a month whose length hangs on no year
ANY_YEAR = "2023"
FIXED_MONTH = 30  # days; another length is not one that bills have


def cancel(case: CaseInput) -> Asked:
    """What the days up to the end cost, or what comes back of a period that was paid."""
    given = case.given
    if given.has("pieces"):
        return _pieces(case)
    if given.has("weeks"):
        return _weeks(given)
    if given.has("paid_period") or (given.has("period") and isinstance(given.raw("period"), list)):
        return _paid(case, "paid_period" if given.has("paid_period") else "period")
    return _ended(case)


def _ended(case: CaseInput) -> Asked:
    """A service from its start, or from that of its full period, to its end."""
    given = case.given
    ends = _end_told(given)
    grid = Grid(case, start=start_told(given, ends))
    if given.has("period_days"):
        given.integer("period_days")  # follows from the days
    if ends is None:
        return _cycles(given, grid)
    last_day = given.has("terminated") and grid.last_inside
    outside = Period.inclusive(ends, ends).end if last_day else ends
    same_day = grid.start == ends
    grid.conventions = words.conventions(case, last_day_billed=last_day and not same_day)
    ended = days(grid.start, outside if same_day else ends)
    last = grid.start if grid.start == outside else Period(grid.start, outside).last
    promised = grid.terms(given.decimal("price"))
    charges = [Charge(promised, grid.start, grid.anchor_day, ended)]
    if grid.timing is Timing.ADVANCE and _comes_back(case):
        running = (served(grid.start),)
        charges = [
            Charge(
                promised,
                grid.start,
                grid.anchor_day,
                running,
                billed_until=last,
                later=ended,
            )
        ]
    if given.has("usage_charge"):
        charges.append(Charge(_beside(given, grid), grid.start, grid.anchor_day, ended))
    return Drafts(charges, outside, _reader(given))


def _comes_back(case: CaseInput) -> bool:
    """Whether the case asks what of a paid period is given back, not what its days cost."""
    return any(key in case.wanted for key in ("credit", "credit_note", "used", "invoice_total"))


def _reader(given: Keys) -> Callable[[Sequence[Sequence[DraftLine]]], dict[str, Any]]:
    """Reads what the days cost or gave back, with tax and with what stands beside it."""
    percent = given.maybe_decimal("tax_percent")
    other = given.maybe_decimal("other_charge_same_invoice")

    def read(found: Sequence[Sequence[DraftLine]]) -> dict[str, Any]:
        amount = net(found[0])
        answers: dict[str, Any] = {"amount": amount, "total": amount}
        answers["credit"] = answers["credit_note"] = Credit(amount)
        if found[0]:
            answers["used"] = found[0][0].target
        if percent is not None:
            answers["total"] = add_tax(amount, percent, words.CURRENCY).total
        if other is not None:
            answers["invoice_total"] = sum_of([amount, other])
        if given.has("usage_charge"):
            answers["usage"] = net(found[1])
        return answers

    return read


def _cycles(given: Keys, grid: Grid) -> Asked:
    """How many full periods there are, or what they cost at a price."""
    if not given.has("price"):
        return Pure(lambda: {"number_of_cycles": grid.number()})
    charge = grid.charge(grid.terms(given.decimal("price")))
    return Drafts(
        (charge,),
        grid.until or grid.end,
        lambda found: {
            "amount": net(found[0]),
            "total": net(found[0]),
            "number_of_cycles": grid.number(),
        },
    )


def _beside(given: Keys, grid: Grid) -> ChargeTerms:
    """A monthly amount of usage beside the plan, shared by the days like it."""
    told = given.inside("usage_charge")
    if not told.flag("prorated"):
        raise Unknown("given.usage_charge.prorated", False)
    return grid.terms(told.decimal("monthly"), timing=Timing.ARREARS)


def _paid(case: CaseInput, key: str) -> Asked:
    """A paid period, and the day from which it is not used any more."""
    given = case.given
    paid = words.span_of(case, key)
    ends = _end_told(given)
    if ends is None:
        raise Unknown("given without the day of the end")
    timing = given.word("timing", words.TIMING, Timing.ADVANCE)
    told = given.maybe_decimal("already_billed")
    more = {}
    if given.has("fixed_month_days"):
        more["day_count"] = _fixed(given)
    last_day = given.has("terminated") and words.inclusive(case)
    promised = terms(
        unit_price=given.decimal("price"),
        interval=interval_like(paid),
        alignment=Alignment.BILL_DAY,
        timing=timing,
        conventions=words.conventions(case, last_day_billed=last_day, **more),
    )
    anchor, ended = paid.start.day, days(paid.start, ends)
    charge = Charge(promised, paid.start, anchor, ended)
    paid_whole = told == promised.unit_price or (told is None and _comes_back(case))
    if timing is Timing.ADVANCE and paid_whole:
        running = (served(paid.start),)
        charge = Charge(promised, paid.start, anchor, running, billed_until=paid.start, later=ended)
    elif told is not None:
        billed = (Billed(paid.start, 1, 1, told, paid.end),)
        charge = Charge(promised, paid.start, anchor, ended, billed=billed)
    return Drafts((charge,), paid.end, _reader(given))


def _pieces(case: CaseInput) -> Asked:
    """The parts of one period, each as a service of its own."""
    given = case.given
    last_inside = words.inclusive(case)
    told = [
        words.span(date.fromisoformat(first), date.fromisoformat(last), last_inside=last_inside)
        for first, last in given.values("pieces")
    ]
    *_, last = told
    full = anchored_period(last.start, words.MONTH, last.end, last.end.day)
    if given.has("period"):
        full = words.span_of(case, "period")
    more = {"day_count": _fixed(given)} if given.has("fixed_month_days") else {}
    promised = terms(
        unit_price=given.decimal("price"),
        interval=interval_like(full),
        alignment=Alignment.BILL_DAY,
        conventions=words.conventions(case, **more),
    )
    charges = [
        Charge(promised, full.start, full.start.day, (served(piece.start, piece.end),))
        for piece in told
    ]
    return Drafts(
        charges,
        last.start,
        lambda found: {
            "pieces": [net(lines) for lines in found],
            "sum": net([line for lines in found for line in lines]),
        },
    )


def _weeks(given: Keys) -> Asked:
    """So many periods of a week and some days of the next one."""
    price, interval = given.decimal("price"), given.word("period", words.PERIOD)
    whole = Interval(interval.unit, given.integer("weeks")).advance(words.DAY_ONE, 1)
    ends = Interval(Unit.DAY, given.integer("extra_days")).advance(whole, 1)
    promised = terms(unit_price=price, interval=interval)
    charge = Charge(promised, words.DAY_ONE, words.DAY_ONE.day, (served(words.DAY_ONE, ends),))
    return Drafts((charge,), ends, lambda found: {"total": net(found[0]), "amount": net(found[0])})


def pause(case: CaseInput) -> Asked:
    """A paid period of which days are taken out, or a service that goes on within one."""
    given = case.given
    period = words.span_of(case, "period")
    promised = terms(
        unit_price=given.decimal("price"),
        interval=interval_like(period),
        alignment=Alignment.BILL_DAY,
        conventions=words.conventions(case),
    )
    anchor = period.start.day
    if given.has("resumed") and not given.has("paused"):
        resumed = served(given.day("resumed"))
        charge = Charge(promised, period.start, anchor, (resumed,))
        until = resumed.period.start
        return Drafts((charge,), until, lambda found: {"charge": net(found[0])})
    off, on = _rest(case, period)
    running, rested = (served(period.start),), (*days(period.start, off), served(on))
    charge = Charge(
        promised, period.start, anchor, running, billed_until=period.start, later=rested
    )

    def read(found: Sequence[Sequence[DraftLine]]) -> dict[str, Any]:
        taken, *back = found[0]
        if "charge" in case.wanted:
            return {"credit": Credit(taken.amount), "charge": net(back)}
        return {"credit": Credit(net(found[0]))}

    return Drafts((charge,), period.start, read)


def _rest(case: CaseInput, period: Period) -> tuple[date, date]:
    """From which day the service rests, and from which it goes on (or the end of the period)."""
    given = case.given
    for key in ("suspended", "billing_off"):
        if given.has(key):
            off, on = given.days(key)
            return off, on
    return given.day("paused"), given.maybe_date("resumed") or period.end


def days(start: date, end: date) -> tuple[Segment, ...]:
    """Service on some days; none where it ends on the day of its start."""
    return () if start == end else (served(start, end),)


def _fixed(given: Keys) -> DayCount:
    """Months of a fixed length; drafts know those of 30 days."""
    if given.integer("fixed_month_days") != FIXED_MONTH:
        raise Unknown("given.fixed_month_days", given.raw("fixed_month_days"))
    return DayCount.FIXED_30


def _end_told(given: Keys) -> MaybeDate:
    for key in ("cancelled", "terminated", "changed"):
        if given.has(key):
            return _day(given, key)
    return None


def start_told(given: Keys, ends: MaybeDate) -> date:
    """The day of the start, or where none is told that of the calendar's month of the end."""
    for key in ("started", "start"):
        if given.has(key):
            return _day(given, key)
    if ends is None or given.word("alignment", words.ALIGNMENT) is not Alignment.CALENDAR:
        raise Unknown("given without start")
    return anchored_period(ends, words.MONTH, words.DAY_ONE, 1).start


def _day(given: Keys, key: str) -> date:
    """A day, perhaps of any year."""
    if not isinstance(given.raw(key), str) or not given.raw(key).startswith("(year)"):
        return given.day(key)
    told = given.match(key, YEARLESS)
    return date.fromisoformat(f"{ANY_YEAR}-{told['day']}")
