"""The PDF says what the invoice says, and nothing that a name holds is ever run."""

from datetime import date
from io import BytesIO

import pytest
from django.utils import translation
from pypdf import PdfReader

from billing.invoices import pdf, selectors
from billing.invoices.document import Document, document_of
from billing.models import Invoice
from tests.billing.build import AT, an_invoice, charges_of, items_of
from tests.factories import a_contract, a_product, an_account, an_entity, monthly, setup_fee

pytestmark = pytest.mark.django_db

HOSTILE = [
    '#raw("x")',
    "\"quoted\" \\ 'name'",
    "#{ panic() } $x^2$ *bold* _it_ `code` // gone /* gone */",
    "<label> @ref [content] = Heading",
    '#import "/etc/passwd": *',
    "Zoë & Söhne — Дом Ωμέγα",
    "{page} of {pages}",
]


def document(invoice: Invoice) -> Document:
    found = selectors.invoice(invoice_id=invoice.pk, on=AT.date())
    return document_of(found, list(selectors.lines_of(invoice_id=invoice.pk)), (), ())


def text_of(invoice: Invoice) -> str:
    pages = PdfReader(BytesIO(pdf.render(document(invoice)))).pages
    return "\n".join(page.extract_text() for page in pages)


def seller() -> object:
    return an_entity(
        code="seller",
        name="Nordlicht Telecom GmbH",
        address="Kaistraße 1\n20457 Hamburg",
        tax_id="DE123456789",
        iban="DE02120300000000202051",
    )


def test_the_page_says_who_what_and_how_much() -> None:
    account = an_account(
        legal_entity=seller(), name="Northwind Berlin", address="Ring 5\n10115 Berlin"
    )
    charge = charges_of(items_of(account, [a_product(name="Fibre 1 Gbit/s")], serials=["SN-9"]))[0]
    invoice = an_invoice(
        "1234.50", charge=charge, number="INV-000042", text="Fibre 1 Gbit/s: monthly", quantity=3
    )

    text = text_of(invoice)

    for part in (
        "Nordlicht Telecom GmbH",
        "Kaistraße 1",
        "20457 Hamburg",
        "Northwind Berlin",
        "Ring 5",
        "10115 Berlin",
        "Invoice INV-000042",
        "1 Mar 2026",
        "1 Apr 2026",
        account.reference,
        "Fibre 1 Gbit/s",
        "serial SN-9",
        "1 Mar 2026 – 31 Mar 2026",
        "€49.90",
        "€1,234.50",
        "DE02 1203 0000 0000 2020 51",
        "DE123456789",
        "Please pay €1,234.50 by 1 Apr 2026 and quote INV-000042.",
        "Page 1 of 1",
    ):
        assert part in text, part


def test_a_discount_and_a_correction_are_named() -> None:
    account = an_account()
    a_contract(account, discounts=[("percent", "10"), ("amount", "-2.5")])
    charge = charges_of(items_of(account, [a_product()]))[0]
    an_invoice("42.41", charge=charge)
    line = document(an_invoice("1.00", charge=charge))["groups"][0]["lines"][0]

    assert line["note"] == "less 10 % · plus €2.50 · correction 1"


@pytest.mark.parametrize(
    ("currency", "price", "amount", "unit", "total"),
    [
        ("EUR", "0.00125", "0.13", "€0.00125", "€0.13"),
        ("JPY", "1200", "1200", "JP¥1,200", "JP¥1,200"),
        ("KWD", "1.5", "1.500", "KWD1.500", "KWD1.500"),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(
    currency: str, price: str, amount: str, unit: str, total: str
) -> None:
    account = an_account(currency=currency)
    product = a_product(charges=[monthly(price)], currency=currency)
    invoice = an_invoice(amount, charge=charges_of(items_of(account, [product]))[0])

    found = document(invoice)

    assert found["groups"][0]["lines"][0]["unit"] == unit
    assert found["total"] == ["Total", total]


def test_a_one_time_charge_has_a_day_and_not_a_period() -> None:
    charge = charges_of(items_of(an_account(), [a_product(charges=[setup_fee("99")])]))[0]
    invoice = an_invoice("99", charge=charge, served_to=date(2026, 3, 2))

    assert document(invoice)["groups"][0]["lines"][0]["period"] == "1 Mar 2026"


def test_a_credit_note_asks_for_nothing() -> None:
    text = text_of(an_invoice("-20", number="INV-000043"))

    assert "Credit note INV-000043" in text
    assert "-€20.00" in text
    assert "There is nothing to pay." in text
    assert "Please pay" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stands_there_as_it_is(name: str) -> None:
    account = an_account(name=name, legal_entity=an_entity(code="hostile", name=name, address=name))
    charge = charges_of(items_of(account, [a_product(name=name)], serials=[name]))[0]
    invoice = an_invoice("10", charge=charge, text=name)

    data = pdf.render(document(invoice))
    text = PdfReader(BytesIO(data)).pages[0].extract_text()

    squeezed = "".join(name.split())
    assert "".join(text.split()).count(squeezed) >= 4


def test_equal_documents_give_equal_bytes_and_names() -> None:
    one = document(an_invoice("10", number="A"))
    other = one | {"number": "B"}

    assert pdf.render(one) == pdf.render(one)
    assert pdf.digest(one) == pdf.digest(one)
    assert pdf.digest(one) != pdf.digest(other)  # type: ignore[arg-type]


def test_many_lines_take_many_pages_and_each_says_so() -> None:
    one = document(an_invoice("10"))
    one["groups"] = one["groups"] * 60

    pages = PdfReader(BytesIO(pdf.render(one))).pages
    assert len(pages) > 2
    for n, page in enumerate(pages, start=1):
        text = page.extract_text()
        assert f"Page {n} of {len(pages)}" in text
        assert "Unit price" in text or n == len(pages)  # the last may hold the sums alone


def test_the_page_speaks_the_readers_language() -> None:
    invoice = an_invoice("1234.50")
    with translation.override("de"):
        assert document(invoice)["total"][1] == "1.234,50\xa0€"
        assert document(invoice)["lang"] == "de"


@pytest.mark.parametrize(
    ("conventions", "period", "cash"),
    [
        ({}, " – ", None),
        ({"period_end": "inclusive"}, " – ", None),
        ({"period_end": "exclusive", "cash_rounding": "0.05"}, " until before ", "1,234.55"),
    ],
)
def test_a_sellers_conventions_of_showing(conventions, period, cash) -> None:
    seller = an_entity(code="seller", name="Seller", conventions=conventions)
    items = items_of(an_account(legal_entity=seller), [a_product()])
    invoice = an_invoice("1234.53", charge=charges_of(items)[0], number="INV-000043")

    found = document(invoice)

    assert period in found["groups"][0]["lines"][0]["period"]
    assert ("In cash" in found["pay"]) == bool(cash)
    assert (cash or "1,234.53") in found["pay"]
    assert "1,234.53" in found["total"][1]
