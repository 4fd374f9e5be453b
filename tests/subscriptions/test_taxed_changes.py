"""What a change brings in money and tax: the preview equals the next invoice to the cent."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import Invoice, InvoiceLine
from o2b.asks import ask
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item, ItemChange
from tests.billing.pages import text_of
from tests.factories import a_product, a_tax_rate, a_user, monthly, setup_fee

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def item(world):
    """30.01 and 0.05 a month in advance since 1 January, at 19 % and 7 %, billed to February."""
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    return in_service(world)


def in_service(world):
    world.on("2026-01-01")
    charges = [monthly("30.01"), monthly("0.08", key="music", tax_code="reduced")]
    world.sell(products=[a_product(code="line-30", charges=charges)])
    world.bill("2026-01-01")
    world.on("2026-02-01").bill("2026-02-01")
    world.on("2026-02-10")
    return Item.objects.get()


def previewed(world, wish):
    preview = preview_changes(
        account_id=world.account.pk,
        wishes=[wish],
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    )
    return preview.services[0]


def changed(world, wish):
    change_services(account_id=world.account.pk, wishes=[wish], at=world.now, actor_id=None)
    world.settle()


WISHES = [
    {"act": Act.QUANTITY, "quantity": "3"},
    {"act": Act.TERMS, "product": "line-50"},
    {"act": Act.TERMS, "product": "line-50", "when": When.PERIOD_END},
    {"act": Act.SUSPEND, "billing": "none"},
    {"act": Act.END},
    {"act": Act.END, "when": When.ON, "on": date(2026, 1, 1)},
    {"act": Act.QUANTITY, "quantity": "3", "when": When.ON, "on": date(2026, 1, 12)},
]


@pytest.mark.parametrize("per", ["line", "rate", "invoice"])
@pytest.mark.parametrize("wanted", WISHES)
def test_the_preview_equals_the_next_invoice_to_the_cent_with_tax(world, item, per, wanted):
    LegalEntity.objects.update(conventions={"tax_rounding": per})
    charges = [monthly("50.03"), setup_fee("7.01", tax_code="reduced")]
    a_product(code="line-50", charges=charges)
    wish = Wish(item_id=item.pk, **wanted)
    told = previewed(world, wish)
    changed(world, wish)
    if told.next_on is None:
        assert told.next_bill == ()
        return
    world.on(str(told.next_on)).bill()
    invoice = Invoice.objects.latest("serial")
    assert invoice.issued_on == told.next_on
    assert (told.next_total, told.next_tax) == (invoice.net, invoice.tax)
    assert invoice.tax
    if per == "line":
        lines = InvoiceLine.objects.filter(invoice=invoice)
        assert sorted(
            (line.amount, tax) for line, tax in zip(told.next_bill, told.next_taxes, strict=True)
        ) == sorted((line.amount, line.tax) for line in lines)


def test_what_was_billed_comes_back_at_its_old_rate_in_the_preview_too(world):
    a_tax_rate("19", valid_until=date(2026, 2, 5))
    a_tax_rate("16", valid_from=date(2026, 2, 5))
    a_tax_rate("7", "reduced")
    item = in_service(world)
    a_product(code="line-50", charges=[monthly("50.03")])
    wish = Wish(item_id=item.pk, act=Act.TERMS, product="line-50")
    told = previewed(world, wish)
    # 19 of 28 days: 20.36 of the old come back at 19 %, 0.05 at 7 %; the new goes on with what was
    # billed at 19 % (decision 18).
    assert sorted(zip((li.amount for li in told.because), told.because_taxes, strict=True)) == [
        (D("-20.36"), D("-3.87")),
        (D("-0.05"), D("-0.01")),
        (D("33.95"), D("6.45")),
    ]
    changed(world, wish)
    world.bill()
    invoice = Invoice.objects.latest("serial")
    assert (invoice.net, invoice.tax) == (told.because_total, told.because_tax)


def test_a_seller_without_rates_previews_net(world):
    item = in_service(world)
    told = previewed(world, Wish(item_id=item.pk, act=Act.QUANTITY, quantity="3"))
    assert (told.because_taxes, told.next_taxes, told.next_tax) == (None, None, None)


def test_who_is_exempt_sees_a_tax_of_nothing_on_what_comes(world, item):
    world.account.tax_exempt = True
    world.account.save()
    wish = Wish(item_id=item.pk, act=Act.QUANTITY, quantity="3", when=When.PERIOD_END)
    assert previewed(world, wish).next_tax == 0


def test_a_code_without_a_rate_is_refused_beside_the_product(world, item):
    charges = [monthly("50.03", tax_code="books")]
    a_product(code="line-50", charges=charges)
    with pytest.raises(Refused) as refused:
        previewed(world, Wish(item_id=item.pk, act=Act.TERMS, product="line-50"))
    assert (refused.value.code, refused.value.field) == ("tax_rate_unknown", "changes[0].product")
    assert "books" in refused.value.message
    assert not ItemChange.objects.filter(act=Act.TERMS).exists()


def test_rates_are_asked_once_however_many_lines(world, item, django_assert_max_num_queries):
    wish = Wish(item_id=item.pk, act=Act.QUANTITY, quantity="3")
    with django_assert_max_num_queries(100) as few:
        previewed(world, wish)
    asked = [q for q in few.captured_queries if "taxes_taxrate" in q["sql"]]
    assert len(asked) == 1


def test_the_page_and_the_api_show_tax_and_gross(world, item, client):
    client.force_login(a_user("order team"))
    asked = {"item": item.pk, "act": "quantity", "quantity": "3", "dry_run": True}
    address = f"/api/v1/subscriptions/{item.subscription_id}/changes"
    told = client.post(address, asked, content_type="application/json").json()
    assert {line["tax"] for line in told["because"]} == {"-3.87", "11.61", "-0.01", "0.01"}
    money = ("because_total", "because_tax", "because_gross")
    assert [told[name] for name in money] == ["40.84", "7.74", "48.58"]
    money = ("next_bill_total", "next_bill_tax", "next_bill_gross")
    assert [told[name] for name in money] == ["40.84", "7.74", "48.58"]
    said = {"when": "now", "do": "preview", "quantity": "3"}
    page = client.post(f"/subscriptions/items/{item.pk}/change/quantity/", said)
    text = text_of(page)
    for words in (
        "Together €40.84 Tax €7.74 Total with tax €48.58",
        "Net total €40.84 Tax €7.74 Total with tax €48.58",
        "€48.58 is charged because of this change. Tax is included.",
    ):
        assert words in text, words


def test_a_seller_without_rates_has_no_tax_in_page_and_api(world, client):
    item = in_service(world)
    client.force_login(a_user("order team"))
    asked = {"item": item.pk, "act": "quantity", "quantity": "3", "dry_run": True}
    address = f"/api/v1/subscriptions/{item.subscription_id}/changes"
    told = client.post(address, asked, content_type="application/json").json()
    assert (told["because_tax"], told["next_bill_gross"]) == (None, None)
    assert {line["tax"] for line in told["because"]} == {None}
    said = {"when": "now", "do": "preview", "quantity": "3"}
    text = text_of(client.post(f"/subscriptions/items/{item.pk}/change/quantity/", said))
    assert "Because of this change net: no tax is charged" in text
    assert "Total with tax" not in text
