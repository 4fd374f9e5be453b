"""Order lines and tasks by REST: what the order team does."""

from typing import Any

import pytest

from o2b import clock
from orders.models import Order, OrderLine, Queue, QueueMember, Task
from orders.services import advance_order
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import INSTALL, a_product, an_account

pytestmark = pytest.mark.django_db


class Field:
    """An order with a task that waits in the queue of somebody who is logged in."""

    def __init__(self, as_: As, *, quantity: str = "1") -> None:
        a_product(code="router", tasks=INSTALL)  # type: ignore[arg-type]
        self.client = as_("order team")
        body = {
            "account": an_account().pk,
            "lines": [{"product": "router", "quantity": quantity}],
        }
        order = self.client.post("/api/v1/orders", body).json()
        self.order = Order.objects.get(pk=order["id"])
        advance_order(order_id=self.order.pk, at_of=clock.now)
        QueueMember.objects.create(queue=Queue.objects.get(), user=self.client.person)
        self.line = f"/api/v1/order-lines/{order['lines'][0]['id']}"
        self.task = f"/api/v1/tasks/{Task.objects.get(key='install').pk}"

    def do(self, verb: str, body: Any = None, *, of: str = "task") -> Any:
        return self.client.post(f"{getattr(self, of)}/{verb}", body)


@pytest.fixture
def field(as_: As) -> Field:
    return Field(as_)


def test_claim_release_claim_complete(field: Field) -> None:
    claimed = field.do("claim").json()
    assert (claimed["state"], claimed["claimed_by"]) == ("claimed", field.client.person.username)
    released = field.do("release").json()
    assert (released["state"], released["claimed_by"]) == ("ready", None)
    field.do("claim")
    done = field.do("complete", {"version": 1, "serial": "SN-1", "data": {"rack": 7, "u": 1.5}})
    assert done.status_code == 200
    assert done.json()["state"] == "done"
    (evidence,) = done.json()["evidence"]
    assert (evidence["version"], evidence["serial"], evidence["quantity"]) == (1, "SN-1", "1")
    assert evidence["data"] == {"rack": 7, "u": "1.5"}
    assert evidence["by"] == field.client.person.username


@pytest.mark.parametrize(
    ("body", "status", "code", "fields"),
    [
        ({"serial": "SN-1"}, 422, "evidence_missing", ["version"]),
        ({"version": 1}, 422, "evidence_missing", ["serial"]),
        ({"version": 2, "serial": "SN-1"}, 422, "evidence_wrong", ["version"]),
        (
            {"version": 1, "serial": "SN-1", "quantity": "2"},
            422,
            "evidence_wrong",
            ["quantity"],
        ),
        ({"version": 0, "serial": "SN-1"}, 400, "malformed", ["version"]),
        ({"version": 10**30, "serial": "SN-1"}, 400, "malformed", ["version"]),
        ({"version": 1, "serial": "x" * 121}, 400, "malformed", ["serial"]),
        ({"version": 1, "serial": "s", "data": [1]}, 400, "malformed", ["data"]),
        ({"version": 1, "serial": "s", "price": 1}, 400, "malformed", ["price"]),
    ],
    ids=str,
)
def test_evidence_that_is_refused(
    field: Field, body: dict[str, Any], status: int, code: str, fields: list[str]
) -> None:
    field.do("claim")
    assert_problem(field.do("complete", body), status, code, *fields)
    told = field.client.get(field.task).json()
    assert (told["state"], told["evidence"]) == ("claimed", [])


def test_fail_and_retry(field: Field) -> None:
    field.do("claim")
    assert_problem(field.do("fail"), 400, "malformed", "reason")
    assert_problem(field.do("fail", {"reason": " "}), 400, "malformed", "reason")
    failed = field.do("fail", {"reason": "no key to the cellar"}).json()
    assert (failed["state"], failed["failure"]) == ("fallout", "no key to the cellar")
    assert field.client.get(field.line).json()["state"] == "fallout"
    assert field.do("retry").json()["state"] == "ready"


