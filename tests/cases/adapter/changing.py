"""proration.change_*, quantity_change, discount.with_proration: another price or quantity."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from o2b.charging import (
    Alignment,
    ChargeTerms,
    Discount,
    DraftLine,
    Proration,
    Timing,
)
from o2b.charging.changes import change_by_share, smaller_share
from o2b.periods import FOREVER, anchored_period
from tests.cases.adapter import cancelling, words
from tests.cases.adapter.discounts import coupon
from tests.cases.adapter.grid import interval_like
from tests.cases.adapter.paid import PART_OF, Paid, left_of_period, of_days, paid_period
from tests.cases.adapter.selling import net, served, since_day_one, terms
from tests.cases.adapter.units import Units
from tests.cases.asking import Asked, Charge, Credit, Drafts, Pure
from tests.cases.reading import CaseInput, Keys

BILLED_TOGETHER = {"billed together": True}
AT_THE_CHANGE = {"at the change": True}
NEXT_PERIOD = {"from next period, no proration": Proration.NONE}
SMALLER = {"the smaller of time left and credits left": True}
ALL_OF_IT = (Decimal(1), Decimal(1))


def price(case: CaseInput) -> Asked:
    """Another price from a day on: what was paid comes back, the new one is charged."""
    given = case.given
    case.conventions.word("order", words.CHANGE_ORDER, True)
    if given.has("phases"):
        return _phases(case)
    if given.has("credits_left") or given.has("credited_days"):
        return _by_shares(case)
    if given.has("new_plan_from"):
        return _new_plan(case)
    if given.has("old"):
        return _old_and_new(case)
    if given.has("changed") or not given.has("old_price"):
        return cancelling.cancel(case)
    paid = paid_period(case)
    timing = given.word("timing", words.TIMING, Timing.ADVANCE)
    following = given.has("next_period")
    given.word("next_period", BILLED_TOGETHER, True)
    old = _part(case, given.decimal("old_price"), paid, timing=timing)
    new = _coming(case, given.decimal("new_price"), paid, timing=timing)
    return _sides(old, new, paid.period.end if following else paid.on)


def interval(case: CaseInput) -> Asked:
    """A change of interval: the old period's rest comes back, a whole new one begins."""
    given = case.given
    case.conventions.word("order", words.CHANGE_ORDER, True)
    given.word("new_period_starts", AT_THE_CHANGE)
    paid = Paid(words.span_of(case, "old_period"), given.day("change"))
    promised = terms(unit_price=given.decimal("new_price"), conventions=words.conventions(case))
    new = Charge(promised, paid.on, paid.on.day, (served(paid.on),))
    return _sides(_part(case, given.decimal("old_price"), paid), new, paid.on)


def discounted(case: CaseInput) -> Asked:
    """A change of price where each side is net of its own discount."""
    given = case.given
    case.conventions.word("order", words.CHANGE_ORDER, True)
    words.inclusive(case)
    told = given.match("remaining", PART_OF)
    paid = of_days(int(told["part"]), int(told["whole"]))
    old = _part(case, given.decimal("old_price"), paid, discounts=_discount(case, "old_discount"))
    new = _coming(case, given.decimal("new_price"), paid, discounts=_discount(case, "new_discount"))
    return _sides(old, new, paid.on)


