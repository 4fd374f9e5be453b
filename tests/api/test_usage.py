"""Usage by REST: one event, lists, lines, CloudEvents, packed bodies; an answer for each."""

import gzip
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions.models import Item, UsageEvent, UsageKey, UsageRejected
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, totals

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
HERE = "/api/v1/usage"
LINES = "application/x-ndjson"


def its_life(world: World) -> Item:
    a_meter(dimensions=[{"name": "zone"}])
    return a_metered_service(world)


@pytest.fixture
def sender(as_: As) -> Person:
    return as_("usage sender")


def told(item: Item, **given: Any) -> dict[str, Any]:
    return {
        "id": "e1",
        "source": "pbx",
        "meter": "minutes",
        "subject": item.number,
        "time": "2026-02-09T12:00:00Z",
        "value": 2.5,
    } | given


def send(client: Person, body: bytes | str, media: str = "application/json", **more: Any) -> Any:
    return client.generic("POST", HERE, body, content_type=media, **more)


def test_one_event(sender: Person, item: Item) -> None:
    answer = sender.post(HERE, told(item))
    assert (answer.status_code, answer.json()) == (
        200,
        {"source": "pbx", "id": "e1", "status": "accepted"},
    )
    assert sender.post(HERE, told(item)).json()["status"] == "duplicate"
    differs = sender.post(HERE, told(item, value=3)).json()
    assert (differs["status"], differs["differs"]) == ("duplicate", True)
    assert totals() == [("2026-02-09", "", "2.5", 1)]


def test_one_event_that_is_refused_is_a_problem(sender: Person, item: Item) -> None:
    for change, field in (
        ({"value": -1}, "value"),
        ({"id": 7}, "id"),
        ({"time": "yesterday"}, "time"),
        ({"time": "2026-02-09T12:00:00"}, "time"),
        ({"unit": "h"}, "unit"),
    ):
        answer = sender.post(HERE, told(item, **change))
        assert_problem(answer, 422, "event_refused", field)
    assert not UsageKey.objects.exists()
    assert_problem(send(sender, "{"), 400, "malformed")
    assert_problem(send(sender, ""), 400, "malformed")
    assert_problem(send(sender, "7"), 400, "malformed")


def test_a_list_has_an_answer_for_each(sender: Person, item: Item) -> None:
    some = [
        told(item),
        told(item),
        told(item, id="e2", subject="S-none"),
        told(item, id="e3", value="NaN"),
        told(item, id=None),
        7,
    ]
    answer = sender.post(HERE, some).json()
    assert [each["status"] for each in answer["results"]] == [
        "accepted",
        "duplicate",
        "pending",
        "rejected",
        "rejected",
        "rejected",
    ]
    assert (answer["accepted"], answer["duplicate"], answer["pending"], answer["rejected"]) == (
        *(1, 1, 1),
        3,
    )
    assert [each.get("field", "") for each in answer["results"][3:]] == ["value", "id", ""]
    assert UsageRejected.objects.count() == 3


def test_nan_and_endless_numbers_concern_their_event_alone(sender: Person, item: Item) -> None:
    good, bad = json.dumps(told(item)), json.dumps(told(item, id="e2", value=float("nan")))
    huge = json.dumps(told(item, id="e3")).replace("2.5", "1e999999999")
    exact = json.dumps(told(item, id="e4")).replace("2.5", "0.100000")
    answer = send(sender, f"[{good},{bad},{huge},{exact}]").json()
    assert [(each["status"], each.get("field")) for each in answer["results"]] == [
        ("accepted", None),
        ("rejected", "value"),
        ("rejected", "value"),
        ("accepted", None),
    ]
    assert UsageEvent.objects.get(key="e4").value == Decimal("0.1")


def test_lines(sender: Person, item: Item) -> None:
    body = "\n".join([json.dumps(told(item)), "", "no json", json.dumps(told(item, id="e2"))])
    answer = send(sender, body, LINES)
    found = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
    assert [each.get("status") for each in found] == ["accepted", "rejected", "accepted", None]
    assert found[-1] == {"accepted": 2, "duplicate": 0, "pending": 0, "rejected": 1}


