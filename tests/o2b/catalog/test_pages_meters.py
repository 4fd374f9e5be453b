"""The pages of meters: list, one with its versions and prices, drafts, a second person."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from o2b.catalog.models import Meter, MeterVersion
from o2b.people.models import User
from tests.factories import a_meter, a_product, a_user

pytestmark = pytest.mark.django_db

METERS = "/catalog/meters/"
ZONE = {"name": "zone", "required": True, "choices": ["national", "mobile"]}


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


def test_an_empty_list_says_so_and_names_the_next_step(manager: Client) -> None:
    page = manager.get(METERS).content.decode()
    assert "No meters yet" in page
    assert f'href="{METERS}new/"' in page


def test_the_list_is_searched_and_narrowed(manager: Client) -> None:
    a_meter("voice", unit="second")
    a_meter("storage", unit="gigabyte", aggregation="average")
    assert "average over time" in manager.get(METERS).content.decode()
    for asked, found in (
        ("?q=giga", ["storage"]),
        ("?q=voi", ["voice"]),
        ("?state=retired", []),
        ("?state=draft", []),
        ("?state=published&sort=name", ["storage", "voice"]),
    ):
        rows = manager.get(f"{METERS}{asked}").context["rows"]
        assert [row.source.code for row in rows] == found


MADE = {"code": "voice", "name": "Calls", "unit": "second", "aggregation": "each"}
SAVE = {
    "do": "save",
    "starts_on": "2026-03-01",
    "decimals": "0",
    "least": "0",
    "most": "86400",
    "timed": "on",
    "dimensions": "2",
    "dimensions-0-name": "zone",
    "dimensions-0-choices": "national; mobile",
    "dimensions-0-required": "1",
    "dimensions-1-name": "",
}


def test_a_meter_is_made_edited_and_published(
    manager: Client, colleague: Client, nora: User
) -> None:
    wrong = manager.post(f"{METERS}new/", MADE | {"aggregation": "median", "code": "a b"})
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"aggregation", "code"}
    assert not Meter.objects.exists()
    edit = f"{METERS}voice/1/edit/"
    assert manager.post(f"{METERS}new/", MADE)["Location"] == edit
    assert manager.post(f"{METERS}new/", MADE).status_code == 422

    assert manager.post(edit, SAVE)["Location"] == f"{METERS}voice/"
    version = MeterVersion.objects.get()
    assert (str(version.starts_on), version.decimals, version.most, version.timed) == (
        "2026-03-01", 0, Decimal(86400), True,
    )  # fmt: skip
    assert version.dimensions == [ZONE]
    assert version.prepared_by == nora

    page = manager.get(f"{METERS}voice/").content.decode()
    assert "submit it, then ask a colleague" in page
    assert "Submit for publication" in page
    assert manager.post(f"{METERS}voice/1/submit/").status_code == 302
    assert manager.post(f"{METERS}voice/1/publish/").status_code == 409
    assert "waits for you" in colleague.get(f"{METERS}voice/").content.decode()
    assert colleague.post(f"{METERS}voice/1/publish/")["Location"] == f"{METERS}voice/"
    version.refresh_from_db()
    assert version.state == "published"
    assert manager.get(edit).status_code == 302
    page = manager.get(f"{METERS}voice/").content.decode()
    assert "one of national, mobile" in page
    assert "No price is measured by it yet" in page


@pytest.mark.parametrize(
    ("changes", "words", "place"),
    [
        ({"starts_on": "soon"}, "no day", "starts_on"),
        ({"decimals": "13"}, "12", "decimals"),
        ({"least": "NaN"}, "", "least"),
        ({"most": "-1"}, "below the lowest", "most"),
        ({"dimensions-0-name": "Zone"}, "small letters", "dimensions-0-name"),
        ({"dimensions-0-name": "unit"}, "something else", "dimensions-0-name"),
        ({"dimensions-0-choices": "a; a"}, "once", "dimensions-0-choices"),
        ({"dimensions-1-name": "zone"}, "twice", "dimensions-1-name"),
        ({"dimensions": "1", "dimensions-0-name": "a\0"}, "", "dimensions-0-name"),
    ],
)
def test_a_fault_stands_beside_its_field_and_nothing_is_written(
    manager: Client, changes: dict[str, str], words: str, place: str
) -> None:
    manager.post(f"{METERS}new/", MADE)
    before = MeterVersion.objects.values().get()
    answer = manager.post(f"{METERS}voice/1/edit/", SAVE | changes)
    assert answer.status_code == 422
    editor = answer.context["editor"]
    said = editor.faults.get(place) or str(editor.form.errors.get(place, ""))
    assert said
    assert words in said
    assert MeterVersion.objects.values().get() == before
    assert "Nothing is saved yet" in answer.content.decode()


def test_rows_come_and_go_and_what_was_typed_stays(manager: Client) -> None:
    manager.post(f"{METERS}new/", MADE)
    url = f"{METERS}voice/1/edit/"
    more = manager.post(url, SAVE | {"do": "add"}, headers={"HX-Request": "true"})
    page = more.content.decode()
    assert page.startswith('<form id="meter-editor"')
    assert [row["name"]["value"] for row in more.context["editor"].dimensions] == ["zone", "", ""]
    assert 'value="86400"' in page
    less = manager.post(url, SAVE | {"do": "remove-0"})
    assert len(less.context["editor"].dimensions) == 1
    for odd in ("remove-99", "remove-x", "stay", "add-9"):
        assert manager.post(url, SAVE | {"do": odd, "dimensions": "x"}).status_code == 200
    assert MeterVersion.objects.get().dimensions == []


def test_a_published_dimension_stays_and_history_tells_what_changed(
    manager: Client, colleague: Client
) -> None:
    a_meter("voice", dimensions=[ZONE])
    assert manager.post(f"{METERS}voice/draft/")["Location"] == f"{METERS}voice/2/edit/"
    gone = {"timed": "", "dimensions": "1", "dimensions-0-name": "carrier"}
    wrong = manager.post(f"{METERS}voice/2/edit/", {**SAVE, **gone})
    assert "so it stays" in wrong.content.decode()
    kept = {"timed": "", "dimensions-1-name": "carrier"}
    assert manager.post(f"{METERS}voice/2/edit/", {**SAVE, **kept}).status_code == 302
    page = manager.get(f"{METERS}voice/").content.decode()
    assert "carrier: <ins>optional, any text</ins>" in page
    assert "Decimals: <del>6</del>" in page
    assert manager.post(f"{METERS}voice/2/discard/")["Location"] == f"{METERS}voice/"
    on = {"on": "2026-05-01"}
    assert manager.post(f"{METERS}voice/1/retire/", {"on": "?"}).status_code == 302
    assert MeterVersion.objects.get().state == "published"
    assert manager.post(f"{METERS}voice/1/retire/", on).status_code == 302
    assert MeterVersion.objects.get().state == "retired"


def test_a_meter_goes_with_its_only_draft(manager: Client) -> None:
    manager.post(f"{METERS}new/", MADE)
    assert manager.post(f"{METERS}voice/1/discard/")["Location"] == METERS
    assert manager.get(f"{METERS}voice/").status_code == 404


def test_its_prices_are_shown(manager: Client) -> None:
    a_meter("voice", dimensions=[ZONE])
    usage: dict[str, Any] = {
        "key": "calls", "kind": "usage", "unit_price": Decimal("0.01"),
        "interval_unit": "month", "timing": "arrears",
        "details": {"meter": "voice", "where": {"zone": ["mobile"]}},
    }  # fmt: skip
    a_product(code="phone", charges=[usage])
    page = manager.get(f"{METERS}voice/").content.decode()
    assert "/catalog/products/phone/" in page
    assert "zone mobile" in page


def test_drafts_wait_at_home(manager: Client, colleague: Client) -> None:
    manager.post(f"{METERS}new/", MADE)
    manager.post(f"{METERS}voice/1/submit/")
    assert f'href="{METERS}?state=draft"' in manager.get("/").content.decode()
    assert "Drafts for me to publish" in colleague.get("/").content.decode()


@pytest.mark.parametrize("url", ["new/", "voice/1/edit/"])
def test_who_may_only_read_changes_nothing(client: Client, url: str) -> None:
    a_meter("voice")
    client.force_login(a_user("sales"))
    assert client.get(f"{METERS}voice/").status_code == 200
    assert "New version" not in client.get(f"{METERS}voice/").content.decode()
    assert client.get(f"{METERS}{url}").status_code in (302, 403)
    for verb in ("draft", "1/retire", "1/publish", "1/submit", "1/discard"):
        client.post(f"{METERS}voice/{verb}/")
    assert MeterVersion.objects.get().state == "published"
