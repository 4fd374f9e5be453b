"""The pages that a product manager runs products by: tree, drafts, what changed, publication."""

from typing import Any

import pytest
from django.test import Client

from o2b.catalog.models import Product, ProductVersion
from o2b.catalog.selectors import version_differences
from o2b.catalog.services import retire_product
from o2b.people.models import User
from tests.factories import LONG_AGO, a_product, a_user

pytestmark = pytest.mark.django_db

SPEED = {"name": "speed", "label": "Bandwidth", "type": "choice", "choices": ["100", "400"]}


@pytest.fixture
def nora() -> User:
    return a_user("product", first_name="Nora")


@pytest.fixture
def manager(client: Client, nora: User) -> Client:
    client.force_login(nora)
    return client


@pytest.fixture
def colleague() -> Client:
    other = Client()
    other.force_login(a_user("product", first_name="Felix"))
    return other


def draft_of(code: str) -> ProductVersion:
    return ProductVersion.objects.get(product__code=code, state="draft")


def test_the_tree_has_families_products_and_components(manager: Client) -> None:
    a_product(code="fibre", name="Fibre", family="access", characteristics=[SPEED])
    a_product(code="odd", name="Odd")
    page = manager.get("/catalog/").content.decode()
    assert page.index("Access") < page.index("Fibre") < page.index("Without a family")
    assert "New product" in page


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("fib", ["fibre"]),
        ("FIBRE access", ["fibre"]),
        ("bandwidth", ["fibre"]),
        ("400", ["fibre"]),
        ("choice", []),  # a type is no word of anybody
        ("voice", ["seat"]),
        ("nothing", []),
        ("\0fib", ["fibre"]),
        ("$[*].name", []),
    ],
)
def test_the_tree_is_searched(manager: Client, words: str, found: list[str]) -> None:
    a_product(code="fibre", name="Fibre", family="access", characteristics=[SPEED])
    a_product(code="seat", name="Seat", family="voice")
    answer = manager.get("/catalog/", {"q": words}, headers={"HX-Request": "true"})
    assert answer.content.decode().startswith('<div id="tree"')
    shown = [
        leaf.product.code for family in answer.context["tree"].families for leaf in family.leaves
    ]
    assert shown == found


def test_retired_products_are_hidden_unless_asked(manager: Client, nora: User) -> None:
    old, new = a_product(code="old"), a_product(code="new")
    retire_product(
        product_id=old.product_id, successor_id=new.product_id, on=LONG_AGO.date(), by=nora.pk
    )
    hidden = manager.get("/catalog/")
    assert hidden.context["tree"].retired == 1
    assert "/catalog/products/old/" not in hidden.content.decode()
    assert "/catalog/products/old/" in manager.get("/catalog/?retired=1").content.decode()
    assert "/catalog/products/new/" in manager.get("/catalog/products/old/").content.decode()


def test_an_empty_catalog_says_so(manager: Client) -> None:
    page = manager.get("/catalog/").content.decode()
    assert "No products yet" in page
    assert 'href="/catalog/products/new/"' in page