def test_cloud_events(sender: Person, item: Item) -> None:
    cloud = {
        "specversion": "1.0",
        "id": "c1",
        "source": "/pbx/7",
        "type": "minutes",
        "subject": item.number,
        "time": "2026-02-09T12:00:00Z",
        "data": {"value": 2, "unit": "min", "zone": "mobile"},
    }
    one = send(sender, json.dumps(cloud), "application/cloudevents+json")
    assert one.json()["status"] == "accepted"
    many = json.dumps([cloud, cloud | {"id": "c2"}, cloud | {"id": "c3", "data": {"value": "x"}}])
    answers = send(sender, many, "application/cloudevents-batch+json").json()["results"]
    assert [each["status"] for each in answers] == ["duplicate", "accepted", "rejected"]
    assert answers[2]["field"] == "data.value"
    old = send(sender, json.dumps(cloud | {"specversion": "0.3"}))
    assert_problem(old, 422, "event_refused", "specversion")
    head = {f"HTTP_CE_{n.upper()}": v for n, v in cloud.items() if n != "data"} | {
        "HTTP_CE_ID": "c4"
    }
    binary = send(sender, json.dumps(cloud["data"]), **head)
    assert binary.json() == {"source": "/pbx/7", "id": "c4", "status": "accepted"}
    assert totals() == [("2026-02-09", '{"zone":"mobile"}', "6", 3)]


def test_packed_bodies(sender: Person, item: Item) -> None:
    packed = gzip.compress(json.dumps([told(item)]).encode())
    head = {"HTTP_CONTENT_ENCODING": "gzip"}
    assert send(sender, packed, **head).json()["accepted"] == 1
    assert_problem(send(sender, packed[:-9], **head), 400, "malformed")
    assert_problem(send(sender, b"no gzip", **head), 400, "malformed")
    assert_problem(send(sender, packed, HTTP_CONTENT_ENCODING="br"), 415, "unsupported_media_type")
    bomb = gzip.compress(b" " * (17 * 1024 * 1024))
    assert_problem(send(sender, bomb, **head), 413, "too_large")
    two = gzip.compress(json.dumps(told(item, id="a")).encode() + b"\n")
    two += gzip.compress(json.dumps(told(item, id="b")).encode())
    lines = send(sender, two, LINES, **head).getvalue().decode().splitlines()
    assert json.loads(lines[-1])["accepted"] == 2


