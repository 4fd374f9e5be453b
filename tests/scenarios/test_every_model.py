"""One line of each kind, sold and billed for three months as worked out by hand in `sold`."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from billing.explaining.selectors import explain_line
from billing.invoices.document import _unit
from billing.invoices.shown import line_shown
from billing.models import InvoiceLine
from billing.runs.selectors import counts_of
from o2b.catalog.models import Terms, TermsCharge
from o2b.catalog.resolution import charge_terms
from o2b.charging import ChargeFacts, Segment, Used, compile_charge, draft, from_canonical
from o2b.periods import FOREVER, Period
from orders.acceptance.services import place_order
from quotes.inputs import LineInput
from quotes.services import draft_quote, send_quote
from subscriptions.models import Item
from tests.billing.worlds import by_hand
from tests.factories import a_product, an_account, an_entity, monthly
from tests.scenarios.sold import SOLD, Sold, details, usage
from tests.scenarios.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]

SPEED = [{"name": "speed", "type": "integer", "required": True}]

# What the printed invoice of March calls the unit price.
UNITS = {
    "per-unit": "€10.00",
    "flat": "€31.00 flat",
    "graduated": "by tier",
    "package": "€4.00 per 10",
    "ramp-by-months": "€12.00",
    "ramp-by-date": "€15.00",
}


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
    units: dict[str, str] = {}
    for line in InvoiceLine.objects.order_by("pk"):
        shown = line_shown(line, explain_line(line), line.invoice)
        assert shown.charge.steps[-1].result == shown.charge.amount.amount
        assert (shown.steps[-1].result, shown.explained.equal) == (line.amount, True)
        units[line.charge.item.product_version.product.code] = _unit(line, "EUR")
        is_whole = not shown.is_part and line.amount != Decimal("11.15")
        assert not is_whole or shown.charge.amount.amount == line.amount, shown.text
    assert units.items() >= UNITS.items()


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
