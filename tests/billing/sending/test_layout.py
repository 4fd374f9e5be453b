"""A seller's layout, groups of lines, and texts that try to break the page."""

from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override
from pypdf import PageObject, PdfReader

from billing.invoices import grouping, pdf
from billing.invoices.document import Document, document_of
from billing.invoices.layout import BREAK
from billing.models import Invoice
from billing.sending.selectors import to_set
from o2b.customers.layouts import validate_layout
from o2b.customers.models import Account
from tests.billing.build import an_invoice, charges_of, items_of
from tests.billing.documents.build import sold
from tests.billing.sending.build import a_final_run
from tests.billing.worlds import in_service
from tests.factories import a_product, an_account, an_entity, monthly

pytestmark = pytest.mark.django_db

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
CIRCLE = '<circle cx="4" cy="4" r="4" fill="#0b7a4b"/>'
LAYOUT = {
    "accent": "#0b7a4b",
    "logo": SVG.format(CIRCLE),
    "footer": "Amtsgericht Hamburg HRB 12345\nGeschäftsführung: Ada Beispiel",
    "bank": "Hamburger Sparkasse",
    "bic": "HASPDEHHXXX",
    "exempt_note": "Reverse charge: § 13b UStG.",
    "grouping": "service",
    "mail_text": "#panic()",
}


def document(invoice: Invoice, language: str = "en") -> Document:
    (each,) = to_set(Invoice.objects.filter(pk=invoice.pk))
    with override(language):
        return document_of(each.invoice, each.lines, each.prepaid, each.adjustments)


def pages_of(document: Document) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf.render(document))).pages]


def test_the_paper_of_a_seller() -> None:
    validate_layout(LAYOUT)
    seller = an_entity(code="seller", name="Seller", iban="DE02120300000000202051", layout=LAYOUT)
    exempt = an_account(legal_entity=seller, tax_exempt=True)
    invoice = an_invoice("10", account=exempt, number="INV-1")
    found = document(invoice)
    (text,) = pages_of(found)
    for part in ("HASPDEHHXXX", "Hamburger Sparkasse", "HRB 12345", "Ada Beispiel", "13b UStG"):
        assert part in text, part
    assert found["layout"] == {"accent": "#0b7a4b", "logo": LAYOUT["logo"]}
    plain = document(an_invoice("10", number="INV-2"))
    assert pdf.render(found | {"layout": plain["layout"]}) != pdf.render(found)
    assert "13b" not in pages_of(plain)[0]


def test_a_credit_note_needs_no_account_to_pay_to() -> None:
    seller = an_entity(code="seller", name="Seller", iban="DE02120300000000202051", tax_id="DE1")
    found = document(an_invoice("-10", account=an_account(legal_entity=seller)))
    assert found["bank"] == [["Tax number", "DE1"]]


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"colour": "#000000"},
        {"accent": "red"},
        {"accent": 7},
        {"bic": "nope"},
        {"bank": "x" * 201},
        {"footer": "a\n" * 5},
        {"grouping": "by moon"},
        {"logo": "no picture"},
        {"logo": "<html/>"},
        {"logo": '<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.format("")},
        {"logo": SVG.format("<script>alert(1)</script>")},
        {"logo": SVG.format('<image href="file:///etc/passwd"/>')},
        {"logo": SVG.format('<circle onload="x" r="1"/>')},
        {"logo": SVG.format('<circle fill="url(http://x/y)" r="1"/>')},
        {"logo": SVG.format('<circle style="fill:url(x)" r="1"/>')},
        {"logo": SVG.format("<circle/>" * 20_000)},
    ],
)
def test_a_layout_that_is_none_is_refused(said: object) -> None:
    with pytest.raises(ValidationError):
        validate_layout(said)


def billed(account: Account) -> Invoice:
    a_final_run(account_ids=[account.pk])
    return Invoice.objects.get(account=account)


