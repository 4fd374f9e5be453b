"""Prepaid credits: bought by the unit, each of which brings its price as money."""

from o2b.charging import Alignment, Grant, Kind, Proration
from tests.cases.adapter.selling import month_of, net, terms
from tests.cases.asking import Drafts
from tests.cases.reading import CaseInput


def credits(case: CaseInput) -> Drafts:
    """What a number of credits costs."""
    price = case.given.decimal("price_per_credit")
    promised = terms(
        kind=Kind.ONE_TIME,
        unit_price=price,
        interval=None,
        alignment=Alignment.BILL_DAY,
        proration=Proration.NONE,
        grant=Grant(price),
    )
    return month_of(promised, case.given.decimal("credits"), lambda lines: {"cost": net(lines)})
