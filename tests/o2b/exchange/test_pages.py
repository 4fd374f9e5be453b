"""The pages: try a file, look at what it would do, import it, undo it, export."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from o2b import clock
from o2b.catalog.models import CatalogImport, CatalogUpload, PriceBookVersion
from o2b.catalog.services import publish_price_book_version
from tests.factories import NOON, a_product, a_user
from tests.o2b.exchange.build import csv, written, xlsx

pytestmark = pytest.mark.django_db

HEADER = "product,key,kind,unit_price,interval"
IMPORT = "/catalog/import/"


@pytest.fixture
def manager(client: Client) -> Client:
    a_product(code="seat", charges=[])
    client.force_login(a_user("administrator"))
    return client


def send(client: Client, data: bytes, name: str = "prices.csv", **given: Any) -> Any:
    form = {"kind": "books", "book": "list", "currency": "EUR", "valid_from": "2026-01-01"}
    return client.post(IMPORT, form | given | {"file": SimpleUploadedFile(name, data)})


def test_from_a_file_to_a_draft_and_back(manager: Client) -> None:
    assert manager.get(IMPORT).status_code == 200
    empty = written()
    answer = send(manager, csv(HEADER, "seat,k,recurring,9.90,month", "seat,s,one_time,5,"))
    upload = CatalogUpload.objects.get()
    assert answer.url == reverse("catalog:import-report", args=[upload.pk])
    assert written() == empty | {"CatalogUpload": 1}
    page = manager.get(answer.url)
    assert page.status_code == 200
    assert "Import as draft" in page.content.decode()
    assert "seat k" in page.content.decode()
    answer = manager.post(answer.url)
    taken = CatalogImport.objects.get()
    assert answer.url == reverse("catalog:imported", args=[taken.pk])
    assert (taken.by_id, taken.report["counts"]) == (upload.by_id, {"new": 2})
    assert not CatalogUpload.objects.exists()
    version = PriceBookVersion.objects.get()
    assert (version.state, version.prices.count(), version.prepared_by_id) == (
        "draft",
        2,
        upload.by_id,
    )
    page = manager.get(answer.url)
    assert "list v1" in page.content.decode()
    assert "prices.csv" in manager.get(IMPORT).content.decode()
    answer = manager.post(reverse("catalog:import-undo", args=[taken.pk]))
    assert written() == empty | {"CatalogImport": 1}
    page = manager.get(answer.url)
    assert "undone" in page.content.decode()


def test_faults_stand_beside_their_rows(manager: Client) -> None:
    before = written()
    answer = send(manager, csv(HEADER, 'seat,k,recurring,"1,50",month', "x,s,one_time,5,"))
    page = manager.get(answer.url).content.decode()
    assert "Column D (unit_price)" in page
    assert "decimal comma" in page
    assert "Column A (product)" in page
    assert "Import as draft" not in page
    assert written() == before | {"CatalogUpload": 1}
    # Who posts all the same is refused.
    answer = manager.post(answer.url)
    assert written() == before | {"CatalogUpload": 1}


@pytest.mark.parametrize(
    ("data", "given", "words"),
    [
        (csv("product,price", "a,1"), {}, "no column of this sheet"),
        (b"PK\x03\x04broken", {"name": "a.xlsx"}, "broken"),
        (csv(HEADER, "seat,k,one_time,1,"), {"currency": ""}, "say its currency"),
        (csv(HEADER, "seat,k,one_time,1,"), {"book": ""}, "first day"),
        (csv(HEADER, "seat,k,one_time,1,"), {"valid_from": "x"}, "YYYY-MM-DD"),
        (csv(HEADER, "seat,k,one_time,1,"), {"kind": "meters"}, "Select a valid choice"),
        (b"", {}, "empty"),
    ],
)
def test_what_is_no_sheet_is_said_on_the_form(
    manager: Client, data: bytes, given: dict[str, str], words: str
) -> None:
    before = written()
    answer = send(manager, data, **given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert written() == before


def test_results_are_searched_and_paged(manager: Client) -> None:
    lines = [f"seat,k{n:03},one_time,{n}," for n in range(120)]
    url = send(manager, csv(HEADER, *lines)).url
    first = manager.get(url).content.decode()
    assert "k049" in first
    assert "k050" not in first
    third = manager.get(f"{url}?page=3").content.decode()
    assert "k119" in third
    found = manager.get(f"{url}?q=k077", headers={"HX-Request": "true"}).content.decode()
    assert "k077" in found
    assert "k078" not in found
    assert "<html" not in found
    for odd in ("?page=x", "?page=99999999", "?became=x", "?page=-1", "?q=%00"):
        assert manager.get(url + odd).status_code == 200


def test_an_upload_is_its_persons_own_and_goes_after_a_day(manager: Client) -> None:
    url = send(manager, csv(HEADER, "seat,k,one_time,1,")).url
    other = Client()
    other.force_login(a_user("administrator"))
    assert other.get(url).status_code == 404
    assert other.post(url).status_code == 404
    CatalogUpload.objects.update(at=clock.now() - timedelta(days=2))
    before = written()
    assert manager.post(url).status_code in (302, 409)
    assert written() == before
    send(manager, csv(HEADER, "seat,k,one_time,1,"))
    assert CatalogUpload.objects.count() == 1


def test_only_who_may_change_the_catalog_imports(client: Client) -> None:
    client.force_login(a_user("sales"))
    for url in (IMPORT, f"{IMPORT}tried/1/", f"{IMPORT}1/"):
        assert client.get(url).status_code == 403
    assert client.post(f"{IMPORT}1/undo/").status_code == 403


def test_a_published_version_is_not_undone(manager: Client) -> None:
    url = send(manager, csv(HEADER, "seat,k,one_time,1,")).url
    manager.post(url)
    version = PriceBookVersion.objects.get()
    second = a_user("administrator").pk
    publish_price_book_version(version_id=version.pk, at=NOON, by=second)
    before = written()
    taken = CatalogImport.objects.get()
    undo = reverse("catalog:import-undo", args=[taken.pk])
    assert manager.post(undo).status_code == 409
    assert written() == before


def test_exports_can_be_imported_again(manager: Client) -> None:
    url = send(manager, xlsx([HEADER.split(","), ["seat", "k", "one_time", 9.5]]), "a.xlsx").url
    manager.post(url)
    version = PriceBookVersion.objects.get()
    for form in ("csv", "xlsx"):
        answer = manager.get(f"/catalog/export/books/?version={version.pk}&format={form}")
        assert answer.headers["Content-Disposition"] == f'attachment; filename="list-v1.{form}"'
        sheet = BytesIO(b"".join(answer.streaming_content)).getvalue()
        page = manager.get(send(manager, sheet, f"a.{form}").url).content.decode()
        assert "nothing to import" in page
    assert manager.get("/catalog/export/products/?format=csv").status_code == 200
    for odd in ("books/", "books/?version=x", "meters/", "products/?format=pdf"):
        assert manager.get(f"/catalog/export/{odd}").status_code == 404
    assert manager.get("/catalog/export/contracts/").status_code == 422