def test_lines_that_end_early_say_how_many_were_counted(sender: Person, item: Item) -> None:
    body = "".join(json.dumps(told(item, id=f"e{n}")) + "\n" for n in range(20_000))
    packed = gzip.compress(body.encode())
    answer = send(sender, packed[: len(packed) * 4 // 5], LINES, HTTP_CONTENT_ENCODING="gzip")
    assert_problem(answer, 400, "malformed")
    assert answer.json()["taken"]["accepted"] == 10_000
    again = send(sender, packed, LINES, HTTP_CONTENT_ENCODING="gzip")
    *_, sums = again.getvalue().decode().splitlines()
    assert json.loads(sums) == {
        "accepted": 10_000,
        "duplicate": 10_000,
        "pending": 0,
        "rejected": 0,
    }
    assert totals() == [("2026-02-09", "", "50000", 20_000)]


def test_too_much_at_once(sender: Person, item: Item) -> None:
    many = json.dumps([{"id": "x"}] * 10_001)
    assert_problem(send(sender, many), 413, "too_large")
    told_length = send(sender, "[]", CONTENT_LENGTH=str(100 * 1024 * 1024))
    assert_problem(told_length, 413, "too_large")
    assert_problem(
        send(sender, "a=1", "application/x-www-form-urlencoded"), 415, "unsupported_media_type"
    )


def test_who_may_send(as_: As, item: Item, sender: Person) -> None:
    assert as_("sales").post(HERE, told(item)).status_code == 403
    assert as_(user=a_user()).post(HERE, told(item)).status_code == 403
    assert sender.get("/api/v1/subscriptions").status_code == 403
    assert sender.get(HERE).status_code == 405


def test_queries_do_not_grow_with_events(sender: Person, item: Item) -> None:
    def queries(count: int) -> int:
        some = [told(item, id=f"{count}-{n}") for n in range(count)]
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert sender.post(HERE, some).json()["accepted"] == count
        return len(found)

    queries(1)
    assert queries(2) == queries(200)


def test_csv(sender: Person, item: Item) -> None:
    head = "id,source,meter,subject,time,value,zone,replaces,retracts,account"
    at = "2026-02-09T12:00:00Z"
    rows = [
        head,
        f'a,pbx,minutes,{item.number},{at},2.5,"mob""ile",,,{item.account.reference}',
        f"b,pbx,minutes,{item.number},{at},1,,,,A-none",
        "",
        f"c,pbx,minutes,{item.number},{at},x,,,,",
        "d,pbx",
        f"e,pbx,minutes,{item.number},{at},4,,a,,",
        f"a,pbx,minutes,{item.number},{at},2.5,,,,",
        "f,pbx,,,,,,,e,",
        f"g\xff,pbx,minutes,{item.number},{at},1,,,,",
    ]
    body = "\n".join(rows).encode("latin-1")
    answer = send(sender, gzip.compress(body), "text/csv", HTTP_CONTENT_ENCODING="gzip")
    *found, sums = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert [(each["id"], each["status"], each.get("code", "")) for each in found] == [
        ("a", "accepted", ""),
        ("b", "rejected", "other_account"),
        ("c", "rejected", "unreadable"),
        ("", "rejected", "unreadable"),
        ("e", "accepted", ""),
        ("a", "duplicate", ""),
        ("f", "accepted", ""),
        ("g?", "rejected", "unreadable"),
    ]
    assert sums == {"accepted": 3, "duplicate": 1, "pending": 0, "rejected": 4}
    assert UsageEvent.objects.get(key="a").properties == {"zone": 'mob"ile'}
    assert totals() == []
    for head in ("id,meter", "id,source,id", "", "id,source,,"):
        assert_problem(send(sender, head, "text/csv"), 400, "malformed")


def test_a_line_that_is_too_long_concerns_itself_alone(sender: Person, item: Item) -> None:
    for number, length in enumerate((70_000, 700_000)):
        some = [
            told(item, id=f"a{number}"),
            told(item, id=f"b{number}"),
            told(item, id=f"c{number}"),
        ]
        some[1]["properties"] = {"note": "x" * length}
        answer = send(sender, "\n".join(map(json.dumps, some)), LINES)
        found = [json.loads(line) for line in answer.getvalue().splitlines()]
        assert [each.get("status") for each in found] == ["accepted", "rejected", "accepted", None]
        assert "longer than" in found[1]["message"]


def test_whatever_else_is_said_is_kept(sender: Person, item: Item) -> None:
    said = {"lat": 1.5, "on": True, "in": {"a": [1.25, None]}}
    assert sender.post(HERE, told(item, properties=said)).json()["status"] == "accepted"
    kept = UsageEvent.objects.get().properties
    assert kept == {"lat": "1.5", "on": True, "in": {"a": ["1.25", None]}}


def test_half_a_character_concerns_its_event_alone(sender: Person, item: Item) -> None:
    bad = json.dumps(told(item)).replace('"e1"', '"\\ud800"')
    both = f"[{json.dumps(told(item))},{bad}]"
    for first in ("accepted", "duplicate"):
        found = send(sender, both).json()["results"]
        assert [each["status"] for each in found] == [first, "rejected"]
        assert found[1]["id"] == "?"
    lines = send(sender, f"{json.dumps(told(item, id='e2'))}\n{bad}\n", LINES)
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [each.get("status") for each in found] == ["accepted", "rejected", None]
    assert totals() == [("2026-02-09", "", "5", 2)]


def test_what_is_far_in_the_future_is_refused_and_pages_stay(
    sender: Person, item: Item, as_: As
) -> None:
    far = told(item, replaces="none", time="9999-12-31T23:59:59-12:00")
    assert_problem(sender.post(HERE, far), 422, "event_refused", "time")
    finance = as_("finance")
    for desk in ("pending", "rejected"):
        assert finance.get(f"{HERE}/{desk}").status_code == 200
