"""charge.unit, graduated, volume, stairstep, package, blocks: prices of a quantity."""

from dataclasses import replace
from decimal import Decimal

from o2b.charging import (
    Allowance,
    ChargeTerms,
    Conventions,
    Model,
    Started,
    Tier,
    price,
    price_groups,
    price_together,
    progressive,
    tiers_of_blocks,
)
from o2b.charging.allowances import beyond
from o2b.charging.models import started_blocks
from o2b.charging.usage import Used
from o2b.money import quantise, sum_of
from o2b.periods import Period, boundaries
from tests.cases.adapter import words
from tests.cases.adapter.selling import (
    NOTHING,
    as_usage,
    endless,
    in_slices,
    month_of,
    net,
    served,
    since_day_one,
    terms,
    tiers,
    used_of,
)
from tests.cases.asking import Answers, Asked, Charge, Drafts, Lines, Pure
from tests.cases.reading import CaseInput, Keys


def unit(case: CaseInput) -> Asked:
    """Unit price × quantity, each month; or several prices of one charge by a filter."""
    given = case.given
    if given.has("filters"):
        parts = [
            (terms(unit_price=each.decimal("unit_price")), each.decimal("quantity"))
            for each in given.each("filters")
        ]
        return _together(parts)
    promised = terms(unit_price=given.decimal("unit_price"))
    until = words.DAY_ONE
    if given.has("months"):
        end = words.MONTH.advance(words.DAY_ONE, given.integer("months"))
        until = Period(words.DAY_ONE, end).last
    return month_of(
        promised,
        given.decimal("quantity"),
        lambda lines: {
            "monthly": lines[0].amount,
            "amount": lines[0].amount,
            "total": net(lines),
        },
        until=until,
    )


def _together(parts: list[tuple[ChargeTerms, Decimal]]) -> Asked:
    """Parts of one amount, a service each; where they are no amounts themselves, not on a bill."""
    exact = price_together(parts)
    each = [price(promised, many) for promised, many in parts]
    if each != [quantise(amount, words.CURRENCY) for amount in each]:
        return Pure(lambda: {"amount": exact})
    return Drafts(
        tuple(since_day_one(promised, many) for promised, many in parts),
        words.DAY_ONE,
        lambda found: {"amount": net([line for lines in found for line in lines])},
        exact=lambda: {"amount": exact},
    )


def graduated(case: CaseInput) -> Asked:
    """Each tier's units at its price; perhaps beside a flat charge, or in slices of a period."""
    words.read_tier_words(case)
    given = case.given
    promised = terms(model=Model.GRADUATED, tiers=tiers(case))
    if given.has("already_billed_quantity"):
        return _slice(case, promised)
    if given.has("usage"):
        quantity = sum_of(given.decimals("usage"))
        return _priced(promised, quantity, quantity=quantity)
    if given.has("recurring"):
        flat = terms(key="base", model=Model.FLAT, unit_price=given.decimal("recurring"))
        return Drafts(
            (since_day_one(flat), since_day_one(promised, given.decimal("quantity"))),
            words.DAY_ONE,
            lambda found: {"usage": net(found[1]), "total": net([*found[0], *found[1]])},
        )
    if given.has("seats"):
        return _priced(promised, given.decimal("seats"))
    return _priced(promised, given.decimal("quantity"))


def volume(case: CaseInput) -> Asked:
    """All units at the price of the tier that the total falls in."""
    words.read_tier_words(case)
    given = case.given
    if given.has("unit_price_of_tier") or given.has("flat_fee_of_tier"):
        only = Tier(
            None,
            given.maybe_decimal("unit_price_of_tier") or NOTHING,
            given.maybe_decimal("flat_fee_of_tier") or NOTHING,
        )
        promised = terms(model=Model.VOLUME, tiers=(only,))
        return _priced(promised, given.decimal("quantity"))
    promised = terms(model=Model.VOLUME, tiers=tiers(case))
    if given.has("usage"):
        given.word("group", words.USAGE_GROUP)
        months = given.inside("usage")
        return _by_record(promised, months.decimals("jan"), months.decimals("feb"))
    if given.has("quantity_for_tier"):
        chosen, charged = given.decimal("quantity_for_tier"), given.decimal("prorated_quantity")
        return Pure(lambda: {"amount": price(promised, charged, tier_quantity=chosen)})
    return _priced(promised, given.decimal("quantity"))


def _by_record(promised: ChargeTerms, jan: list[Decimal], feb: list[Decimal]) -> Asked:
    """Each record of a month has its own tier: a service for each of them."""
    first, second, end = boundaries(words.DAY_ONE, words.MONTH, count=2)
    charges = [
        replace(
            Charge(as_usage(promised), start, start.day, (served(start, over),)),
            usage=(Used(start, used),),
        )
        for start, over, month in ((first, second, jan), (second, end, feb))
        for used in month
    ]
    count = len(jan)

    def read(found: Lines) -> Answers:
        of_jan, of_feb = found[:count], found[count:]
        return {
            "jan": net([line for lines in of_jan for line in lines]),
            "feb": net([line for lines in of_feb for line in lines]),
        }

    exact = {"jan": price_groups(promised, jan), "feb": price_groups(promised, feb)}
    return Drafts(charges, end, read, exact=lambda: exact)


