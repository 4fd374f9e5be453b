"""What a correction says: on the page, on paper and by REST; and what the corrected one says."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.invoices import selectors
from billing.invoices.adjusted import adjustments_of
from billing.invoices.again import billed_again
from billing.invoices.correcting import corrections_on
from billing.invoices.notes import causes_in_words
from billing.models import Invoice, InvoiceAdjustment
from billing.sending.pages import in_its_language
from o2b.taxes.services import close_tax_rate
from orders.models import Order
from subscriptions.models import Act, Item
from tests.billing.adjustments.build import a_coupon, has
from tests.billing.pages import text_of
from tests.factories import a_product, a_tax_rate, a_user, monthly, reprice
from tests.scenarios.world import World
from tests.subscriptions.serving import told

# Each step commits, so that every change is known from a moment of its own.
pytestmark = pytest.mark.django_db(transaction=True)
FIFTEENTH = date(2026, 1, 15)


def billed(world: World, day: str) -> Any:
    run = world.on(day).bill(day)
    assert (run.state, world.parked()) == ("finalised", [])
    return Invoice.objects.order_by("pk").last()


def january(world: World) -> Invoice:
    """31.00 for January at 19 %; tax is 25 % from the tenth on."""
    old = a_tax_rate(percent="19")
    world.on("2026-01-01").sell(products=[a_product(charges=[monthly("31.00")])])
    invoice: Invoice = billed(world, "2026-01-01")
    close_tax_rate(rate_id=old.pk, on=date(2026, 1, 10), today=date(2026, 1, 9))
    a_tax_rate(percent="25", valid_from=date(2026, 1, 10))
    return invoice


def more_units(world: World) -> None:
    """Three units instead of one from 15 January, told on the 20th."""
    three = Decimal(3)
    told(world.on("2026-01-20"), Item.objects.get(), Act.QUANTITY, on=FIFTEENTH, quantity=three)


def corrections(invoice: Invoice) -> list[Any]:
    lines = list(selectors.lines_of(invoice_id=invoice.pk))
    return corrections_on(invoice, lines, adjustments_of(invoice))


def test_a_quantity_from_a_past_day(world: World, client: Any) -> None:
    first = january(world)
    told(
        world.on("2026-01-20"), Item.objects.get(), Act.QUANTITY, on=FIFTEENTH, quantity=Decimal(3)
    )
    second = billed(world, "2026-01-20")
    (found,) = corrections(second)
    assert (found.corrects, found.tax_rate, found.net, found.tax) == (
        first,
        19,
        Decimal("34.00"),
        Decimal("6.46"),
    )
    order = Order.objects.latest("pk")
    assert causes_in_words(found) == [f"another quantity from 15 Jan 2026, order {order.number}"]
    assert [(each.invoice, each.amount) for each in billed_again(first)] == [
        (second, Decimal("40.46"))
    ]

    lines = list(selectors.lines_of(invoice_id=second.pk))
    (group,) = in_its_language(second, lines, [], [], [])["groups"]
    assert group["title"] == f"Correction of {first.number} of 1 Jan 2026"
    assert group["note"] == f"another quantity from 15 Jan 2026, order {order.number} · tax 19 %"
    assert group["sum"] == "€34.00"
    assert [line["amount"] for line in group["lines"]] == ["-€17.00", "€51.00"]

    client.force_login(a_user("finance"))
    page = text_of(client.get(second.get_absolute_url()))
    assert f"Correction of {first.number} of 1 Jan 2026" in page
    assert "another quantity from 15 Jan 2026" in page
    page = text_of(client.get(first.get_absolute_url()))
    assert "€40.46" in page.partition("Billed again since")[2]

    told_ = client.get(f"/api/v1/invoices/{second.pk}/").json()["corrections"]
    assert [
        (c["corrects_number"], c["tax_rate"], c["net"], c["tax"], c["total"], c["lines"])
        for c in told_
    ] == [(first.number, "19", "34.00", "6.46", "40.46", [1, 2])]
    assert told_[0]["causes"] == [{"act": "quantity", "on": "2026-01-15", "order": order.pk}]


def test_a_price_from_a_past_day_is_one_net_adjustment(world: World) -> None:
    first = january(world)
    item = Item.objects.get()
    reprice(item.product_version, charges=[monthly("31.10")])
    told(world.on("2026-02-02"), item, Act.TERMS, on=date(2026, 1, 1))
    second = billed(world, "2026-02-02")
    (found,) = corrections(second)
    assert (found.corrects, found.tax_rate, found.net, found.tax) == (
        first,
        19,
        Decimal("0.10"),
        Decimal("0.02"),
    )
    assert len(found.lines) == 2
    order = Order.objects.latest("pk")
    assert causes_in_words(found) == [f"another price from 1 Jan 2026, order {order.number}"]
    groups = in_its_language(second, list(selectors.lines_of(invoice_id=second.pk)), [], [], [])
    assert [len(group["lines"]) for group in groups["groups"]] == [1, 2]  # February, then that
    assert [each.amount for each in billed_again(first)] == [Decimal("0.12")]


def test_a_discount_goes_with_what_it_reduces(world: World) -> None:
    has(world.account, a_coupon("10"))
    first = january(world)
    told(
        world.on("2026-01-20"), Item.objects.get(), Act.QUANTITY, on=FIFTEENTH, quantity=Decimal(3)
    )
    second = billed(world, "2026-01-20")
    (found,) = corrections(second)
    assert (len(found.lines), found.net) == (2, Decimal("30.60"))
    assert [row.amount for row in found.adjustments] == [Decimal("-3.40")]
    assert InvoiceAdjustment.objects.count() == 2
    assert [each.amount for each in billed_again(first)] == [second.total]


def test_what_is_billed_for_the_first_time_corrects_nothing(
    world: World, django_assert_num_queries: Any
) -> None:
    first = january(world)
    lines = list(selectors.lines_of(invoice_id=first.pk))
    with django_assert_num_queries(0):
        assert corrections_on(first, lines, []) == []
    second = billed(world, "2026-02-01")
    assert corrections(second) == []
    assert billed_again(first) == []