@pytest.mark.parametrize("count", [2, 20])
def test_the_tree_reads_as_often_for_many(
    manager: Client, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        a_product(charges=[])
    with django_assert_num_queries(9):
        manager.get("/catalog/")


def test_a_new_product_begins_as_a_draft(manager: Client, nora: User) -> None:
    asked = {"code": "fibre", "name": "Fibre", "family": "access", "unit": "line"}
    wrong = manager.post("/catalog/products/new/", {**asked, "quantity_places": "7"})
    assert wrong.status_code == 422
    assert not Product.objects.exists()
    made = manager.post("/catalog/products/new/", {**asked, "quantity_places": "0"})
    assert made["Location"] == "/catalog/products/fibre/edit/"
    assert draft_of("fibre").prepared_by == nora
    again = manager.post("/catalog/products/new/", {**asked, "quantity_places": "0"})
    assert again.status_code == 422
    assert "already" in again.content.decode()


EDIT = {
    "do": "save",
    "description": "Fast",
    "countries": "DE, AT",
    "specs": "2",
    "specs-0-name": "speed",
    "specs-0-label": "Bandwidth",
    "specs-0-type": "choice",
    "specs-0-choices": "100, 400, 1000",
    "specs-0-required": "1",
    "specs-1-name": "ips",
    "specs-1-type": "integer",
    "specs-1-minimum": "1",
    "specs-1-maximum": "8",
    "specs-1-default": "1",
    "options": "1",
    "options-0-component": "router",
    "options-0-minimum": "1",
    "options-0-maximum": "2",
    "rules": "1",
    "rules-0-kind": "excludes",
    "rules-0-other": "seat",
}


@pytest.fixture
def drafted(manager: Client) -> ProductVersion:
    """A second version of fibre as a draft."""
    for code in ("fibre", "router", "seat"):
        a_product(code=code, charges=[], characteristics=[SPEED] if code == "fibre" else [])
    assert manager.post("/catalog/products/fibre/draft/").status_code == 302
    return draft_of("fibre")


def test_a_draft_is_edited_as_rows(manager: Client, drafted: ProductVersion) -> None:
    page = manager.get("/catalog/products/fibre/edit/").content.decode()
    assert 'value="100, 400"' in page
    answer = manager.post("/catalog/products/fibre/edit/", EDIT)
    assert answer["Location"] == "/catalog/products/fibre/compare/?to=2"
    drafted.refresh_from_db()
    assert drafted.characteristics == [
        {
            "name": "speed",
            "type": "choice",
            "label": "Bandwidth",
            "choices": ["100", "400", "1000"],
            "required": True,
        },
        {"name": "ips", "type": "integer", "minimum": 1, "maximum": 8, "default": 1},
    ]
    assert drafted.eligibility == {"countries": ["DE", "AT"]}
    assert [(o.component.code, o.minimum, o.maximum) for o in drafted.options.all()] == [
        ("router", 1, 2)
    ]
    assert [(r.kind, r.other.code) for r in drafted.rules.all()] == [("excludes", "seat")]


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"specs-1-maximum": "0"}, "specs-1-maximum", ""),
        ({"specs-0-choices": ""}, "specs-0-choices", "choose from"),
        ({"specs-1-name": "speed"}, "specs-1-name", "there twice"),
        ({"options-0-component": "none"}, "options-0-component", "no product"),
        ({"options-0-minimum": "x"}, "options-0-minimum", "whole number"),
        ({"rules-0-other": "none"}, "rules-0-other", "no product"),
        ({"countries": "Germany"}, "countries", ""),
    ],
)
def test_a_fault_stands_beside_its_field_and_nothing_is_written(
    manager: Client, drafted: ProductVersion, change: dict[str, str], place: str, words: str
) -> None:
    answer = manager.post("/catalog/products/fibre/edit/", EDIT | change)
    assert answer.status_code == 422
    faults = answer.context["editor"].faults
    assert words in faults[place]
    assert f'id="{place}-error">{faults[place][:3]}'.replace("“", "“") in answer.content.decode()
    drafted.refresh_from_db()
    assert drafted.characteristics == [SPEED]
    assert not drafted.options.exists()


def test_rows_come_and_go_without_saving(manager: Client, drafted: ProductVersion) -> None:
    url = "/catalog/products/fibre/edit/"
    added = manager.post(url, EDIT | {"do": "add-specs"})
    assert [row["name"]["value"] for row in added.context["editor"].specs] == ["speed", "ips", ""]
    gone = manager.post(url, EDIT | {"do": "remove-specs-0"}, headers={"HX-Request": "true"})
    assert gone.content.decode().startswith('<form id="product-editor"')
    assert [row["name"]["value"] for row in gone.context["editor"].specs] == ["ips"]
    for odd in ("", "remove-specs-99", "remove-nothing-1", "add", "drop-specs-1"):
        assert len(manager.post(url, EDIT | {"do": odd}).context["editor"].specs) == 2
    drafted.refresh_from_db()
    assert drafted.characteristics == [SPEED]