def stairstep(case: CaseInput) -> Asked:
    """One flat price for the step that each quantity falls in."""
    steps = tuple(
        Tier(each.maybe_decimal("up_to"), NOTHING, each.decimal("price"))
        for each in case.given.each("steps")
    )
    promised = terms(model=Model.STAIRSTEP, tiers=steps)
    quantities = case.given.decimals("quantities")
    charges = tuple(since_day_one(promised, each) for each in quantities)
    return Drafts(
        charges,
        words.DAY_ONE,
        lambda found: {"amounts": [net(lines) for lines in found]},
        exact=lambda: {"amounts": [price(promised, each) for each in quantities]},
    )


def package(case: CaseInput) -> Asked:
    """A price for each started package of units; the first units may be free."""
    given = case.given
    started = case.conventions.word("started_package", words.STARTED_PACKAGE, Started.WHOLE)
    size = given.decimal("package_size")
    free = given.maybe_decimal("free_units")
    promised = terms(
        model=Model.PACKAGE,
        unit_price=given.decimal("package_price"),
        package_size=size,
        allowance=Allowance(free) if free else None,
        conventions=Conventions(started=started),
    )
    if given.has("already_billed_quantity"):
        return _slice(case, promised)
    quantity = given.decimal("quantity")
    if free:
        paid = beyond(free, quantity)
        return _priced(promised, quantity, packages=started_blocks(paid, size, started))
    return _priced(promised, quantity, packages=started_blocks(quantity, size, started))


def blocks(case: CaseInput) -> Asked:
    """Started blocks whole: of one size, of tiers of blocks, or of several units."""
    given = case.given
    started = case.conventions.word("block", words.STARTED_BLOCK, Started.WHOLE)
    rules = Conventions(started=started)
    if given.has("items"):
        return _together([_item(each, rules) for each in given.each("items")])
    if given.has("tiers"):
        told = [
            (each.decimal("block_size"), each.maybe_decimal("max_blocks"), each.decimal("price"))
            for each in given.each("tiers")
        ]
        model = given.word("mode", words.BLOCK_MODE, Model.GRADUATED)
        promised = terms(model=model, tiers=endless(tiers_of_blocks(told)), conventions=rules)
        return _priced(promised, _units(given))
    return _blocks_of_one_size(given, rules)


def _blocks_of_one_size(given: Keys, rules: Conventions) -> Asked:
    size = given.decimal("block_size")
    units = _units(given)
    total = started_blocks(units, size, rules.started)
    promised = terms(
        model=Model.PACKAGE,
        unit_price=given.decimal("price"),
        package_size=size,
        conventions=rules,
    )
    if not given.has("already_billed_blocks"):
        return _priced(promised, units, total_blocks=total)
    # What fills so many blocks was used before; the rest is told late.
    before = price(terms(unit_price=size), given.decimal("already_billed_blocks"))
    whole = price(promised, units)
    slices = in_slices(promised, before, beyond(before, units))
    return replace(
        slices,
        read=lambda found: {"total_blocks": total, "amount": whole, "amount_due": net(found[0])},
    )


def _item(told: Keys, rules: Conventions) -> tuple[ChargeTerms, Decimal]:
    unit = told.raw("unit")
    told.word("unit", words.UNITS)
    promised = terms(
        key=unit,
        model=Model.PACKAGE,
        unit_price=told.decimal("price"),
        package_size=told.decimal("block_size"),
        conventions=rules,
    )
    return promised, told.decimal("units")


def _units(given: Keys) -> Decimal:
    """The units of a period: told at once, or by record."""
    return sum_of(given.decimals("usage")) if given.has("usage") else given.decimal("units")


def _slice(case: CaseInput, promised: ChargeTerms) -> Asked:
    """What more usage in the same period adds to what was billed of it."""
    before, now = (
        case.given.decimal("already_billed_quantity"),
        case.given.decimal("period_quantity"),
    )
    found = progressive(promised, before=before, now=now).amount
    return in_slices(promised, before, now, exact=lambda: {"amount": found})


def _priced(promised: ChargeTerms, sold: Decimal, **more: Decimal) -> Asked:
    """A quantity sold for one month; nothing can be ordered of a quantity of 0, but used."""
    sell = month_of if sold else used_of
    return sell(
        promised,
        sold,
        lambda lines: {"amount": net(lines), **more},
        exact=lambda: {"amount": price(promised, sold), **more},
    )