def quantity(case: CaseInput) -> Asked:
    """More or fewer units within a period: the difference of the days that are left."""
    given = case.given
    case.conventions.word("order", words.CHANGE_ORDER, True)
    unit_price = given.decimal(_first(given, "unit_price", "price_per_seat", "seat_price"))
    rules = words.conventions(case)
    words.inclusive(case)
    if given.has("quantity"):
        promised = terms(unit_price=unit_price, conventions=rules)
        charge = since_day_one(promised, given.decimal("quantity"))
        return Drafts((charge,), words.DAY_ONE, lambda found: {"amount": net(found[0])})
    paid = left_of_period(given)
    how = given.word("policy", NEXT_PERIOD, Proration.DAY)
    promised = terms(
        unit_price=unit_price, interval=paid.interval, conventions=rules, proration=how
    )
    first, end = paid.period.start, paid.period.end
    if not given.has("seats_before") and not given.has("quantity_before"):
        # One more, without a word of how many there are.
        charge = Charge(promised, first, first.day, (served(paid.on),))
        return Drafts((charge,), paid.on, lambda found: {"amount": net(found[0])})
    before = given.decimal(_first(given, "seats_before", "quantity_before"))
    after = given.decimal(_first(given, "seats_after", "quantity_after"))
    charge = Charge(
        promised,
        first,
        first.day,
        (served(first, quantity=before),),
        billed_until=first,
        later=(served(first, paid.on, before), served(paid.on, quantity=after)),
    )

    def read(found: Sequence[Sequence[DraftLine]]) -> dict[str, Any]:
        now = [line for line in found[0] if line.full_period.start == first]
        following = [line for line in found[0] if line.full_period.start == end]
        return {"amount": net(now), "next_invoice": net(following)}

    return Drafts((charge,), end, read)


def _sides(old: Charge, new: Charge, until: date) -> Asked:
    """What the old price gives back and the new one costs, apart and together."""

    def read(found: Sequence[Sequence[DraftLine]]) -> dict[str, Any]:
        before, after = found
        amount = net(before)
        lines = [*before, *after]
        answers: dict[str, Any] = {
            "credit": Credit(amount),
            "credit_note": Credit(amount),
            "old_fee": amount,
            "net": net(lines),
            "invoice": net(lines),
            "invoice_total": net(lines),
            "total": net(lines),
            "account_credit": Credit(net(lines)),
        }
        if after:
            first, *others = after
            answers["debit"] = answers["new_fee"] = answers["charge"] = first.amount
            answers["amount"] = first.amount
            answers["next"] = net(others)
        return answers

    one_grid = old.started_on == new.started_on and old.anchor_day == new.anchor_day
    return Drafts((old, new), until, read, one_service=one_grid)


def _part(
    case: CaseInput, amount: Decimal, paid: Paid, *, timing: Timing = Timing.ADVANCE, **more: Any
) -> Charge:
    """The old price: billed for the whole period where it is in advance, ended at the change."""
    promised = _priced(case, amount, paid, timing=timing, **more)
    start = paid.period.start
    ended = cancelling.days(start, paid.on)
    if timing is Timing.ARREARS:
        return Charge(promised, start, start.day, ended)
    return Charge(promised, start, start.day, (served(start),), billed_until=start, later=ended)


def _coming(case: CaseInput, amount: Decimal, paid: Paid, **more: Any) -> Charge:
    """The new price from the change on; full periods stay where they were."""
    promised = _priced(case, amount, paid, **more)
    return Charge(promised, paid.period.start, paid.period.start.day, (served(paid.on),))


def _priced(case: CaseInput, amount: Decimal, paid: Paid, **more: Any) -> ChargeTerms:
    return terms(
        unit_price=amount,
        interval=paid.interval,
        alignment=Alignment.BILL_DAY,
        conventions=words.conventions(case),
        **more,
    )


def _phases(case: CaseInput) -> Asked:
    """Prices one after the other, each with its own bill day."""
    told = case.given.each("phases")
    words.inclusive(case)
    rules = words.conventions(case)
    starts = [each.day("start") for each in told]
    ends = [*starts[1:], FOREVER]
    charges = [
        Charge(
            terms(
                unit_price=each.decimal("price"), alignment=Alignment.BILL_DAY, conventions=rules
            ),
            start,
            each.integer("billing_cycle_day"),
            (served(start, end),),
        )
        for each, start, end in zip(told, starts, ends, strict=True)
    ]
    return Drafts(
        charges,
        case.given.day("target_date"),
        lambda found: {"total": net([line for lines in found for line in lines])},
    )


