"""The pages of files of usage: upload, mapping with its preview, confirm, progress, result."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from subscriptions.models import UsageEvent, UsageFile, UsageMapping
from subscriptions.usage.files import services
from subscriptions.usage.files.services import loading
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, by_meter
from tests.subscriptions.usage.files.build import (
    HEADER,
    NOW,
    asterisk,
    body,
    counts,
    loaded,
    mapped,
    plain,
    uploaded,
)

pytestmark = pytest.mark.django_db
LIST = reverse("subscriptions:usage-files")


def logged_in(group: str) -> Client:
    client = Client()
    client.force_login(a_user(group))
    return client


@pytest.fixture
def subject(world: World) -> str:
    a_meter("calls", unit="s", dimensions=[{"name": "zone"}])
    return a_metered_service(world, by_meter("calls")).number


@pytest.fixture
def client(subject: str) -> Client:
    return logged_in("finance")


def send(client: Client, data: bytes, name: str = "Master.csv", **more: str) -> Any:
    return client.post(LIST, {"file": SimpleUploadedFile(name, data, "text/csv"), **more})


def at(name: str, file: UsageFile) -> str:
    return reverse(f"subscriptions:usage-file{name}", args=[file.pk])


def said(page: str) -> dict[str, Any]:
    """What the form of the mapping holds, as a browser would send it."""
    form = page[page.index('id="mapping"') :]
    found: dict[str, Any] = dict(
        re.findall(r'<input type="text" name="(\w+)" value="([^"]*)"', form)
    )
    for name, options in re.findall(r'<select name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    found["keep"] = re.findall(r'name="keep" value="([^"]*)"[^>]*checked', form)
    if re.search(r'name="skip_zero"[^>]*checked', form):
        found["skip_zero"] = "on"
    return found


def test_from_the_upload_to_the_result(client: Client, subject: str) -> None:
    data = body(
        asterisk(subject, 61, "1770645600.1"),
        asterisk(subject, 0, "1770645600.2", "BUSY"),
        asterisk(subject, 61, "1770645600.1"),
    )
    answer = send(client, data)
    file = UsageFile.objects.get()
    assert answer.url == at("-mapping", file)
    page = client.get(answer.url).text
    assert "needs a time zone" in page
    form = said(page)
    assert (form["subject"], form["value"], form["meter"], form["only"]) == (
        *("accountcode", "billsec", "calls", "disposition"),
    )
    assert form["keep"] == ["dst"]
    refused = client.post(answer.url, form | {"next": "1"})
    assert refused.status_code == 422
    assert "its time says no time zone" in refused.text
    form["time_zone"] = "Europe/Berlin"
    tried = client.post(answer.url, form | {"preview": "1"})
    assert tried.status_code == 200
    assert "2026-02-09 13:00:04" in tried.text
    assert "“disposition” is “BUSY”." in tried.text
    went_on = client.post(answer.url, form | {"next": "1", "keep_as": "PBX"})
    assert went_on.url == at("", file)
    assert UsageMapping.objects.get().name == "PBX"
    page = client.get(went_on.url).text
    assert "Load 3 rows" in page
    assert not UsageEvent.objects.exists()
    assert client.post(at("-start", file)).url == at("", file)
    page = client.get(at("", file)).text
    assert "An event of this id was taken before." in page
    file.refresh_from_db()
    assert counts(file) == {"accepted": 1, "duplicate": 1, "skipped": 1}
    page = client.get(at("", file), {"state": "duplicate"}).text
    assert re.findall(r'role="rowheader"[^>]*>(\d+)<', page) == ["3"]
    csv: Any = client.get(at("", file), {"state": "duplicate", "format": "csv"})
    assert b"".join(csv.streaming_content).decode().splitlines() == [
        "Row,Id,Status,Code,Field,Message",
        "3,1770645600.1,duplicate,,,An event of this id was taken before.",
    ]
    assert "Master.csv" in client.get(LIST).text
    # the mapping of a file that is loaded is no page any more
    assert client.get(at("-mapping", file)).url == at("", file)


def test_the_same_file_is_known_again(client: Client, subject: str) -> None:
    data = body(HEADER, plain(subject, "1", "a"))
    loaded(data)
    file = mapped(data)
    assert "This very file" in client.get(at("", file)).text


def test_a_kept_mapping_is_chosen(client: Client, subject: str) -> None:
    file = uploaded(body(HEADER, plain(subject, "1", "a")))
    page = client.get(at("-mapping", file)).text
    form = said(page) | {"time_zone": "Europe/Berlin", "source": "switch"}
    client.post(at("-mapping", file), form | {"next": "1", "keep_as": "Switch"})
    kept = UsageMapping.objects.get()
    other = uploaded(body(HEADER, plain(subject, "1", "b")))
    page = client.get(at("-mapping", other), {"kept": f"{kept.pk}"}).text
    assert said(page)["source"] == "switch"
    assert said(page)["time_zone"] == "Europe/Berlin"
    for kept_ in ("0", "x", "9" * 30, "²"):
        assert client.get(at("-mapping", other), {"kept": kept_}).status_code == 200
    # a mapping for columns that this file does not have is shown, and what is wrong with it
    narrow = uploaded(b"id;subject;when\nx;y;2026-02-09 10:00\n")
    page = client.get(at("-mapping", narrow), {"kept": f"{kept.pk}"}).text
    assert "Nothing to show yet" in page


def test_htmx_gets_the_rows_alone(client: Client, subject: str) -> None:
    file = uploaded(body(HEADER, plain(subject, "1", "a")))
    form = said(client.get(at("-mapping", file)).text)
    part = client.post(at("-mapping", file), form | {"subject": ""}, headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert part.text.lstrip().startswith('<section class="card" id="usage-preview"')
    assert "<b>Subject</b>" in part.text


def test_a_file_that_cannot_be_read_stays_on_the_page(client: Client) -> None:
    answer = send(client, b"id,time\n1,\xe4\n")
    assert answer.status_code == 422
    assert "Row 2, column 2: It is no UTF-8" in answer.text
    assert send(client, b"").status_code == 422
    assert send(client, b"id,time\n1,\xe4\n", encoding="latin-1").status_code == 302
    huge = client.generic("POST", LIST, b"x", CONTENT_LENGTH=str(10**10))
    assert huge.status_code == 413


def test_progress_until_it_is_over(
    client: Client, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "IN_THE_DOOR", 0)
    file = mapped(body(HEADER, plain(subject, "1", "a")))
    client.post(at("-start", file))
    assert "0 of 1 rows" in client.get(at("", file)).text
    assert "being loaded, 0 %" in client.get(LIST).text
    htmx = {"HX-Request": "true"}
    assert "0 of 1 rows" in client.get(at("-progress", file), headers=htmx).text
    assert client.get(at("-progress", file)).url == at("", file)
    assert client.post(at("-stop", file)).url == at("", file)
    assert "Go on" in client.get(at("", file)).text
    assert client.get(at("-progress", file), headers=htmx)["HX-Refresh"] == "true"
    assert client.post(at("-stop", file)).status_code in (302, 409)
    client.post(at("-start", file))
    services.take_part(file_id=file.pk, at=NOW)
    file.refresh_from_db()
    assert file.state == "done"


def test_who_may_what(client: Client, subject: str) -> None:
    file = mapped(body(HEADER, plain(subject, "1", "a")))
    sales = logged_in("sales")
    page = sales.get(LIST).text
    assert "calls.csv" in page
    assert "Upload and look at it" not in page
    assert "Load 1 row" not in sales.get(at("", file)).text
    assert send(sales, b"id,time\n1,2\n").status_code == 403
    assert sales.get(at("-mapping", file)).status_code == 403
    for name in ("-start", "-stop"):
        assert sales.post(at(name, file)).status_code == 403
        assert client.get(at(name, file)).status_code == 405
    checker = logged_in("entitlement checker")
    for url in (LIST, at("", file), at("-progress", file)):
        assert checker.get(url).status_code == 403
        assert Client().get(url).status_code == 302
    for name in ("", "-mapping", "-progress"):
        missing = reverse(f"subscriptions:usage-file{name}", args=[10**9])
        assert client.get(missing).status_code == 404
    file.refresh_from_db()
    assert file.state == "uploaded"
