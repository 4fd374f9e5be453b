"""A quote of changes shows tax as well: its first bill, as sent, equals the invoice to the cent."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from billing.models import Invoice
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from orders.acceptance.services import place_order
from quotes.inputs import LineInput
from quotes.services import send_quote
from subscriptions.models import Item, QuotedDelta
from subscriptions.quoting.delta import body_of, from_body
from subscriptions.quoting.drafting import ChangeDraft, draft_changes
from subscriptions.quoting.inputs import ChangeInput
from subscriptions.quoting.selectors import delta_of, delta_of_draft
from tests.billing.pages import text_of
from tests.factories import a_product, a_tax_rate, a_user, monthly, setup_fee
from tests.subscriptions.serving import a_line_in_service

pytestmark = pytest.mark.django_db
D = Decimal
FIRST_OF_MARCH = date(2026, 3, 1)


@pytest.fixture
def item(world):
    """1 × 30.00 a month at 19 %, billed for February; it is 10 February."""
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    return a_line_in_service(world)


def a_draft(world, item):
    a_product(code="line-50", name="Line 50", charges=[monthly("50.03"), setup_fee("7.01")])
    charges = [monthly("5.05", tax_code="reduced"), setup_fee("3.05", tax_code="reduced")]
    a_product(code="mail", name="Mail", charges=charges)
    return ChangeDraft(
        world.account.pk,
        changes=[ChangeInput(item.pk, "change", product="line-50")],
        lines=[LineInput(product="mail", quantity="1")],
        valid_until=world.today + timedelta(days=5),
        start_on=FIRST_OF_MARCH,
    )


@pytest.mark.parametrize("per", ["line", "rate", "invoice"])
def test_the_first_bill_with_tax_is_as_it_was_sent(world, item, per):
    LegalEntity.objects.update(conventions={"tax_rounding": per})
    quote = draft_changes(a_draft(world, item), owner_id=a_user("sales").pk, at=world.now)
    send_quote(quote_id=quote.pk, at=world.now)
    quote.refresh_from_db()
    delta = delta_of(quote)
    # 50.03 and 7.01 at 19 %, 5.05 and 3.05 at 7 %.
    assert delta.first_total.amount == D("65.14")
    assert delta.first_tax == (D("11.41") if per == "rate" else D("11.40"))
    assert (delta.monthly_tax_before, delta.monthly_tax_after) == (D("5.70"), D("9.86"))
    once = {"line": "1.54", "rate": "1.54", "invoice": "1.55"}[per]
    assert (delta.once, delta.once_tax) == (D("10.06"), D(once))
    assert from_body(body_of(delta)) == delta

    world.on("2026-02-12")
    place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)
    world.settle()
    world.on("2026-03-01").bill()
    invoice = Invoice.objects.latest("serial")
    assert (invoice.net, invoice.tax) == (delta.first_total.amount, delta.first_tax)
    assert invoice.total == delta.first_gross.amount


def test_a_seller_without_rates_quotes_net_and_old_quotes_still_read(world):
    item = a_line_in_service(world)
    delta = delta_of_draft(a_draft(world, item), at=world.now)
    assert not delta.is_taxed
    assert (delta.first_gross, delta.monthly_gross) == (delta.first_total, delta.monthly)
    body = body_of(delta)
    del body["once_tax"]
    for part in body["first_bill"]:
        del part["tax"]
    for line in body["lines"]:
        for side in (line["before"], line["after"]):
            if side:
                del side["monthly_tax"]
    assert from_body(body) == delta


@pytest.mark.parametrize(
    ("of_change", "of_added", "field"),
    [("books", "", "changes[0].product"), ("", "books", "lines[0].product")],
)
def test_a_code_without_a_rate_is_refused_beside_its_line(world, item, of_change, of_added, field):
    a_product(code="line-50", charges=[monthly("50.00", tax_code=of_change)])
    a_product(code="mail", charges=[monthly("5.00", tax_code=of_added)])
    draft = ChangeDraft(
        world.account.pk,
        changes=[ChangeInput(item.pk, "change", product="line-50")],
        lines=[LineInput(product="mail", quantity="1")],
        valid_until=world.today + timedelta(days=5),
        start_on=FIRST_OF_MARCH,
    )
    with pytest.raises(Refused) as refused:
        delta_of_draft(draft, at=world.now)
    assert (refused.value.code, refused.value.field) == ("tax_rate_unknown", field)
    quote = draft_changes(draft, owner_id=a_user("sales").pk, at=world.now)
    with pytest.raises(Refused):
        send_quote(quote_id=quote.pk, at=world.now)
    assert not QuotedDelta.objects.exists()


def test_rates_are_asked_once_however_many_lines(world, item, django_assert_max_num_queries):
    draft = a_draft(world, item)
    with django_assert_max_num_queries(200) as all_of_them:
        delta_of_draft(draft, at=world.now)
    asked = [q for q in all_of_them.captured_queries if "taxes_taxrate" in q["sql"]]
    assert len(asked) == 1


def test_the_page_and_the_api_show_tax(world, item, client):
    quote = draft_changes(a_draft(world, item), owner_id=a_user("sales").pk, at=world.now)
    client.force_login(a_user("sales"))
    text = text_of(client.get(f"/quotes/{quote.pk}/"))
    for words in (
        "with tax €29.24",
        "with tax €11.60",
        "with tax €76.54",
        "Net total €65.14 Tax €11.40 Total with tax €76.54",
        "Net, but where it says with tax.",
    ):
        assert words in text, words
    told = client.get(f"/api/v1/quotes/{quote.pk}/delta").json()
    assert (told["first_bill_tax"], told["first_bill_gross"]) == ("11.40", "76.54")
    assert (told["monthly_tax_after"], told["once_tax"]) == ("9.86", "1.54")
    assert [part["tax"] for part in told["first_bill"]].count(None) == 0
    assert Item.objects.count() == 1