def _by_shares(case: CaseInput) -> Asked:
    """Where only shares are known: days or credits of each side."""
    given = case.given
    old, new = given.decimal("old_price"), given.decimal("new_price")
    if given.has("credited_days"):
        days = given.integer("period_days")
        words.inclusive(case)
        before = _part(case, old, of_days(given.integer("credited_days"), days))
        coming = _coming(case, new, of_days(given.integer("charged_days"), days))
        return _sides(before, coming, words.DAY_ONE)
    told = given.match("credits_left", PART_OF)
    unused = smaller_share((Decimal(told["part"]), Decimal(told["whole"])))
    if given.has("rule") or given.has("time_left"):
        given.word("rule", SMALLER)
        unused = smaller_share(unused, (given.decimal("time_left"), Decimal(1)))
    found = change_by_share(old, new, left=unused, charged=ALL_OF_IT, currency=words.CURRENCY)
    return Pure(lambda: {"credit": found.credit, "charge": found.net, "net": found.net})


def _new_plan(case: CaseInput) -> Asked:
    """A plan that begins within the year of an anniversary and is paid up to its end."""
    given = case.given
    given.match("anniversary", r"\d\d-\d\d")
    begins, paid = given.day("new_plan_from"), words.span_of(case, "first_period")
    length = given.word("period", words.PERIOD)
    full = anchored_period(begins, length, paid.end, paid.end.day)
    new = _coming(case, given.decimal("price"), Paid(full, begins))
    return Drafts((new,), begins, lambda found: {"amount": net(found[0]), "charge": net(found[0])})


def _old_and_new(case: CaseInput) -> Asked:
    """A paid period of the old plan; the new one has the same, a longer one, or its own."""
    given = case.given
    on = given.day("change")
    old, new = given.inside("old"), given.inside("new")
    period = old.maybe("period")
    key = "period" if isinstance(period, list) else "paid"
    last_inside = words.inclusive(case)
    first, last = old.days(key)
    paid = Paid(words.span(first, last, last_inside=last_inside), on)
    if isinstance(period, str):
        paid.interval = old.word("period", words.PERIOD)
    before = _part(case, old.decimal("price"), paid)
    if old.has("amount_paid"):
        before = _paid_so_much(before, paid, old.decimal("amount_paid"))
    coming = paid
    after = None
    if new.has("aligned_end"):
        end = new.day("aligned_end")
        length = new.word("period", words.PERIOD)
        coming = Paid(anchored_period(on, length, end, end.day), on)
    elif new.has("start"):
        after = _own_grid(case, new)
    elif new.has("period"):
        coming = Paid(paid.period, on)
        coming.interval = new.word("period", words.PERIOD)
    after = after or _coming(case, new.decimal("price"), coming)
    return _sides(before, after, on)


def _paid_so_much(old: Charge, paid: Paid, amount: Decimal) -> Charge:
    """The paid period cost what was paid for it, whatever the price of a full one is."""
    promised = replace(old.terms, unit_price=amount, interval=interval_like(paid.period))
    return replace(old, terms=promised)


def _own_grid(case: CaseInput, new: Keys) -> Charge:
    """The new plan with a bill day of its own."""
    start = new.day("start")
    promised = terms(
        unit_price=new.decimal("price"),
        interval=new.word("period", words.PERIOD, words.MONTH),
        alignment=Alignment.BILL_DAY,
        conventions=words.conventions(case),
    )
    return Charge(promised, start, new.integer("billing_cycle_day"), (served(start),))


def _discount(case: CaseInput, key: str) -> tuple[Discount, ...]:
    if case.given.maybe(key) is None:
        return ()
    return (coupon(case.given.inside(key), Units(case)),)


def _first(given: Keys, *keys: str) -> str:
    """The one of several names for the same that the case uses."""
    return next((key for key in keys if given.has(key)), keys[0])
