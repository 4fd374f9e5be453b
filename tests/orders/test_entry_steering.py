"""An order as a whole: held, resumed, cancelled, put before others; each line says what it did."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.errors import Refused
from o2b.models import Event
from orders import services
from orders.models import Order, OrderLine, Task
from tests.orders.build import (
    ACTIVATE,
    INSTALL,
    LATER,
    a_placed_order,
    a_user,
    a_worker,
    advance,
    by_hand,
    happened,
    logged_in,
    states,
    team,
    written,
)

pytestmark = pytest.mark.django_db

FINAL = [dict(INSTALL[0], point_of_no_return=True), INSTALL[1]]


def test_hold_and_resume():
    order, user = a_placed_order(lines=2, tasks=INSTALL), a_worker()
    first = Task.objects.filter(order=order, state="ready").order_by("pk").first()
    assert first
    services.claim_task(task_id=first.pk, user_id=user.pk, at=LATER)
    held = services.hold_order(order_id=order.pk, at=LATER, reason=" Unpaid ", user_id=user.pk)
    assert [(r.position, r.done, r.state) for r in held] == [(1, True, "held"), (2, True, "held")]
    lines = list(order.lines.order_by("pk"))
    assert [(li.paused_from, li.reason) for li in lines] == [
        ("provisioning", "Unpaid"),
        ("scheduled", "Unpaid"),
    ]
    resumed = services.resume_order(order_id=order.pk, at=LATER)
    assert [r.state for r in resumed] == ["provisioning", "scheduled"]
    assert [li.reason for li in order.lines.all()] == ["", ""]
    names = happened(order)
    assert (names.count("order_line.held"), names.count("order_line.resumed")) == (2, 2)


def test_cancel_gives_up_what_can_be_given_up():
    order, user = a_placed_order(lines=2, tasks=FINAL), a_worker()
    first = Task.objects.filter(order=order, state="ready").order_by("pk").first()
    assert first
    services.claim_task(task_id=first.pk, user_id=user.pk, at=LATER)
    services.complete_task(
        task_id=first.pk, user_id=user.pk, at=LATER, version="1", serial="S-1", quantity="1"
    )
    results = services.cancel_order(order_id=order.pk, at=LATER, reason="No more")
    assert [(r.done, r.state) for r in results] == [(False, "provisioning"), (True, "cancelled")]
    assert results[0].reason == "“Install on site” is done, and final."
    assert states(order)[0] == ["provisioning", "cancelled"]


def test_a_cancelled_order_is_undone_by_itself():
    order = a_placed_order(lines=3, tasks=ACTIVATE)
    results = services.cancel_order(order_id=order.pk, at=LATER, reason="Ordered twice")
    assert {(r.done, r.state) for r in results} == {(True, "cancelled")}
    assert advance(order) == 0


def test_where_no_line_can_follow_it_is_refused_and_nothing_written():
    order = a_placed_order(tasks=ACTIVATE)
    advance(order)
    before = written()
    for verb in (services.hold_order, services.cancel_order):
        with pytest.raises(Refused) as refused:
            verb(order_id=order.pk, at=LATER, reason="Too late")
        assert (refused.value.code, refused.value.status) == ("order_not_ready", 409)
    with pytest.raises(Refused):
        services.resume_order(order_id=order.pk, at=LATER)
    for reason in ("", " ", "x" * 2001, "\0"):
        with pytest.raises(Refused) as refused:
            services.hold_order(order_id=order.pk, at=LATER, reason=reason)
        assert refused.value.field == "reason"
    assert written() == before
    with pytest.raises(Order.DoesNotExist):
        services.hold_order(order_id=10**9, at=LATER, reason="Nobody")


def test_priority_reaches_the_open_work():
    order, user = a_placed_order(lines=2, tasks=INSTALL), a_user()
    done = Task.objects.filter(order=order).order_by("pk").last()
    assert done
    Task.objects.filter(pk=done.pk).update(state="done")
    services.reprioritise(order_id=order.pk, priority=2, at=LATER, reason="VIP", user_id=user.pk)
    order.refresh_from_db()
    assert order.priority == 2
    told = Task.objects.filter(order=order).order_by("pk").values_list("priority", flat=True)
    assert list(told) == [2, 2, 2, 0]
    event = Event.objects.get(name="order.reprioritised")
    assert (event.facts, event.actor_id) == ({"before": 0, "after": 2, "reason": "VIP"}, user.pk)
    before = written()
    services.reprioritise(order_id=order.pk, priority=2, at=LATER)
    for bad in (5, "2x", None, True):
        with pytest.raises(Refused):
            services.reprioritise(order_id=order.pk, priority=bad, at=LATER)
    assert written() == before


@pytest.mark.parametrize("verb", ["hold_order", "cancel_order"])
def test_queries_do_not_grow_with_lines(verb):
    def count(lines: int) -> int:
        order = a_placed_order(lines=lines, tasks=INSTALL)
        with CaptureQueriesContext(connection) as queries:
            getattr(services, verb)(order_id=order.pk, at=LATER, reason="Stop")
        return len(queries)

    assert count(6) == count(1)


# doors


def test_the_buttons_of_the_page():
    order, client = a_placed_order(lines=2, tasks=INSTALL), team()
    page = client.get(order.get_absolute_url()).text
    assert "Hold order" in page
    assert "Cancel order" in page
    assert "Resume order" not in page
    url = {name: reverse(f"orders:{name}", args=[order.pk]) for name in ("hold", "resume")}
    assert client.post(url["hold"], {"reason": "Unpaid"}).status_code == 302
    assert states(order)[0] == ["held", "held"]
    page = client.get(order.get_absolute_url()).text
    assert "Resume order" in page
    assert "Hold order" not in page
    client.post(url["resume"])
    assert states(order)[0] == ["scheduled", "scheduled"]
    lead, priority = team("order lead"), reverse("orders:priority", args=[order.pk])
    assert (priority in page, priority in lead.get(order.get_absolute_url()).text) == (False, True)
    assert client.post(priority, {"priority": "1"}).status_code == 403
    order.refresh_from_db()
    assert order.priority == 0
    assert lead.post(priority, {"priority": "1"}).status_code == 302
    order.refresh_from_db()
    assert order.priority == 1
    client.post(reverse("orders:cancel", args=[order.pk]), {"reason": "No more"})
    assert states(order)[0] == ["cancelled", "cancelled"]
    assert "Cancel order" not in client.get(order.get_absolute_url()).text


BAD: list[tuple[str, dict[str, Any]]] = [
    ("hold", {}),
    ("hold", {"reason": "\0"}),
    ("cancel", {"reason": "x" * 3000}),
    ("resume", {}),
    ("priority", {}),
    ("priority", {"priority": "9"}),
    ("priority", {"priority": "\0"}),
    ("work-from", {"work_from": "soon", "reason": "x"}),
    ("work-from", {"work_from": "2026-02-30", "reason": "x"}),
    ("work-from", {"work_from": "2090-01-01"}),
    ("work-from", {"work_from": "2090-01-01", "reason": "x"}),
]


@pytest.mark.parametrize(("name", "sent"), BAD)
def test_bad_input_writes_nothing(name, sent):
    order, client = a_placed_order(tasks=INSTALL), team("order lead")
    before = (written(), order.priority)
    answer = client.post(reverse(f"orders:{name}", args=[order.pk]), sent)
    assert answer.status_code in (409, 422)
    order.refresh_from_db()
    assert (written(), order.priority) == before
    assert client.post(reverse(f"orders:{name}", args=[10**9]), sent).status_code in (404, 422)


def test_who_may_steer():
    order = a_placed_order(tasks=INSTALL)
    sales = logged_in(a_user("finance"))
    for name in ("hold", "resume", "cancel", "priority", "work-from"):
        assert sales.post(reverse(f"orders:{name}", args=[order.pk])).status_code == 403
        lead = team("order lead")
        assert lead.get(reverse(f"orders:{name}", args=[order.pk])).status_code == 405
    assert "Hold order" not in sales.get(order.get_absolute_url()).text
    assert {line.state for line in OrderLine.objects.all()} == {"scheduled"}


def test_documents_are_a_panel():
    order, client = a_placed_order(), team("order team", "sales")
    url = reverse("orders:documents", args=[order.pk])
    assert url in client.get(order.get_absolute_url()).text
    panel = client.get(url, headers={"HX-Request": "true"}).text
    assert panel.lstrip().startswith("<section")
    assert str(order.quote) in panel
    assert "/track/" not in panel  # it stands on the order's page already
    assert client.get(url).status_code == 200
    assert client.get(reverse("orders:documents", args=[10**9])).status_code == 404


def test_priority_locks_open_tasks_in_the_order_of_their_keys():
    order = a_placed_order(tasks=[by_hand(), by_hand(key="b")], lines=2)
    with CaptureQueriesContext(connection) as made:
        services.reprioritise(order_id=order.pk, priority=2, at=LATER)
    locks = [one["sql"] for one in made if "FOR NO KEY UPDATE" in one["sql"]]
    assert [sql.partition(' FROM "')[2].partition('"')[0] for sql in locks] == [
        "orders_order",
        "orders_orderline",
        "orders_task",
    ]
    assert locks[2].endswith('ORDER BY 1 ASC FOR NO KEY UPDATE OF "orders_task"')
    assert set(Task.objects.values_list("priority", flat=True)) == {2}
