"""Bundles in the editor of a quote, and what a line's characteristics show beside their fields."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from quotes.models import Quote
from tests.factories import a_product, a_user, an_account
from tests.quotes.test_editor import fields, live
from tests.quotes.test_inputs_rules import amended

pytestmark = pytest.mark.django_db

SPECS = [
    {"name": "speed", "label": "Speed", "type": "choice", "choices": [100, 250], "unit": "Mbit/s"},
    {"name": "length", "type": "integer", "unit": "m", "minimum": 1, "maximum": 90, "default": 5},
    {"name": "site", "label": "Site", "required": True},
]
HTMX = {"HX-Request": "true", "HX-Target": "editor"}


@pytest.fixture
def rep() -> Client:
    client = Client()
    client.force_login(a_user("sales", username="rep"))
    an_account(reference="N-1", name="Northwind")
    phone, wire = a_product(code="phone", name="Desk phone"), a_product(code="wire")
    amended(a_product(code="office", name="Office"), options=[(phone, 2, 4), (wire, 1, None)])
    a_product(code="fibre", name="Fibre", characteristics=SPECS)
    return client


def shown(client: Client, *lines: dict[str, str], do: str, **headers: str) -> list[tuple[str, str]]:
    page = client.post("/quotes/new/", fields(*lines) | {"do": do}, headers=headers)
    assert page.status_code == 200
    return [(line.product, line.quantity) for line in page.context["editor"].lines]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_press_adds_the_options_that_are_not_there(rep: Client, headers: dict[str, str]) -> None:
    office = {"product": "office", "quantity": "2"}
    fibre = {"product": "fibre"}
    added = [("office", "2"), ("phone", "4"), ("wire", "2"), ("fibre", "1")]
    assert shown(rep, office, fibre, do="options-0", **headers) == added
    phones = {"product": "phone", "quantity": "5"}
    assert shown(rep, office, phones, do="options-0") == [
        ("office", "2"),
        ("wire", "2"),
        ("phone", "5"),
    ]
    assert Quote.objects.count() == 0


@pytest.mark.parametrize("do", ["options-1", "options-9", "options-x", "options-", "options"])
def test_what_is_no_bundle_gets_no_options(rep: Client, do: str) -> None:
    office, fibre = {"product": "office"}, {"product": "fibre"}
    assert shown(rep, office, fibre, do=do) == [("office", "1"), ("fibre", "1")]


def test_at_most_a_hundred_lines(rep: Client) -> None:
    lines = [{"product": "office"}] + [{"product": "fibre"}] * 98
    assert len(shown(rep, *lines, do="options-0")) == 100


def test_the_button_is_offered_while_something_is_missing(rep: Client) -> None:
    button = "Add its options"
    page = rep.post("/quotes/new/", fields({"product": "office"}) | {"do": ""}).content.decode()
    assert 'name="do" value="options-0"' in page
    assert button in page
    assert "Desk phone <small>(2 to 4)</small>, Wire <small>(at least 1)</small>" in page
    whole = [{"product": "office"}, {"product": "phone", "quantity": "2"}, {"product": "wire"}]
    assert button not in live(rep, fields(*whole))
    part = live(rep, fields(whole[0] | {"quantity": "3"}, *whole[1:]))
    assert '<div class="wish-options" id="line-0-options" hx-swap-oob="true">' in part
    assert button in part


def test_counts_of_options_stand_beside_the_bundle(rep: Client) -> None:
    part = live(rep, fields({"product": "office"}, {"product": "phone", "quantity": "5"}))
    found = re.search(r'id="lines-0-product-error"[^>]*>([^<]*)<', part)
    assert found is not None
    assert found[1] == (
        "Office takes at most 4 of Desk phone (phone); there are 5. "
        "Office needs at least 1 of Wire (wire); there are 0."
    )
    page = rep.post("/quotes/new/", fields({"product": "office"}) | {"do": "save"})
    assert page.status_code == 422
    assert "Office needs at least 2 of Desk phone (phone); there are 0." in page.content.decode()
    assert Quote.objects.count() == 0


def test_a_characteristic_tells_its_unit_range_default_and_whether_it_must_be(rep: Client) -> None:
    page = rep.post("/quotes/new/", fields({"product": "fibre"}) | {"do": ""}).content.decode()
    flat = re.sub(r"\s+", " ", page)
    assert '>Speed <span class="optional">Mbit/s</span>' in flat
    assert '<option value="100">100 Mbit/s</option>' in flat
    assert 'value="5" placeholder="5" autocomplete="off" inputmode="numeric"' in flat
    assert 'id="lines-0-c-length-help">1 to 90, default 5</div>' in flat
    assert '>Site<span class="must" title="required" aria-hidden="true">*</span>' in flat
    assert flat.count('aria-required="true"') == 1


def test_as_many_queries_for_many_bundles(rep: Client) -> None:
    whole = [{"product": "office"}, {"product": "phone", "quantity": "2"}, {"product": "wire"}]
    live(rep, fields(*whole))
    counts = []
    for many in (1, 12):
        with CaptureQueriesContext(connection) as asked:
            shown(rep, *whole * many, do="options-0")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 18
