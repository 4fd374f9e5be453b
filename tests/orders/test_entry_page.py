"""The page on which the order team enters an order: bundles, and lines from a legacy form."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.catalog.models import ProductVersion
from o2b.catalog.services import retire_product
from orders.models import Order
from tests.factories import monthly
from tests.orders.build import NOON, a_product, an_account, team, written
from tests.quotes.test_inputs_rules import amended

pytestmark = pytest.mark.django_db

BOX = 'name="legacy"'
SITE = {"name": "site", "label": "Site", "required": True}


@pytest.fixture
def client() -> Client:
    an_account(reference="N-1")
    return team("order team")


@pytest.fixture
def voice() -> ProductVersion:
    """ISDN is retired; Voice, which asks for a site, has taken its place."""
    isdn = a_product(code="isdn", name="ISDN line", charges=[monthly("60")])
    voice = a_product(code="voip", name="Voice", charges=[monthly("20")], characteristics=[SITE])
    retire_product(
        product_id=isdn.product_id, successor_id=voice.product_id, on=NOON.date(), by=None
    )
    return voice


def send(client: Client, *lines: dict[str, str], do: str, **given: str) -> Any:
    """What the browser sends, and the answer."""
    sent = {"account": "N-1", "lines": str(len(lines)), "do": do} | given
    for i, line in enumerate(lines):
        said = {"quantity": "1"} | line
        sent |= {f"lines-{i}-{name}": value for name, value in said.items()}
    return client.post(reverse("orders:new"), sent)


def test_without_retired_products_nobody_speaks_of_legacy_forms(client: Client) -> None:
    assert BOX not in client.get(reverse("orders:new")).text


def test_a_retired_product_is_refused_and_the_box_is_offered(
    client: Client, voice: ProductVersion
) -> None:
    before = written()
    page = send(client, {"product": "isdn"}, do="place")
    assert page.status_code == 422
    assert "ISDN line v1 is retired; Voice (voip) has taken its place." in page.text
    assert BOX in page.text
    assert "ISDN line → Voice" not in page.text
    assert written() == before


def test_a_legacy_form_lists_retired_products_and_asks_what_the_successor_asks(
    client: Client, voice: ProductVersion
) -> None:
    page = send(client, {"product": "isdn"}, do="", legacy="on")
    assert '<option value="isdn" selected>ISDN line → Voice</option>' in page.text
    assert "Ordered as Voice (voip)." in page.text
    assert 'name="lines-0-c-site"' in page.text
    assert 'name="legacy" checked' in page.text
    shown = send(client, {"product": "isdn", "c-site": "Main"}, do="look", legacy="on")
    assert "€20.00" in shown.text
    before = written()
    refused = send(client, {"product": "isdn"}, do="place", legacy="on")
    assert (refused.status_code, "Site is missing." in refused.text) == (422, True)
    assert written() == before


def test_a_legacy_form_is_ordered_as_its_successors(client: Client, voice: ProductVersion) -> None:
    line = {"product": "isdn", "c-site": "Main", "c-channels": "30"}
    answer = send(client, line, do="place", legacy="on", note="By fax")
    order = Order.objects.get()
    assert answer["Location"] == order.get_absolute_url()
    ordered = order.lines.get()
    assert (ordered.product_version, ordered.characteristics) == (voice, {"site": "Main"})
    page = client.get(order.get_absolute_url()).text
    assert "By fax<br>Line 1: isdn is retired; ordered as Voice v1." in page


def test_a_retired_product_whose_next_version_is_a_draft_is_translated(
    client: Client, voice: ProductVersion
) -> None:
    isdn = ProductVersion.objects.get(product__code="isdn")
    ProductVersion.objects.create(product=isdn.product, number=2)
    line = {"product": "isdn", "c-site": "Main"}
    assert send(client, line, do="place", legacy="on").status_code == 302


def test_the_options_of_a_bundle_are_added(client: Client) -> None:
    phone = a_product(code="phone", name="Desk phone")
    amended(a_product(code="office", name="Office"), options=[(phone, 2, 4)])
    page = send(client, {"product": "office"}, do="options-0")
    assert [(x.product, x.quantity) for x in page.context["editor"].lines] == [
        ("office", "1"),
        ("phone", "2"),
    ]
    before = written()
    refused = send(client, {"product": "office"}, do="place")
    assert refused.status_code == 422
    assert "Office needs at least 2 of Desk phone (phone); there are 0." in refused.text
    assert written() == before
    sent = [{"product": "office"}, {"product": "phone", "quantity": "2"}]
    assert send(client, *sent, do="place").status_code == 302


@pytest.mark.parametrize("do", ["look", "place", "add"])
def test_every_fault_is_shown_once_beside_its_line(client: Client, do: str) -> None:
    phone = a_product(code="phone", name="Desk phone")
    amended(a_product(code="office", name="Office"), options=[(phone, 2, 4)])
    lines = [{"product": "phone", "quantity": "x"}, {"product": "nothing"}]
    page = send(client, *lines, do=do)
    faults = [line.faults for line in page.context["editor"].lines]
    assert faults[:2] == [
        {"quantity": "The quantity must be a number."},
        {"product": "There is no product “nothing”."},
    ]
    office = send(client, {"product": "office"}, do=do).context["editor"].lines[0]
    expected = {"product": "Office needs at least 2 of Desk phone (phone); there are 0."}
    assert office.faults == ({} if do == "add" else expected)
    assert Order.objects.count() == 0


def test_htmx_gets_the_editor_alone(client: Client) -> None:
    a_product(code="phone")
    sent = {"account": "", "lines": "1", "lines-0-product": "phone", "lines-0-quantity": "1"}
    part = client.post(reverse("orders:new"), sent, headers={"HX-Request": "true"}).text
    assert part.startswith('<form id="editor"')
    # Nobody has tried yet to place it.
    assert "This field is required." not in part
    assert "This field is required." in send(client, do="place", account="").text


def test_as_many_queries_for_many_lines(client: Client, voice: ProductVersion) -> None:
    phone = a_product(code="phone")
    amended(a_product(code="office"), options=[(phone, 1, None)])
    whole = [{"product": "office"}, {"product": "phone"}, {"product": "isdn", "c-site": "x"}]
    send(client, *whole, do="look", legacy="on")
    counts = []
    for many in (1, 12):
        with CaptureQueriesContext(connection) as asked:
            send(client, *whole * many, do="look", legacy="on")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 30
