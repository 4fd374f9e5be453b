"""Offers with tax: month, once and first bill; the first bill equals the invoice to the cent."""

from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from billing.models import Invoice
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from orders.acceptance.services import place_order
from quotes.inputs import LineInput
from quotes.models import Quote
from quotes.selectors import draft_offer, offer, try_preview
from quotes.services import draft_quote, send_quote
from quotes.views import offer_url
from tests.billing.pages import text_of
from tests.factories import a_product, a_tax_rate, a_user, an_account, monthly, setup_fee

pytestmark = pytest.mark.django_db
D = Decimal
START = date(2026, 1, 11)


def products():
    a_product(code="line", charges=[monthly("30.01"), setup_fee("12.03", tax_code="reduced")])
    a_product(code="mail", charges=[monthly("5.05", tax_code="reduced")])


def drafted(world, **given):
    lines = [LineInput(product=code, quantity="1") for code in ("line", "mail")]
    return draft_quote(
        account_id=world.account.pk,
        owner_id=a_user("sales").pk,
        lines=given.pop("lines", lines),
        valid_until=date(2026, 1, 31),
        start_on=START,
        at=world.now,
        title="",
    )


@pytest.mark.parametrize("per", ["line", "rate", "invoice"])
def test_the_first_bill_of_an_offer_equals_the_invoice(world, per):
    world.on("2026-01-05")
    LegalEntity.objects.update(conventions={"tax_rounding": per})
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    products()
    quote = drafted(world)
    draft = draft_offer(quote, on=world.today)["totals"]
    send_quote(quote_id=quote.pk, at=world.now)
    shown = offer(quote.pk)
    totals = shown["totals"]
    assert totals.tax == draft.tax
    assert (totals.monthly, totals.tax.monthly) == (D("35.06"), D("6.05"))
    assert (totals.one_time, totals.tax.one_time) == (D("12.03"), D("0.84"))
    assert sum(part.tax for part in shown["first_bill"]) == totals.tax.first_invoice
    order_of(world, quote)
    world.on(str(totals.first_invoice_on)).bill()
    invoice = Invoice.objects.get()
    assert (invoice.net, invoice.tax) == (totals.first_invoice, totals.tax.first_invoice)
    assert invoice.total == totals.first_invoice_gross


def order_of(world, quote):
    order = place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)
    world.settle()
    return order


def test_without_rates_an_offer_is_net(world):
    world.on("2026-01-05")
    products()
    quote = drafted(world)
    totals = draft_offer(quote, on=world.today)["totals"]
    assert totals.tax is None
    assert totals.first_invoice_gross == totals.first_invoice


def test_who_is_exempt_is_offered_a_tax_of_nothing(world):
    a_tax_rate("19")
    products()
    account = an_account(tax_exempt=True)
    lines = [LineInput(product="mail", quantity="1")]
    priced, faults = try_preview(account, lines, START, START)
    assert (faults, priced.totals.tax.monthly, priced.totals.tax.first_invoice) == ([], 0, 0)


def test_a_code_without_a_rate_is_refused_beside_its_line_until_there_is_one(world):
    world.on("2026-01-05")
    a_tax_rate("19")
    products()
    lines = [LineInput(product=code, quantity="1") for code in ("line", "mail")]
    priced, faults = try_preview(world.account, lines, world.today, START)
    assert priced is None
    assert [(each.code, each.field) for each in faults] == [
        ("tax_rate_unknown", "lines[0].product")
    ]
    quote = drafted(world)
    with pytest.raises(Refused) as refused:
        send_quote(quote_id=quote.pk, at=world.now)
    assert refused.value.code == "tax_rate_unknown"
    assert Quote.objects.get().is_draft
    a_tax_rate("7", "reduced")
    assert send_quote(quote_id=quote.pk, at=world.now).sent_at == world.now


def test_the_pages_show_tax(world, client):
    world.on("2026-01-05")
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    products()
    quote = drafted(world)
    send_quote(quote_id=quote.pk, at=world.now)
    client.force_login(a_user("sales"))
    text = text_of(client.get(f"/quotes/{quote.pk}/"))
    for words in ("€35.06 with tax €41.11", "€12.03 with tax €12.87"):
        assert words in text, words
    text = text_of(client.get(urlsplit(offer_url(quote)).path))
    for words in ("Total without tax €12.03 €35.06", "Tax €0.84 €6.05", "with tax €12.87 €41.11"):
        assert words in text, words
