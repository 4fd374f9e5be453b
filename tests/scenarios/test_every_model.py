"""One line of each kind, sold and billed for three months; every figure is worked out by hand.

All are sold on Friday 16 January 2026 to an account whose bill day is the first. January has 31
days, of which 16 are served; February has 28.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from billing.models import InvoiceLine
from billing.runs.selectors import counts_of
from billing.views.invoices import _shown
from o2b.catalog.models import Terms, TermsCharge
from o2b.catalog.resolution import charge_terms
from o2b.charging import ChargeFacts, Segment, Used, compile_charge, draft, from_canonical
from o2b.periods import FOREVER, Period
from orders.acceptance.services import place_order
from quotes.inputs import LineInput
from quotes.services import draft_quote, send_quote
from subscriptions.models import Item
from tests.billing.worlds import by_hand
from tests.factories import a_product, an_account, an_entity, monthly, setup_fee
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db

GRADUATED = [
    {"up_to": "10", "unit_price": "10", "flat_fee": "5"},
    {"up_to": None, "unit_price": "8", "flat_fee": "2"},
]
VOLUME = [{"up_to": "10", "unit_price": "10"}, {"unit_price": "8", "flat_fee": "3"}]
STEPS = [
    {"up_to": "10", "unit_price": "0", "flat_fee": "50"},
    {"up_to": "100", "unit_price": "0", "flat_fee": "180"},
    {"unit_price": "0", "flat_fee": "500"},
]
SHARES = [{"up_to": "1000", "unit_price": "2", "flat_fee": "4"}, {"unit_price": "1"}]
CALLS = [{"from_minute": 0, "connect_fee": "0.1", "slots": [[0, "0.05", 60, 60]]}]
SPEED = [{"name": "speed", "type": "integer", "required": True}]


class Sold(NamedTuple):
    """A product with one charge, how many are sold, and what the three invoices say of it."""

    code: str
    charge: dict[str, Any]
    quantity: str
    january: Sequence[str]
    february: Sequence[str]
    march: Sequence[str]
    discount: str = "0"


def usage(price: str = "0", **given: Any) -> dict[str, Any]:
    return monthly(price, kind="usage", timing="arrears", **given)


def details(**given: Any) -> dict[str, Any]:
    return {"details": given}


SOLD = [
    # once
    Sold("one-time", setup_fee("99", model="flat"), "3", ["99.00"], [], []),
    # 70 × 16/31 = 36.129…
    Sold("per-unit", monthly("10"), "7", ["36.13"], ["70.00"], ["70.00"]),
    # 63 × 16/31 = 32.516…
    Sold("rep-discount", monthly("10"), "7", ["32.52"], ["63.00"], ["63.00"], "10"),
    # 31 × 16/31
    Sold("flat", monthly("31", model="flat"), "7", ["16.00"], ["31.00"], ["31.00"]),
    # 5 + 10 × 10 + 2 + 15 × 8 = 227; × 16/31 = 117.161…
    Sold(
        "graduated",
        monthly("0", model="graduated", tiers=GRADUATED),
        "25",
        ["117.16"],
        ["227.00"],
        ["227.00"],
    ),
    # 25 × 8 + 3 = 203; × 16/31 = 104.774…
    Sold(
        "volume",
        monthly("0", model="volume", tiers=VOLUME),
        "25",
        ["104.77"],
        ["203.00"],
        ["203.00"],
    ),
    # 180 × 16/31 = 92.903…
    Sold(
        "stairstep",
        monthly("0", model="stairstep", tiers=STEPS),
        "25",
        ["92.90"],
        ["180.00"],
        ["180.00"],
    ),
    # three started packages of ten: 12 × 16/31 = 6.193…
    Sold(
        "package",
        monthly("4", model="package", **details(package_size="10")),
        "25",
        ["6.19"],
        ["12.00"],
        ["12.00"],
    ),
    # 5 of 7 are included: 20 × 16/31 = 10.322…
    Sold(
        "included",
        monthly("10", **details(allowance={"units": "5"})),
        "7",
        ["10.32"],
        ["20.00"],
        ["20.00"],
    ),
    # 70 a month, at most 50: 50 × 16/31 = 25.806…
    Sold("maximum", monthly("10", **details(maximum="50")), "7", ["25.81"], ["50.00"], ["50.00"]),
    # 70 a month, at least 93: 93 × 16/31 = 48
    Sold("minimum", monthly("10", **details(minimum="93")), "7", ["48.00"], ["93.00"], ["93.00"]),
    # nothing was used, at least 20: January is billed in February, 20 × 16/31 = 10.322…
    Sold(
        "usage",
        usage("0.1", **details(minimum="20", allowance={"units": "100", "rollover": "100"})),
        "1",
        [],
        ["10.32"],
        ["20.00"],
    ),
    # without usage no line, but for the fee of a first tier
    Sold(
        "percentage",
        usage("2.5", model="percentage", **details(event={"fee": "1"})),
        "1",
        [],
        [],
        [],
    ),
    Sold("calls", usage(model="rated", **details(call=CALLS)), "1", [], [], []),
    Sold(
        "graduated-percentage",
        usage(model="graduated_percentage", tiers=SHARES),
        "1",
        [],
        ["4.00"],
        ["4.00"],
    ),
    # 20, from 16 February 24. January 20 × 16/31 = 10.322…; February 20 × 15/28 = 10.714… and
    # together with 24 × 13/28 21.857…, so 21.86 − 10.71
    Sold(
        "ramp-by-months",
        monthly("10", **details(ramp=[[1, "12"]])),
        "2",
        ["10.32"],
        ["10.71", "11.15"],
        ["24.00"],
    ),
    Sold(
        "ramp-by-date",
        monthly("10", **details(ramp=[["2026-03-01", "15"]])),
        "2",
        ["10.32"],
        ["20.00"],
        ["30.00"],
    ),
    # free up to 16 February: 28 × 13/28
    Sold(
        "trial",
        monthly("28", **details(trial=["month", 1, False])),
        "1",
        [],
        ["13.00"],
        ["28.00"],
    ),
    # free for 14 days; months then run from the 30th, in February from its last day
    Sold(
        "trial-moves",
        monthly("30", alignment="anniversary", **details(trial=["day", 14, True])),
        "1",
        ["30.00"],
        ["30.00"],
        ["30.00"],
    ),
    # 75 of the 90 days of the first quarter; the second one begins after the last run
    Sold(
        "quarter",
        monthly("90", alignment="calendar", interval_count=3),
        "1",
        ["75.00"],
        [],
        [],
    ),
    Sold("unprorated", monthly("31", proration="none"), "1", ["31.00"], ["31.00"], ["31.00"]),
    Sold("full", monthly("31", proration="full"), "1", ["31.00"], ["31.00"], ["31.00"]),
    # 15 of 30 days: 16–30 January
    Sold(
        "thirty-360",
        monthly("30", **details(conventions={"day_count": "thirty_360"})),
        "1",
        ["15.00"],
        ["30.00"],
        ["30.00"],
    ),
    # 70 × 16/31 = 36.129…, and down
    Sold(
        "rounded-down",
        monthly("10", **details(conventions={"rounding": "down"})),
        "7",
        ["36.12"],
        ["70.00"],
        ["70.00"],
    ),
    # 28 × 16/31 = 14.451…
    Sold("arrears", monthly("28", timing="arrears"), "1", [], ["14.45"], ["28.00"]),
    Sold(
        "year",
        monthly("365", alignment="anniversary", interval_unit="year"),
        "1",
        ["365.00"],
        [],
        [],
    ),
    # Fridays: 16, 23, 30 January; 6, 13, 20, 27 February; 6, 13, 20, 27 March
    Sold(
        "week",
        monthly("7", alignment="anniversary", interval_unit="week"),
        "1",
        ["7.00"] * 3,
        ["7.00"] * 4,
        ["7.00"] * 4,
    ),
]


def sell(world: World, sold: Sequence[Sold]) -> None:
    """Quote, order and delivery of one line each."""
    for each in sold:
        a_product(code=each.code, charges=[each.charge])
    lines = [LineInput(each.code, each.quantity, {}, each.discount) for each in sold]
    order(world, lines)


def order(world: World, lines: Sequence[LineInput]) -> None:
    quote = draft_quote(
        account_id=world.account.pk,
        owner_id=world.account.advocate_id,
        valid_until=date(2026, 12, 31),
        lines=lines,
        at=world.now,
    )
    send_quote(quote_id=quote.pk, at=world.now)
    place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)
    world.settle()


def billed(world: World, on: str) -> dict[str, list[str]]:
    """The amounts of each product on the invoice of a run, whose promises are all kept."""
    run = world.on(on).bill()
    assert (run.state, world.parked(), counts_of(run_id=run.pk).holds) == ("finalised", [], True)
    found: dict[str, list[str]] = {}
    for line in InvoiceLine.objects.filter(invoice__run=run).order_by("period_start", "segment"):
        product = line.charge.item.product_version.product.code
        found.setdefault(product, []).append(f"{line.amount:.2f}")
    return found


def test_one_line_of_each_kind_is_billed_as_worked_out_by_hand(world: World) -> None:
    sell(world.on("2026-01-16"), SOLD)
    for day, month in [
        ("2026-01-31", "january"),
        ("2026-02-28", "february"),
        ("2026-03-31", "march"),
    ]:
        expected = {e.code: list(getattr(e, month)) for e in SOLD}
        found = billed(world, day)
        assert {e.code: found.get(e.code, []) for e in SOLD} == expected, day
    for line in InvoiceLine.objects.all():
        shown = _shown(line)
        assert shown.steps[-1].result == shown.charge.amount.amount
        is_whole = not shown.is_part and line.amount != Decimal("11.15")
        assert not is_whole or shown.charge.amount.amount == line.amount, shown.text


def test_a_price_by_characteristics_is_billed_from_its_cell(world: World) -> None:
    """The cell for 300 costs 62 a month: × 16/31 = 32."""
    cells = [monthly(price, match=match) for price, match in [("31", {}), ("62", {"speed": "300"})]]
    a_product(code="circuit", charges=cells, characteristics=SPEED)
    order(world.on("2026-01-16"), [LineInput("circuit", "1", {"speed": 300})])
    assert billed(world, "2026-01-31") == {"circuit": ["32.00"]}
    assert billed(world, "2026-02-28") == {"circuit": ["62.00"]}


def test_what_was_used_is_priced_by_the_frozen_terms(world: World) -> None:
    """0.10 a unit, 100 units included, 100 carried on at most, at least 20 a month.

    January: 40 of 100, so 60 are carried on, and 20 × 16/31 = 10.322…. February: 210 − 160 = 50
    units are 5, so 20. March: 400 − 100 = 300 units are 30.
    """
    more = details(minimum="20", allowance={"units": "100", "rollover": "100"})
    a_product(code="data", charges=[usage("0.1", **more)])
    order(world.on("2026-01-16"), [LineInput("data", "1")])
    stored = TermsCharge.objects.get()
    frozen = charge_terms(stored, "EUR")
    assert from_canonical(stored.terms.body).charges == (frozen,)
    days = {"2026-01-20": "40", "2026-02-03": "150", "2026-02-28": "60", "2026-03-31": "400"}
    facts = ChargeFacts(
        1,
        compile_charge(frozen),
        date(2026, 1, 16),
        1,
        (Segment(Period(date(2026, 1, 16), FOREVER), Decimal(1)),),
        None,
        usage=tuple(Used(date.fromisoformat(day), Decimal(used)) for day, used in days.items()),
    )
    lines = draft([facts], until=date(2026, 4, 1))
    assert [(str(line.quantity), str(line.amount)) for line in lines] == [
        ("40", "10.32"),
        ("210", "20.00"),
        ("400", "30.00"),
    ]


def test_how_a_legal_entity_counts_is_frozen_with_what_it_promised(world: World) -> None:
    """30 days a month, rounded down, the last day billed.

    January: 15/30 × 49.99 = 24.995. A service ended on 12 March is billed to the 12th: 12/30 ×
    49.99 = 19.996, so 19.99 in place of 49.99.
    """
    said = {"day_count": "thirty_360", "rounding": "down", "last_day_billed": True}
    entity = an_entity(code="sued", conventions=said)
    world.account = an_account(test_clock=world.clock, legal_entity=entity)
    a_product(code="line", charges=[monthly("49.99")])
    order(world.on("2026-01-16"), [LineInput("line", "1")])
    body = Terms.objects.get().body
    entity.conventions = {"rounding": "up"}
    entity.save()

    assert billed(world, "2026-01-31") == {"line": ["24.99"]}
    assert billed(world, "2026-02-28") == {"line": ["49.99"]}
    assert billed(world, "2026-03-01") == {"line": ["49.99"]}
    item = Item.objects.get()
    by_hand(
        "UPDATE subscriptions_itemversion SET valid = '[2026-01-16,2026-03-12)' WHERE item_id = %s",
        [item.pk],
    )
    by_hand("UPDATE subscriptions_item SET revision = 2 WHERE id = %s", [item.pk])
    assert billed(world, "2026-03-31") == {"line": ["-30.00"]}
    assert Terms.objects.get().body == body
