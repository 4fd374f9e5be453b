"""The pages of work: list, board, one task, many at once, approvals, comments, costs."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.catalog.models import ProductVersion
from o2b.catalog.services import publish_product_version
from orders import services
from orders.models import Approval, Comment, OrderLine, TaskFile
from orders.work import services as work
from tests.factories import LONG_AGO, a_user
from tests.orders.build import (
    LATER,
    a_placed_order,
    a_worker,
    by_hand,
    logged_in,
    states,
    team,
    unread,
    written,
)
from tests.orders.build_work import a_lead, an_order_of, claimed, line_of, state_of

pytestmark = pytest.mark.django_db

GETS = ("work", "board", "approvals")
DOORS = ("tick", "part", "comment", "file-add", "hand-back", "ask-skip", "ask-version")
LEADS = ("assign", "priority")
DECIDE = ("grant", "refuse", "withdraw")


def url(name, *args):
    return reverse(f"orders:{name}", args=args)


def at_task(name, task):
    return url(f"task-{name}", task.pk)


def test_strangers_log_in_and_others_may_not():
    visitor, nobody = Client(), logged_in(a_user())
    for name in GETS:
        assert visitor.get(url(name))["Location"].startswith("/login/"), name
        assert nobody.get(url(name)).status_code == 403, name
    for name in ("task", "conversation", "costs"):
        assert visitor.get(url(name, 1)).status_code == 302, name
        assert nobody.get(url(name, 1)).status_code == 403, name
    posts = [url(f"task-{name}", 1) for name in (*DOORS, *LEADS)]
    posts += [url(f"approval-{name}", 1) for name in DECIDE] + [url("work-many")]
    for address in posts:
        assert visitor.post(address).status_code == 302, address
        assert nobody.post(address).status_code == 403, address
    for name in LEADS:
        assert team().post(url(f"task-{name}", 1)).status_code == 403, name


def test_what_is_not_there_is_a_404():
    client = team("administrator")
    said = {"comment-text": "x", "skip-reason": "x", "instead-reason": "x", "reason": "x"}
    for key in (10**6, 10**30):
        for name in ("task", "conversation", "costs"):
            assert client.get(url(name, key)).status_code == 404, name
        for name in (*DOORS, *LEADS):
            answer = client.post(url(f"task-{name}", key), said)
            assert answer.status_code == 404, (name, key)
        for name in DECIDE:
            assert client.post(url(f"approval-{name}", key), said).status_code == 404, name
        assert client.get(url("task-file", key, key)).status_code == 404


# list and board


def test_one_sees_ones_queues_and_a_lead_sees_all():
    mine = a_placed_order(tasks=[by_hand(name="Dig a trench")])
    a_placed_order(tasks=[by_hand(queue="core", name="Patch a port")])
    for client, both in ((logged_in(a_worker()), False), (logged_in(a_lead()), True)):
        for name in ("work", "board"):
            text = client.get(url(name)).text
            assert "Dig a trench" in text
            assert ("Patch a port" in text) == both, name
    assert mine.number in client.get(url("work"), {"q": "trench"}).text


FILTERS = [
    ({"queue": "field"}, True),
    ({"queue": "nowhere"}, False),
    ({"state": "ready"}, True),
    ({"state": "claimed"}, False),
    ({"state": "blocked"}, False),
    ({"state": "rubbish\0"}, True),
    ({"who": "nobody"}, True),
    ({"who": "mine"}, False),
    ({"who": "x\0"}, False),
    ({"jeopardy": "red"}, False),
    ({"waits": "approval"}, False),
    ({"age": "7"}, True),
    ({"age": "1000000"}, True),
    ({"product": "x"}, False),
    ({"customer": "9" * 18}, False),
    ({"customer": "9" * 40}, True),
    ({"customer": "x"}, True),
    ({"q": "install"}, True),
    ({"q": "\0"}, True),
    ({"sort": "-ready_at"}, True),
    ({"sort": "'"}, True),
    ({"page": "x"}, True),
    ({"page": "9" * 30}, True),
]


@pytest.mark.parametrize(("query", "is_there"), FILTERS, ids=[str(q) for q, _ in FILTERS])
def test_filters_are_links_that_never_break(query, is_there):
    task = an_order_of().tasks.get()
    page = logged_in(a_worker()).get(url("work"), query)
    assert page.status_code == 200
    assert (f'value="{task.pk}" aria-label="Install' in page.text) == is_there
    assert logged_in(a_worker()).get(url("board"), query).status_code == 200


def test_the_list_as_csv():
    order = an_order_of()
    answer: Any = logged_in(a_worker()).get(url("work"), {"format": "csv"})
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].startswith("Task,")
    assert lines[1].startswith("Install,")
    assert order.number in lines[1]


def test_the_board_shows_where_things_stand():
    order = a_placed_order(tasks=[by_hand()], lines=4)
    ready, taken, fallen, held = order.tasks.order_by("pk")
    worker = a_worker()
    for task in (taken, fallen):
        services.claim_task(task_id=task.pk, user_id=worker.pk, at=LATER)
    services.fail_task(task_id=fallen.pk, user_id=worker.pk, reason="no", at=LATER)
    services.hold_line(line_id=held.line_id, at=LATER, reason="wait")
    text = logged_in(worker).get(url("board")).text
    columns = dict(
        zip(("ready", "claimed", "waiting", "fallout"), text.split("data-column")[1:], strict=True)
    )
    for name, task in zip(
        ("ready", "claimed", "fallout", "waiting"), (ready, taken, fallen, held), strict=True
    ):
        for column, part in columns.items():
            assert (url("task", task.pk) in part) == (column == name), (name, column)


def _queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("name", ["work", "board", "queue", "approvals"])
def test_queries_do_not_grow_with_rows(name):
    lead = a_lead()
    client = logged_in(lead)
    worker = a_worker()

    def more(lines):
        steps = [by_hand(), *(by_hand(key=key) for key in "bcd")]
        order = a_placed_order(tasks=steps, lines=lines)
        for task in order.tasks.filter(key="install"):
            services.claim_task(task_id=task.pk, user_id=lead.pk, at=LATER)
            work.ask_skip(task_id=task.pk, user_id=worker.pk, reason="x", at=LATER)
        order.tasks.filter(key="c").update(state="running", waits_for="payment")
        order.tasks.filter(key="d").update(state="fallout", failure="x", priority=1)
        order.tasks.update(jeopardy="red", minutes=5)

    more(1)
    few = _queries(client, url(name))
    more(6)
    assert _queries(client, url(name)) == few


def test_many_at_once_with_a_result_for_each():
    order = a_placed_order(tasks=[by_hand()], lines=2)
    first, second = order.tasks.order_by("pk")
    worker, lead = a_worker(), a_lead()
    services.claim_task(task_id=second.pk, user_id=lead.pk, at=LATER)
    client = logged_in(worker)
    said = {"verb": "claim", "task": [first.pk, second.pk, "x", "9" * 40], "next": "//evil/"}
    page = client.post(url("work-many"), said)
    assert "1 of 2 tasks done" in page.text
    assert "evil" not in page.text
    assert states(order)[1] == ["claimed", "claimed"]
    assert client.post(url("work-many"), {"verb": "dance"}).status_code in (302, 422)
    for verb in ("assign", "prioritise"):
        assert client.post(url("work-many"), {"verb": verb}).status_code == 403
    boss = logged_in(lead)
    for to in (worker.pk, "x", ""):
        given = {"verb": "assign", "task": [second.pk], "to": to}
        assert boss.post(url("work-many"), given).status_code == 200
    second.refresh_from_db()
    assert second.claimed_by == worker
    for priority in ("2", "", "-7", "9" * 30):
        first_only = {"verb": "prioritise", "task": [first.pk], "priority": priority}
        assert boss.post(url("work-many"), first_only).status_code == 200
    first.refresh_from_db()
    assert first.priority == 2
    back = {"verb": "hand-back", "task": [first.pk, second.pk], "note": "@nobody_there"}
    assert "0 of 2" in client.post(url("work-many"), back).text
    assert "2 of 2" in client.post(url("work-many"), back | {"note": "lunch"}).text
    assert states(order)[1] == ["ready", "ready"]
    assert Comment.objects.filter(text="lunch").count() == 2
    assert client.post(url("work-many"), {"verb": "claim"}).status_code == 200


# one task


def test_the_page_of_a_task_tells_what_waits_on_whom():
    order = a_placed_order(
        tasks=[
            by_hand(key="dig", skills=["digger"]),
            by_hand(key="lay", after=["dig"], checklist=["No kinks"]),
            by_hand(key="test", after=["lay"]),
        ]
    )
    dig, lay, test = order.tasks.order_by("pk")
    client = team()
    text = client.get(url("task", lay.pk)).text
    for words in ("It waits on 1 step", "1 step waits on it", "No kinks", "Dig", "Test", "field"):
        assert words in text, words
    assert "digger" in client.get(url("task", dig.pk)).text
    assert team("sales").get(url("task", test.pk)).status_code == 200


def test_from_claim_to_completion_on_the_page():
    task, user = claimed("1", "version", "file", checklist=["Lid closed"])
    client = logged_in(user)
    form = {f"t{task.pk}-version": "1", "page": "task"}
    missing = client.post(at_task("complete", task), form)
    assert (missing.status_code, "Not ticked off yet: Lid closed" in missing.text) == (422, True)
    client.post(at_task("tick", task), {"item": "0", "done": "1"})
    for item in ("x", "", "-1", "9" * 20):
        assert client.post(at_task("tick", task), {"item": item, "done": "1"}).status_code in (
            302,
            422,
        )
    missing = client.post(at_task("complete", task), form)
    assert (missing.status_code, "file is missing" in missing.text) == (422, True)
    kept = SimpleUploadedFile("lid.png", b"\x89PNG\r\n\x1a\n...")
    assert client.post(at_task("file-add", task), {"kept-file": kept}).status_code == 302
    file = TaskFile.objects.get()
    got = client.get(url("task-file", task.pk, file.pk))
    assert got["Content-Disposition"] == 'attachment; filename="lid.png"'
    assert (got["X-Content-Type-Options"], got["Content-Type"]) == ("nosniff", "image/png")
    assert "lid.png" in client.get(url("task", task.pk)).text
    assert client.post(at_task("complete", task), form).status_code == 302
    assert state_of(task) == "done"


def test_a_wrong_file_is_refused_beside_its_field():
    task, user = claimed()
    client = logged_in(user)
    wrong = SimpleUploadedFile("x.svg", b"<svg/>")
    answer = client.post(at_task("file-add", task), {"kept-file": wrong})
    assert (answer.status_code, "Only images, PDF" in answer.text) == (422, True)
    assert client.post(at_task("file-add", task)).status_code == 422
    assert not TaskFile.objects.exists()


def test_a_gigabyte_is_refused_before_it_is_read():
    task, user = claimed()
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    answer = unread(client, at_task("file-add", task))
    assert (answer.status_code, "up to 10 MB" in answer.text) == (413, True)
    assert client.post(at_task("file-add", task)).status_code == 403  # its token is asked for


def test_parts_on_the_page():
    task, user = claimed("3", "serials")
    client, name = logged_in(user), f"p{task.pk}-"
    wrong = client.post(at_task("part", task), {f"{name}quantity": "1"})
    assert (wrong.status_code, "as many serial numbers" in wrong.text) == (422, True)
    said = {f"{name}quantity": "2", f"{name}serials": "a\nb\n"}
    assert client.post(at_task("part", task), said).status_code == 302
    text = client.get(url("task", task.pk)).text
    assert "1 of 3 are left" in text
    client.post(at_task("complete", task), {f"t{task.pk}-serials": "c", "page": "task"})
    assert line_of(task).state == "completed"


def test_comments_and_questions_on_the_page():
    task, user = claimed()
    client = logged_in(user)
    for name, field in (
        ("comment", "comment-text"),
        ("ask-skip", "skip-reason"),
        ("ask-version", "instead-version"),
    ):
        before = written()
        for said in ({}, {field: "\0"}, {field: "x" * 5000}):
            assert client.post(at_task(name, task), said).status_code == 422, (name, said)
        assert written() == before
    unknown = client.post(at_task("comment", task), {"comment-text": "@ghost"})
    assert "Nobody here is called @ghost" in unknown.text
    assert client.post(at_task("comment", task), {"comment-text": "<b>hi"}).status_code == 302
    assert "&lt;b&gt;hi" in client.get(url("task", task.pk)).text
    assert client.post(at_task("ask-skip", task), {"skip-reason": "flooded"}).status_code == 302
    assert "flooded" in client.get(url("approvals")).text
    lead = a_lead()
    asked = Approval.objects.get()
    assert "flooded" in logged_in(lead).get(url("approvals")).text
    assert logged_in(lead).post(url("approval-grant", asked.pk)).status_code == 302
    assert state_of(task) == "skipped"


def test_the_advocate_decides_on_another_version():
    task, user = claimed("1", "version")
    two = ProductVersion.objects.create(product=line_of(task).product_version.product, number=2)
    publish_product_version(version_id=two.pk, at=LONG_AGO)
    asked = {"instead-version": "2", "instead-reason": "sold out"}
    assert logged_in(user).post(at_task("ask-version", task), asked).status_code == 302
    line = OrderLine.objects.get(pk=task.line_id)
    advocate = line.account.advocate
    advocate.groups.add(a_user("sales").groups.get())
    client = logged_in(advocate)
    assert "version 2 is delivered" in client.get(url("approvals")).text
    question = Approval.objects.get()
    assert client.post(url("approval-refuse", question.pk)).status_code in (302, 422)
    assert client.post(url("approval-grant", question.pk)).status_code == 302
    done = logged_in(user).post(at_task("complete", task), {f"t{task.pk}-version": "2"})
    assert done.status_code == 302
    line.refresh_from_db()
    assert line.state == "completed"


def test_a_lead_gives_and_ranks_on_the_page():
    task, _ = claimed()
    lead, other = a_lead(), a_worker()
    client = logged_in(lead)
    assert str(other) in client.get(url("task", task.pk)).text
    for to in ("", "x", "9" * 30):
        assert client.post(at_task("assign", task), {"given-to": to}).status_code in (302, 422)
    assert client.post(at_task("assign", task), {"given-to": other.pk}).status_code == 302
    assert client.post(at_task("priority", task), {"first-priority": "1"}).status_code == 302
    assert client.post(at_task("priority", task), {"first-priority": "x"}).status_code == 422
    task.refresh_from_db()
    assert (task.claimed_by, task.priority) == (other, 1)


# panels of the order


def test_the_conversation_of_an_order():
    task, user = claimed()
    work.comment(order_id=task.order_id, task_id=task.pk, author_id=user.pk, text="Hm", at=LATER)
    client = team("sales")
    there = url("conversation", task.order_id)
    assert client.post(there, {"comment-text": " "}).status_code == 422
    assert client.post(there, {"comment-text": "Good"})["Location"].endswith("#conversation")
    panel = client.get(there, headers={"HX-Request": "true"}).text
    assert panel.lstrip().startswith("<section")
    assert ("Hm" in panel, "Good" in panel) == (True, True)
    assert there in client.get(task.order.get_absolute_url()).text


def test_costs_are_for_leads_and_finance():
    task, user = claimed("2", minutes=30, equipment="35.00")
    services.record_part(task_id=task.pk, user_id=user.pk, quantity="1", at=LATER)
    services.complete_task(task_id=task.pk, user_id=user.pk, at=LATER, minutes="20")
    there = url("costs", task.order_id)
    for group, status in (
        ("order team", 403),
        ("sales", 403),
        ("finance", 200),
        ("order lead", 200),
    ):
        assert team(group).get(there).status_code == status, group
    client = team("order lead")
    text = client.get(there).text
    for words in ("35.00", "99.80", "64.80", "20 min", "50 %", "100 %"):
        assert words in text, words
    answer: Any = client.get(there, {"format": "csv"})
    row = b"".join(answer.streaming_content).decode().splitlines()[1].split(",")
    assert (row[2], row[5], row[6], row[11], row[12]) == (
        "35.0000",
        "35.0000",
        "20",
        "64.8000",
        "1.00000000",
    )


def test_costs_ask_as_much_for_many_lines():
    client = team("order lead")
    few, many = a_placed_order(tasks=[by_hand()]), a_placed_order(tasks=[by_hand()], lines=6)
    assert _queries(client, url("costs", few.pk)) == _queries(client, url("costs", many.pk))