def test_lines_by_item_service_or_site() -> None:
    fibre = a_product(name="Fibre", charges=[monthly("10")])
    voice = a_product(name="Voice", charges=[monthly("5")])
    account = in_service([fibre, voice])
    in_service([voice], account=account, quantity="3")
    invoice = billed(account)

    def groups(how: str) -> list[tuple[str, str, int]]:
        Account.objects.filter(pk=account.pk).update(invoice_grouping=how)
        return [(g["title"], g["sum"], len(g["lines"])) for g in document(invoice)["groups"]]

    assert groups("") == [("Fibre", "", 1), ("Voice", "", 1), ("Voice", "", 1)]
    assert groups("item") == groups("")
    assert groups("service") == [("Fibre", "€10.00", 1), ("Voice", "€20.00", 2)]
    one, other = groups("site")
    assert (one[1:], other[1:]) == (("€15.00", 2), ("€15.00", 1))
    lines = document(invoice)["groups"][0]["lines"]
    assert [line["text"] for line in lines] == ["Fibre: Monthly", "Voice: Monthly"]


def test_services_at_one_address_stand_under_it_whoever_ordered_them(
    django_assert_num_queries: Any,
) -> None:
    account = an_account(invoice_grouping="site")
    for site in ("Graben 21, Wien", "graben 21,  wien", "Kiel"):
        sold(account, "10", site=site)
    in_service([a_product(name="Voice", charges=[monthly("5")])], account=account)
    invoice = billed(account)
    found = document(invoice)["groups"]
    assert [(g["title"], g["sum"], len(g["lines"])) for g in found][:2] == [
        ("Graben 21, Wien", "€20.00", 2),
        ("Kiel", "€10.00", 1),
    ]
    assert [(g["sum"], len(g["lines"])) for g in found][2:] == [("€5.00", 1)]
    (each,) = to_set(Invoice.objects.filter(pk=invoice.pk))
    with django_assert_num_queries(0):
        document_of(each.invoice, each.lines, each.prepaid, each.adjustments)


def test_many_items_come_by_service_and_very_many_lines_as_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = in_service([a_product(name="Fibre", charges=[monthly("10")])], quantity="2")
    in_service([a_product(name="Voice", charges=[monthly("5")])] * 3, account=account)
    invoice = billed(account)
    monkeypatch.setattr(grouping, "MANY_ITEMS", 3)
    fibre, voice = document(invoice)["groups"]
    assert (voice["title"], voice["note"], voice["sum"]) == ("Voice", "3 services", "€15.00")
    assert len(voice["lines"]) == 3
    monkeypatch.setattr("billing.invoices.document.MANY_LINES", 3)
    fibre, voice = document(invoice)["groups"]
    (line,) = voice["lines"]
    assert (line["quantity"], line["amount"], line["unit"]) == ("3", "€15.00", "€5.00")
    assert fibre["lines"][0]["amount"] == "€20.00"


@pytest.mark.parametrize(
    "name",
    [
        "W" * 200,
        "Rechtsanwaltsgesellschaftsberatungsdienstleistungszentrumsverwaltung mbH & Co. KGaA",
        "שלום עולם בע״מ",
        "شركة مرحبا",
        "🚀 日本電信電話株式会社 👩‍👩‍👧",
        "a\u202egnirts\u202c b",
        "\x01\x02 control \u2028 line",
        '#import "/etc/passwd": * ; #panic()',
    ],
)
def test_texts_that_try_to_break_the_page_stay_on_it(name: str) -> None:
    seller = an_entity(code="hostile", name=name[:200], address=name, layout={"footer": name})
    account = an_account(name=name[:200], legal_entity=seller, address="\n".join([name] * 3))
    charge = charges_of(items_of(account, [a_product(name=name[:120])], serials=[name[:100]]))[0]
    invoice = an_invoice("10", charge=charge, text=name)
    for language in ("en", "de"):
        pages = PdfReader(BytesIO(pdf.render(document(invoice, language)))).pages
        assert invoice.number in pages[0].extract_text()
        assert max(place for page in pages for place in places(page)) < 595


def places(page: PageObject) -> list[float]:
    """How far from the left the pieces of its text begin, in points; a page is 595 wide."""
    found: list[float] = []
    page.extract_text(visitor_text=lambda text, cm, tm, font, size: found.append(tm[4]))
    return found


def test_long_words_may_break_and_short_ones_stay() -> None:
    account = an_account(name="W" * 60)
    found = document(an_invoice("10", account=account))
    assert BREAK in found["customer"][0]
    assert "".join(found["customer"][0].split(BREAK)) == "W" * 60
    assert BREAK not in "".join(found["seller"])
