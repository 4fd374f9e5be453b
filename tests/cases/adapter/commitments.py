"""commitment.minimum and commitment.maximum: what a period costs at least and at most."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from o2b.charging import (
    AdjustmentOrder,
    Alignment,
    ChargeTerms,
    Discount,
    DiscountKind,
    Kind,
    Model,
    Timing,
    price,
    priced,
    progressive,
)
from o2b.charging.commitments import capped, true_up, true_up_over
from o2b.charging.tax import TaxLine, tax_on
from o2b.charging.usage import Used
from o2b.money import quantise, sum_of
from o2b.periods import Interval, Unit, calendar_period
from tests.cases.adapter import words
from tests.cases.adapter.selling import (
    NOTHING,
    ONE,
    as_usage,
    in_slices,
    month_of,
    net,
    served,
    since_day_one,
    terms,
    tiers,
    used_of,
)
from tests.cases.asking import Answers, Asked, Bill, Charge, Document, Drafts, Lines, Pure
from tests.cases.reading import CaseInput, Keys

# "month, from 2023-02-04: 25 of 28", "week from 2023-02-01 (Wednesday): 5 of 7 days"
FIRST_PERIOD = (
    r"(?P<interval>week|month|quarter|year),? from (?P<start>\d{4}-\d\d-\d\d)"
    r"(?: \(\w+\))?: (?P<served>\d+) of (?P<full>\d+)(?: days)?"
)
PER_PERIOD = r"(?P<amount>\d+(?:\.\d+)?) a (?:year|quarter|month)"


def maximum(case: CaseInput) -> Asked:
    """At most so much for a period, of which slices may have been billed before."""
    words.read_tier_words(case)
    given = case.given
    most = given.decimal("maximum")
    if given.has("multiplier"):
        return _dynamic(case, most)
    promised = _shaped(case, maximum=most)
    if given.has("already_billed_quantity"):
        before = given.decimal("already_billed_quantity")
        now = given.decimal("period_quantity")
        billed = given.maybe_decimal("already_billed")
        step = progressive(promised, before=before, now=now, already_billed=billed)
        more = {
            "charge": step.charge,
            "before": step.charge,
            "discount": step.discount,
            "percentage_discount": step.reduction,
            "maximum_discount": step.discount,
        }
        if billed not in (None, priced(promised, before).amount):
            return Pure(lambda: {"amount": step.amount, **more})
        exact = {"amount": step.amount, **more}
        return in_slices(promised, before, now, exact=lambda: exact, more=more)
    quantity = given.decimal("quantity")
    told = priced(promised, quantity)
    more = {
        "charge": told.listed,
        "before": told.listed,
        "discount": told.capped,
        "percentage_discount": told.discount,
        "maximum_discount": told.capped,
    }
    sell = month_of if quantity else used_of
    return sell(
        promised,
        quantity,
        lambda lines: {"amount": net(lines), **more},
        exact=lambda: {"amount": told.amount, **more},
    )


def minimum(case: CaseInput) -> Asked:
    """What is charged on top where a period came to less than was agreed."""
    words.read_tier_words(case)
    given = case.given
    if given.has("quantity"):
        promised = _shaped(case, minimum=given.decimal("minimum"))
        quantity = given.decimal("quantity")
        told = priced(promised, quantity)
        more = {"charge": told.listed, "true_up": told.true_up}
        sell = month_of if quantity else used_of
        return sell(
            promised,
            quantity,
            lambda lines: {"amount": net(lines), "total": net(lines), **more},
            exact=lambda: {"amount": told.amount, "total": told.amount, **more},
        )
    if given.has("first_period"):
        return _first_period(case)
    if given.has("active"):
        return _active(case)
    rules = words.conventions(case)
    least = _least(given)
    charged = _charged(given)
    words.inclusive(case)
    more = {}
    up = true_up_over(least, charged, currency=words.CURRENCY, rounding=rules.rounding)
    percent = given.maybe_decimal("tax_percent")
    if percent is not None:
        more["true_up_tax"] = tax_on(up, percent, words.CURRENCY, rules.rounding)
    total = sum_of([*charged, up])

    def read(said: Document) -> Answers:
        taxed = {} if percent is None else {"true_up_tax": said.true_up_tax}
        return {"true_up": said.true_up, "amount": said.true_up, "total": said.net, **taxed}

    lines = [TaxLine(each, NOTHING) for each in charged]
    bill = Bill(lines, read, minimum=least, minimum_percent=percent or NOTHING)
    return Pure(lambda: {"true_up": up, "amount": up, "total": total, **more}, bill)


def _dynamic(case: CaseInput, most: Decimal) -> Asked:
    """A cost times a factor, rounded, held against what is left of the maximum.

    Two services: one is what it cost times the factor, the other its result, of which some was
    billed before, at most the maximum.
    """
    given = case.given
    rules = words.conventions(case)
    promised = terms(unit_price=given.decimal("multiplier"))
    charge = quantise(price(promised, given.decimal("period_cost")), words.CURRENCY, rules.rounding)
    already = given.maybe_decimal("already_billed") or NOTHING
    found = capped(most, charge, already)._asdict()
    rated = replace(
        since_day_one(as_usage(promised)),
        usage=(Used(words.DAY_ONE, given.decimal("period_cost")),),
    )
    bound = in_slices(terms(unit_price=ONE, maximum=most), already, charge)
    return Drafts(
        (rated, *bound.charges),
        bound.until,
        lambda lines: {**found, "charge": net(lines[0]), "amount": net(lines[1])},
        exact=lambda: found,
    )


def _first_period(case: CaseInput) -> Asked:
    """A plan with a minimum that begins in the middle of a calendar period.

    The fee alone, then the fee with the minimum: both are drafted, the true-up is between them.
    """
    given = case.given
    told = given.match("first_period", FIRST_PERIOD)
    start = date.fromisoformat(told["start"])
    shape = {
        "model": Model.FLAT,
        "unit_price": given.decimal("plan_fee"),
        "interval": words.PERIOD[told["interval"]],
        "alignment": Alignment.CALENDAR,
        "timing": Timing.ARREARS,
        "conventions": words.conventions(case),
    }
    words.inclusive(case)
    least = given.decimal("minimum")
    fee = Charge(terms(**shape), start, start.day, (served(start),))
    bound = Charge(terms(minimum=least, **shape), start, start.day, (served(start),))
    end = calendar_period(start, words.PERIOD[told["interval"]], start).end
    return Drafts(
        (fee, bound),
        end,
        lambda found: {
            "true_up": true_up(net(found[1]), net(found[0]), currency=words.CURRENCY),
            "total": net(found[1]),
        },
    )


def _active(case: CaseInput) -> Asked:
    """Usage of a period that was active in part, which bears its share of a minimum.

    The usage alone, then with the minimum: both are drafted, the true-up is between them.
    """
    given = case.given
    active = words.span_of(case, "active")
    shape = {
        "kind": Kind.USAGE,
        "unit_price": Decimal(1),
        "interval": Interval(Unit.DAY, given.integer("period_days")),
        "timing": Timing.ARREARS,
        "conventions": words.conventions(case),
    }
    used = tuple(Used(active.start, each) for each in _charged(given))
    days = (served(active.start, active.end),)
    charges = [
        Charge(promised, active.start, active.start.day, days, usage=used)
        for promised in (terms(**shape), terms(minimum=_least(given), **shape))
    ]
    percent = given.maybe_decimal("tax_percent")

    def read(found: Lines) -> Answers:
        up = true_up(net(found[1]), net(found[0]), currency=words.CURRENCY)
        taxed = {} if percent is None else {"true_up_tax": tax_on(up, percent, words.CURRENCY)}
        return {"true_up": up, "amount": up, "total": net(found[1]), **taxed}

    return Drafts(charges, active.end, read)


def _shaped(case: CaseInput, **bounds: Decimal) -> ChargeTerms:
    """The charge under a bound, by the price model that its keys tell."""
    given = case.given
    order = case.conventions.word("order", words.MAXIMUM_ORDER, AdjustmentOrder.DISCOUNT_FIRST)
    shape = {**bounds, "conventions": words.conventions(case, order=order)}
    if given.has("discount_percent"):
        percent = Discount(DiscountKind.PERCENT, given.decimal("discount_percent"))
        shape["discounts"] = (percent,)
    if given.has("tiers"):
        model = Model.VOLUME if _is_volume(case) else Model.GRADUATED
        return terms(model=model, tiers=tiers(case), **shape)
    if given.has("package_size"):
        return terms(
            model=Model.PACKAGE,
            package_size=given.decimal("package_size"),
            unit_price=given.decimal("package_price"),
            **shape,
        )
    return terms(unit_price=given.decimal("unit_price"), **shape)


def _is_volume(case: CaseInput) -> bool:
    """Tiers whose boundaries and fees are told are passed one by one; else the total's tier."""
    return not case.conventions.has("tier_boundaries") and not case.conventions.has("flat_fee")


def _least(given: Keys) -> Decimal:
    """A minimum of the period; "1000 a year" says the same of a period of a year."""
    told = given.raw("minimum")
    if isinstance(told, str) and " " in told:
        return Decimal(given.match("minimum", PER_PERIOD)["amount"])
    return given.decimal("minimum")


def _charged(given: Keys) -> list[Decimal]:
    """What was charged in the period, in all or charge by charge."""
    found: list[Decimal] = []
    for key in ("plan_fee", "used", "charged"):
        if given.has(key):
            told = given.raw(key)
            found.extend(given.decimals(key) if isinstance(told, list) else [given.decimal(key)])
    return found or [given.decimal("used")]