@pytest.mark.parametrize(
    ("verb", "body", "code"),
    [
        ("release", None, "task_not_ready"),
        ("complete", {"version": 1, "serial": "s"}, "task_not_ready"),
        ("fail", {"reason": "why"}, "task_not_ready"),
        ("retry", None, "task_not_ready"),
    ],
)
def test_what_a_ready_task_does_not_do(field: Field, verb: str, body: Any, code: str) -> None:
    assert_problem(field.do(verb, body), 409, code)
    assert Task.objects.get(key="install").state == "ready"


def test_somebody_elses_task(field: Field, as_: As) -> None:
    field.do("claim")
    other = as_("order team")
    answer = other.post(f"{field.task}/complete", {"version": 1, "serial": "s"})
    assert_problem(answer, 409, "task_not_yours")
    assert_problem(other.post(f"{field.task}/claim"), 403, "not_in_queue")


def test_hold_resume_cancel(field: Field) -> None:
    held = field.do("hold", {"reason": "road works"}, of="line").json()
    assert (held["state"], held["reason"]) == ("held", "road works")
    assert_problem(field.do("hold", {"reason": "again"}, of="line"), 409, "line_not_ready")
    assert field.do("resume", of="line").json()["state"] in {"scheduled", "provisioning"}
    assert_problem(field.do("resume", of="line"), 409, "line_not_ready")
    assert_problem(field.do("cancel", of="line"), 400, "malformed", "reason")
    cancelled = field.do("cancel", {"reason": "moved away"}, of="line").json()
    assert cancelled["state"] == "cancelled"


@pytest.mark.parametrize("group", ["sales", "finance"])
def test_who_does_not_deliver_may_only_read(field: Field, as_: As, group: str) -> None:
    client = as_(group)
    for verb in ("claim", "release", "complete", "fail", "retry"):
        assert_problem(client.post(f"{field.task}/{verb}", {}), 403, "permission_denied")
    for verb in ("hold", "resume", "cancel"):
        assert_problem(client.post(f"{field.line}/{verb}", {}), 403, "permission_denied")
    assert client.get(field.task).status_code == client.get(field.line).status_code == 200
    assert OrderLine.objects.get().state == field.client.get(field.line).json()["state"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("state=ready", 1),
        ("state=ready&state=blocked", 2),
        ("kind=manual", 1),
        ("queue=field", 1),
        ("queue=nowhere", 0),
        ("claimed_by=nobody", 0),
    ],
)
def test_task_filters(field: Field, query: str, found: int) -> None:
    assert len(field.client.get(f"/api/v1/tasks?{query}").json()["results"]) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [("product=router", 1), ("product=fibre", 0), ("state=completed", 0), ("", 1)],
)
def test_line_filters(field: Field, query: str, found: int) -> None:
    assert len(field.client.get(f"/api/v1/order-lines?{query}").json()["results"]) == found


def test_given_ticked_commented_and_delivered_in_parts(as_: As) -> None:
    field = Field(as_, quantity="2")
    lead = as_("order lead")
    worker = field.client.person.username
    assert field.client.post(f"{field.task}/assign", {"to": worker}).status_code == 403
    ghost = lead.post(f"{field.task}/assign", {"to": "ghost"})
    assert_problem(ghost, 422, "member_unknown", "to")
    assert_problem(lead.post(f"{field.task}/assign", {"to": "x\0"}), 400, "malformed", "to")
    given = lead.post(f"{field.task}/assign", {"to": worker}).json()
    assert (given["state"], given["claimed_by"]) == ("claimed", worker)
    assert_problem(field.do("tick", {"item": 0}), 422, "item_unknown", "checklist")
    assert_problem(field.do("comment", {"text": "@ghost"}), 422, "nobody_called_so", "text")
    assert field.do("comment", {"text": "half of it is here"}).status_code == 200
    assert_problem(
        field.do("part", {"quantity": "3", "version": 1}), 422, "evidence_wrong", "quantity"
    )
    part = field.do("part", {"quantity": "1", "version": 1, "serial": "a"}).json()
    assert (part["state"], [one["is_part"] for one in part["evidence"]]) == ("claimed", [True])
    done = field.do("part", {"quantity": "1", "version": 1, "serial": "b"}).json()
    assert (done["state"], [one["serial"] for one in done["evidence"]]) == ("done", ["a", "b"])
