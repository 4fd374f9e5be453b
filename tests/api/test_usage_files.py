"""Files of usage by REST: sent under a kept mapping, read with their counts."""

import gzip
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from subscriptions.models import UsageFile
from subscriptions.usage.files import services
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, by_meter
from tests.subscriptions.usage.files.build import (
    HEADER,
    NOW,
    a_mapping,
    body,
    plain,
    uploaded,
)

pytestmark = pytest.mark.django_db
HERE = "/api/v1/usage/files"


@pytest.fixture
def subject(world: World) -> str:
    a_meter("calls", unit="s")
    number = a_metered_service(world, by_meter("calls")).number
    file = uploaded(body(HEADER, plain(number, "1", "first")))
    said = a_mapping(time_format="dots")
    services.map_file(file_id=file.pk, mapping=said, at=NOW, by_id=None, keep_as="Switch")
    return number


@pytest.fixture
def finance(as_: As) -> Person:
    return as_("finance")


def send(person: Person, data: bytes, query: str = "?mapping=Switch", **more: Any) -> Any:
    return person.generic("POST", HERE + query, data, content_type="text/csv", **more)


def test_a_file_as_the_body(finance: Person, subject: str) -> None:
    data = body(HEADER, plain(subject, "61", "a"), plain(subject, "x", "b"))
    answer = send(finance, data, "?mapping=Switch&name=calls.csv")
    assert answer.status_code == 202
    told = answer.json()
    assert answer["Location"] == told["url"]
    assert (told["file_name"], told["shape"], told["state"]) == ("calls.csv", "plain", "done")
    assert (told["rows"], told["taken"], told["accepted"], told["rejected"]) == (2, 2, 1, 1)
    assert finance.get(told["url"]).json() == told
    rejected = finance.get(told["rows_url"], {"status": "rejected"}).json()["results"]
    assert rejected == [
        {
            "row": 3,
            "id": "b",
            "status": "rejected",
            "code": "no_number",
            "field": "value",
            "message": "“seconds”: “x” is no number of this form.",
        }
    ]
    assert finance.get(HERE, {"state": "done"}).json()["results"] == [told]


def test_a_form_with_a_file(finance: Person, subject: str) -> None:
    file = SimpleUploadedFile("calls.csv", body(HEADER, plain(subject, "61", "a")), "text/csv")
    answer = finance.post(HERE, {"file": file, "mapping": "Switch"}, format="multipart")
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)


def test_the_same_request_again_is_the_same_file(finance: Person, subject: str) -> None:
    data = body(HEADER, plain(subject, "61", "a"))
    first = send(finance, data, HTTP_IDEMPOTENCY_KEY="k").json()
    assert send(finance, data, HTTP_IDEMPOTENCY_KEY="k").json() == first
    other = send(finance, data + b"x;y;z;1\n", HTTP_IDEMPOTENCY_KEY="k")
    assert_problem(other, 422, "idempotency_key_reused", "Idempotency-Key")
    assert UsageFile.objects.filter(state="done").count() == 1


@pytest.mark.parametrize(
    ("query", "data", "status", "code", "field"),
    [
        ("", b"id,time\n1,2\n", 400, "malformed", "mapping"),
        ("?mapping=None", b"id,time\n1,2\n", 422, "mapping_unknown", "mapping"),
        ("?mapping=Switch", b"", 400, "malformed", "file"),
        ("?mapping=Switch", b"id,time\n1,\xe4\n", 422, "file_refused", "file"),
        ("?mapping=Switch", b"id,when\n1,2\n", 422, "mapping_refused", "subject"),
        ("?mapping=Switch&encoding=ebcdic", b"id,time\n1,2\n", 400, "malformed", "encoding"),
    ],
)
def test_what_is_refused(
    finance: Person, subject: str, query: str, data: bytes, status: int, code: str, field: str
) -> None:
    assert_problem(send(finance, data, query), status, code, field)
    assert UsageFile.objects.count() == 1


def test_who_may_what(as_: As, subject: str) -> None:
    sender, sales = as_("usage sender"), as_("sales")
    answer = send(sender, body(HEADER, plain(subject, "61", "a")))
    assert answer.status_code == 202
    # Who sends sees what became of it, and of nobody else's.
    told = answer.json()
    assert sender.get(told["url"]).json() == told
    assert [row["id"] for row in sender.get(told["rows_url"]).json()["results"]] == ["a"]
    assert [each["id"] for each in sender.get(HERE).json()["results"]] == [told["id"]]
    other = send(as_("finance"), body(HEADER, plain(subject, "61", "b"))).json()
    assert sender.get(other["url"]).status_code == 404
    assert sender.get(other["rows_url"]).status_code == 404
    assert sales.get(answer.json()["url"]).status_code == 200
    assert send(sales, b"x").status_code == 403


def test_a_packed_file(finance: Person, subject: str) -> None:
    data = gzip.compress(body(HEADER, plain(subject, "61", "a"), plain(subject, "2", "b")))
    answer = send(finance, data, HTTP_CONTENT_ENCODING="gzip")
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert_problem(send(finance, data[:-9], HTTP_CONTENT_ENCODING="gzip"), 400, "malformed")
    assert_problem(send(finance, data, HTTP_CONTENT_ENCODING="br"), 415, "unsupported_media_type")
    assert UsageFile.objects.filter(state="done").count() == 1