def test_what_changed_is_told_in_words(manager: Client, drafted: ProductVersion) -> None:
    manager.post("/catalog/products/fibre/edit/", EDIT)
    page = manager.get("/catalog/products/fibre/compare/")
    told = {
        (section.title, change.name): (change.kind, change.before, change.after)
        for section in page.context["sections"]
        for change in section.changes
    }
    assert told == {
        ("Description", "Text"): ("added", "", "Fast"),
        ("Characteristics", "Bandwidth"): (
            "changed",
            "one of 100, 400, optional",
            "one of 100, 400, 1000, required",
        ),
        ("Characteristics", "ips"): (
            "added",
            "",
            "whole number, at least 1, at most 8, optional, default 1",
        ),
        ("Components", "Router"): ("added", "", "1 to 2, usually 1"),
        ("Rules", "excludes Seat"): ("added", "", ""),
        ("Who may have it", "Countries"): ("changed", "all", "DE, AT"),
    }
    same = manager.get("/catalog/products/fibre/compare/?from=1&to=1").content.decode()
    assert "Choose two different versions" in same
    assert version_differences(drafted, drafted) == []


def test_a_second_person_publishes(
    manager: Client, colleague: Client, drafted: ProductVersion, nora: User
) -> None:
    url = "/catalog/products/fibre/"
    mine = manager.get(f"{url}compare/?to=2")
    assert mine.context["must_ask"]
    assert "Submit for publication" in mine.content.decode()
    assert manager.post(f"{url}2/submit/").status_code == 302
    assert manager.post(f"{url}2/publish/").status_code == 409
    drafted.refresh_from_db()
    assert (drafted.state, bool(drafted.submitted_at)) == ("draft", True)
    assert colleague.get(f"{url}compare/?to=2").context["may_publish"]
    assert colleague.post(f"{url}2/publish/")["Location"] == url
    drafted.refresh_from_db()
    assert (drafted.state, drafted.prepared_by) == ("published", nora)
    assert "Felix" in manager.get(url).content.decode()
    assert manager.get(f"{url}edit/").status_code == 302


def test_a_draft_is_thrown_away(manager: Client, drafted: ProductVersion) -> None:
    manager.post("/catalog/products/fibre/edit/", EDIT)
    assert manager.post("/catalog/products/fibre/2/discard/").status_code == 302
    assert not ProductVersion.objects.filter(pk=drafted.pk).exists()


def test_a_product_is_retired_with_its_successor(manager: Client) -> None:
    old, new = a_product(code="old", charges=[]), a_product(code="new", charges=[])
    page = manager.get("/catalog/products/old/").content.decode()
    assert f'<option value="{new.product_id}">New</option>' in page
    wrong = manager.post("/catalog/products/old/retire/", {"successor": "999999"})
    assert wrong.status_code == 302
    old.refresh_from_db()
    assert old.state == "published"
    manager.post("/catalog/products/old/retire/", {"successor": new.product_id})
    old.refresh_from_db()
    assert (old.state, old.successor) == ("retired", new)


@pytest.mark.parametrize(
    "url", ["new/", "fibre/draft/", "fibre/edit/", "fibre/retire/", "fibre/2/publish/"]
)
def test_who_may_only_read_changes_nothing(client: Client, url: str) -> None:
    a_product(code="fibre", charges=[])
    assert client.post(f"/catalog/products/{url}").status_code == 302
    client.force_login(a_user("sales"))
    assert client.post(f"/catalog/products/{url}").status_code == 403
    assert ProductVersion.objects.get().state == "published"


@pytest.mark.parametrize("count", [1, 8])
def test_a_product_reads_as_often_for_many_versions(
    manager: Client, count: int, django_assert_num_queries: Any
) -> None:
    version = a_product(code="fibre")
    for number in range(2, count + 2):
        ProductVersion.objects.create(product=version.product, number=number)
    with django_assert_num_queries(14):
        manager.get("/catalog/products/fibre/")
