"""Pages of payers: the panel, the list, the form, the second person; what a document says of it."""

from typing import Any

import pytest

from billing.explaining.selectors import explain_invoice
from billing.invoices.document import document_of
from billing.invoices.pdf import render
from billing.invoices.selectors import lines_of
from billing.models import Invoice, PayerAgreement
from o2b.charging import Step
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.billing.payers import agreed, asked_for
from tests.billing.worlds import JANUARY, finalised, in_service
from tests.factories import a_product, an_account, monthly

pytestmark = pytest.mark.django_db


def test_one_asks_another_approves_and_both_accounts_show_it():
    clerk, chief = client_of("finance"), client_of("finance")
    customer, sponsor = an_account(name="School"), an_account(name="Programme")
    url = f"/billing/of-account/{customer.pk}/payers/new/"
    assert "A second person approves it" in text_of(clerk.get(url))
    body = {
        "starts_on": "2026-01-01",
        "reason": "E-Rate",
        "payer_1": "Programme",
        "percent_1": "60",
    }
    made = clerk.post(url, body)
    agreement = PayerAgreement.objects.get()
    assert made.headers["Location"] == agreement.get_absolute_url()
    page = agreement.get_absolute_url()
    assert "Withdraw" in text_of(clerk.get(page))
    assert "Approve" not in text_of(clerk.get(page))
    assert "Payers to approve 1" in text_of(chief.get("/"))
    clerk.post(f"{page}approve/")
    agreement.refresh_from_db()
    assert agreement.state == "asked"
    chief.post(f"{page}approve/")
    said = text_of(chief.get(page))
    assert "pays the rest of each amount, to the cent 40 %" in said
    for account, words in ((customer, "60 % Programme"), (sponsor, "It pays for others")):
        panel = f"/billing/of-account/{account.pk}/payers/"
        assert words in text_of(clerk.get(panel, **HTMX))
        assert "<html" in clerk.get(panel).content.decode()
    assert "60 % Programme" in text_of(clerk.get("/billing/payers/?q=Programme"))
    ended = clerk.post(f"{page}end/", {"ends_on": "2026-02-01", "reason": "over"})
    assert ended.status_code == 302
    agreement.refresh_from_db()
    assert f"{agreement.ends_on}" == "2026-02-01"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"payer_1": ""}, "payer_1"),
        ({"payer_1": "nobody of this name"}, "payer_1"),
        ({"payer_1": "School"}, "payer_1"),
        ({"percent_1": "0"}, "percent_1"),
        ({"percent_1": "x"}, "percent_1"),
        ({"percent_2": "10"}, "payer_2"),
        ({"payer_2": "Town"}, "percent_2"),
        ({"payer_2": "Town", "percent_2": "41"}, "percent_2"),
        ({"payer_2": "Programme", "percent_2": "1"}, "payer_2"),
        ({"reason": " "}, "reason"),
        ({"ends_on": "2026-01-01"}, "ends_on"),
        ({"starts_on": ""}, "starts_on"),
        ({"service": "99"}, "service"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(given, field):
    customer, _, _ = (an_account(name=each) for each in ("School", "Programme", "Town"))
    body = {"starts_on": "2026-01-01", "reason": "why", "payer_1": "Programme", "percent_1": "60"}
    answer = client_of("finance").post(
        f"/billing/of-account/{customer.pk}/payers/new/", body | given
    )
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not PayerAgreement.objects.exists()


def test_a_wrong_end_is_said_beside_it():
    agreement = agreed(an_account(), (an_account(), "60"))
    answer = client_of("finance").post(
        f"{agreement.get_absolute_url()}end/", {"ends_on": "2025-01-01", "reason": "over"}
    )
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["ends_on"]


@pytest.mark.parametrize("path", ["", "approve/", "refuse/", "withdraw/", "end/"])
def test_doors_want_their_permission(path):
    agreement = asked_for(an_account(), (an_account(), "60"))
    url = f"{agreement.get_absolute_url()}{path}"
    nobody = client_of()
    answer = nobody.post(url) if path else nobody.get(url)
    assert answer.status_code == 403


def test_the_list_costs_the_same_for_many():
    client = client_of("finance")
    for _ in range(2):
        agreed(an_account(), (an_account(), "60"), (an_account(), "10"))
    few = queries(client, "/billing/payers/")
    for _ in range(8):
        agreed(an_account(), (an_account(), "60"), (an_account(), "10"))
    assert queries(client, "/billing/payers/") == few
    customer = an_account()
    panel = f"/billing/of-account/{customer.pk}/payers/"
    agreed(customer, (an_account(), "60"))
    few = queries(client, panel)
    for n in range(2, 6):
        agreed(customer, (an_account(), "60"), starts_on=JANUARY.replace(month=n, day=1))
    assert queries(client, panel) == few


@pytest.fixture
def both() -> tuple[Invoice, Invoice]:
    """What the sponsor and the customer get."""
    sponsor = an_account(name="Programme")
    customer = in_service(
        [a_product(charges=[monthly("99.99")])], account=an_account(name="School")
    )
    agreed(customer, (sponsor, "60"))
    finalised(JANUARY)
    return Invoice.objects.get(account=sponsor), Invoice.objects.get(account=customer)


def test_documents_say_whose_service_it_is_and_which_part(both):
    client = client_of("finance")
    for invoice, note, whose in zip(both, ("60 %", "40 %"), (True, False), strict=True):
        document = document_of(invoice, list(lines_of(invoice_id=invoice.pk)), (), ())
        (group,) = document["groups"]
        assert ("for School" in group["note"]) is whose
        assert group["lines"][0]["note"] == f"{note} of €99.99"
        assert render(document).startswith(b"%PDF")
        said = text_of(client.get(invoice.get_absolute_url()))
        assert f"{note} of €99.99" in said
        assert ("for School" in said) is whose
        assert f"share {note}" in said


def test_the_arithmetic_ends_in_the_part(both):
    sponsor, customer = ([*explain_invoice(each).values()][0] for each in both)
    assert last(sponsor) == Step("share", "60 % × 99.99", sponsor.line.amount)
    assert last(customer) == Step("share", "99.99 − 59.99", customer.line.amount)
    assert (sponsor.equal, customer.equal) == (True, True)


def last(explained: Any) -> Step:
    return explained.again.steps[-1]
