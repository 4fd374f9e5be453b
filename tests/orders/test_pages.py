"""The pages of orders: who may see and do what, and what they say when something is wrong."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from orders.models import Evidence, Order, OrderLine, Queue, Task
from tests.factories import monthly
from tests.orders.build import (
    ACTIVATE,
    INSTALL,
    NOON,
    a_placed_order,
    a_product,
    a_user,
    a_worker,
    advance,
    an_account,
    by_hand,
    logged_in,
    states,
    team,
    written,
)

pytestmark = pytest.mark.django_db


# order pages


def test_list_detail_and_line():
    client = team()
    order, other = a_placed_order(lines=2, tasks=INSTALL), a_placed_order()
    advance(other)
    page = client.get(reverse("orders:list"))
    assert order.number in page.text
    assert order.account.customer.name in page.text
    only = client.get(reverse("orders:list"), {"state": "completed"})
    assert (other.number in only.text, order.number in only.text) == (True, False)
    answer: Any = client.get(reverse("orders:list"), {"format": "csv"})
    csv = b"".join(answer.streaming_content)
    assert f"{order.number},".encode() in csv
    detail = client.get(order.get_absolute_url())
    assert detail.status_code == 200
    for words in ("Install on site", "Activate", "Order placed", 'class="plan"', "99.80"):
        assert words in detail.text, words
    live = client.get(order.get_absolute_url(), headers={"HX-Request": "true"})
    assert live.text.lstrip().startswith('<div id="order-live"')
    assert "every 20s" in live.text
    assert "every" not in client.get(other.get_absolute_url()).text.split("order-live")[1]
    line = order.lines.get(position=1)
    assert client.get(reverse("orders:line", args=[line.pk])).status_code == 200


def test_a_machine_at_work_is_looked_at_often():
    order = a_placed_order()
    assert "every 2s" in team().get(order.get_absolute_url()).text


def test_panels():
    client, order = team(), a_placed_order()
    for name, key in (("of-quote", order.quote_id), ("of-account", order.account_id)):
        url = reverse(f"orders:{name}", args=[key])
        assert order.number in client.get(url).text
        assert client.get(url, headers={"HX-Request": "true"}).text.lstrip().startswith("<section")
        assert client.get(reverse(f"orders:{name}", args=[10**9])).status_code == 404


GETS = ("list", "queue", "fallout", "new")
KEYED = ("detail", "line")
POSTS = ("line-hold", "line-resume", "line-cancel", "task-claim")
TASKS = ("task-complete", "task-fail", "task-retry", "task-correct", "accept-quote")


def test_strangers_log_in_and_others_may_not():
    visitor, nobody = Client(), logged_in(a_user())
    for name in GETS:
        url = reverse(f"orders:{name}")
        assert visitor.get(url)["Location"].startswith("/login/")
        assert nobody.get(url).status_code == 403, name
    for name in (*POSTS, *TASKS, "decline-quote"):
        url = reverse(f"orders:{name}", args=[1])
        assert visitor.post(url).status_code == 302, name
        assert nobody.post(url).status_code == 403, name
    finance = team("finance")
    assert finance.get(reverse("orders:list")).status_code == 200
    assert finance.post(reverse("orders:claim-next")).status_code == 403
    assert team("sales").get(reverse("orders:new")).status_code == 403


def test_what_is_not_there_is_a_404():
    client = team("administrator")
    for key in (10**6, 10**30):
        for name in (*KEYED, "of-account"):
            assert client.get(reverse(f"orders:{name}", args=[key])).status_code == 404, name
        for name in (*POSTS, *TASKS, "decline-quote"):
            url = reverse(f"orders:{name}", args=[key])
            assert client.post(url, {"reason": "x"}).status_code == 404, (name, key)


# queue and fallout


def test_the_queue_from_claim_to_completion():
    order = a_placed_order(tasks=INSTALL)
    worker = a_worker()
    client, task = logged_in(worker), Task.objects.get(key="install")
    assert "Install on site" in client.get(reverse("orders:queue")).text
    claimed = client.post(reverse("orders:claim-next"), {"next": "/orders/queue/"})
    assert claimed["Location"] == f"/orders/queue/#task-{task.pk}"
    assert states(order) == (["provisioning"], ["claimed", "blocked"])
    url, name = reverse("orders:task-complete", args=[task.pk]), f"t{task.pk}-"
    before = written()
    missing = client.post(url, {f"{name}version": "1"})
    assert missing.status_code == 422
    assert "serial is missing" in missing.text
    wrong = client.post(url, {f"{name}version": "7", f"{name}serial": "SN-1"})
    assert wrong.status_code == 422
    assert "Version 1 was promised, not 7" in wrong.text
    assert written() == before
    assert client.post(url, {f"{name}version": "1", f"{name}serial": "SN-1"}).status_code == 302
    assert Evidence.objects.get().serial == "SN-1"
    assert states(order) == (["provisioning"], ["done", "ready"])
    assert order.number in client.get("/search/", {"q": "SN-1"}).text


def test_fallout_shows_why_and_tries_again():
    order = a_placed_order(tasks=[by_hand()])
    worker = a_worker()
    client, task = logged_in(worker), Task.objects.get()
    client.post(reverse("orders:task-claim", args=[task.pk]))
    client.post(reverse("orders:task-fail", args=[task.pk]), {"reason": "no access"})
    page = client.get(reverse("orders:fallout"))
    assert "no access" in page.text
    assert "order team" not in page.text
    client.post(reverse("orders:task-retry", args=[task.pk]), {"next": "/orders/fallout/"})
    assert states(order) == (["provisioning"], ["ready"])
    assert "Nothing has fallen out" in client.get(reverse("orders:fallout")).text


def test_refused_evidence_is_mended_from_the_fallout_page():
    order = a_placed_order(tasks=[*ACTIVATE, by_hand()])
    advance(order)
    worker, line = a_worker(), order.lines.get()
    client, done, open_ = logged_in(worker), *Task.objects.order_by("pk")
    other = line.product_version.product.versions.create(number=2)
    Evidence.objects.create(
        task=done, line=line, product_version=other, quantity=line.quantity, at=NOON
    )
    client.post(reverse("orders:task-claim", args=[open_.pk]))
    client.post(reverse("orders:task-complete", args=[open_.pk]))
    assert states(order) == (["fallout"], ["done", "done"])
    page = client.get(reverse("orders:fallout")).text
    assert "version: promised 1, found 2" in page
    url = reverse("orders:task-correct", args=[done.pk])
    assert (url in page, reverse("orders:task-correct", args=[open_.pk]) in page) == (True, False)
    before = written()
    wrong = client.post(url, {"version": "2"}, headers={"HX-Request": "true"})
    assert (wrong.status_code, written()) == (422, before)
    client.post(url, {"version": "1", "serial": "SN-2"})
    assert states(order) == (["completed"], ["done", "done"])


def test_a_line_is_held_resumed_and_cancelled_from_its_page():
    client, order = team(), a_placed_order(tasks=[by_hand()])
    line = order.lines.get()
    for verb, state in (("hold", "held"), ("resume", "scheduled"), ("cancel", "cancelled")):
        client.post(
            reverse(f"orders:line-{verb}", args=[line.pk]),
            {"reason": "as asked", "next": order.get_absolute_url()},
        )
        assert states(order)[0] == [state]


def test_forms_lead_back_to_pages_of_ours_only():
    client, order = team(), a_placed_order(tasks=[by_hand()])
    url = reverse("orders:line-hold", args=[order.lines.get().pk])
    answer = client.post(url, {"reason": "x", "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/orders/queue/"


@pytest.mark.parametrize(
    "there", ["abc", "?queue=x", "//elsewhere.example/", "/\\elsewhere", "\0", "#"]
)
def test_a_way_back_that_is_no_path_of_ours_leads_to_the_usual_page(there):
    order = a_placed_order(tasks=[by_hand()])
    user = a_worker()
    client, line, task = logged_in(user), order.lines.get(), Task.objects.get()
    for name, key, usual in (
        ("task-claim", task.pk, reverse("orders:queue")),
        ("task-comment", task.pk, reverse("orders:task", args=[task.pk])),
        ("line-wait", line.pk, order.get_absolute_url()),
        ("line-answered", line.pk, order.get_absolute_url()),
        ("task-fail", task.pk, reverse("orders:queue")),
        ("task-retry", task.pk, reverse("orders:fallout")),
    ):
        said = {"next": there, "reason": "x", "text": "x", "comment-text": "x"}
        answer = client.post(reverse(f"orders:{name}", args=[key]), said)
        assert (answer.status_code, answer["Location"].partition("#")[0]) == (302, usual), name


# entering


def test_entering_an_order():
    client, product = team(), a_product(charges=[monthly("10")], name="Fibre")
    account = an_account()
    url = reverse("orders:new")
    assert "Fibre" in client.get(url).text
    line = {"lines": "1", "lines-0-product": product.product.code, "lines-0-quantity": "3"}
    look = client.post(url, {"account": account.reference, "do": "look"} | line)
    assert "€30.00" in look.text
    assert Order.objects.count() == 0
    more = client.post(url, {"account": account.reference, "do": "add"} | line)
    assert 'name="lines" value="2"' in more.text
    placed = client.post(url, {"account": account.reference, "do": "place", "note": "hi"} | line)
    order = Order.objects.get()
    assert (placed["Location"], order.channel, order.note) == (
        order.get_absolute_url(),
        "screen",
        "hi",
    )


@pytest.mark.parametrize(
    "fault",
    [
        {"account": "nobody"},
        {"lines-0-product": "nothing"},
        {"lines-0-quantity": "0"},
        {"lines-0-quantity": "1e30"},
        {"start_on": "1.2.2026"},
        {"lines": "0"},
        {"lines": "x"},
        {"lines-0-discount_percent": "9"},
        {"note": "n" * 2001},
    ],
)
def test_entering_nonsense_writes_nothing(fault):
    account, product = an_account(), a_product()
    said = {
        "account": account.reference,
        "do": "place",
        "lines": "1",
        "lines-0-product": product.product.code,
        "lines-0-quantity": "1",
    }
    before = written()
    client = team()
    answer = client.post(reverse("orders:new"), said | fault)
    assert answer.status_code == 422
    assert written() == before


# asks and admin


def test_home_and_search():
    worker = a_worker()
    order = a_placed_order(tasks=INSTALL)
    home = logged_in(worker).get("/")
    for words in ("Ready in my queues", "I work on", "Lines in fallout", "Lines in delivery"):
        assert words in home.text
    for words in (order.number, order.account.customer.name):
        found = logged_in(worker).get("/search/", {"q": words})
        assert order.get_absolute_url() in found.text


def test_queries_of_pages_do_not_grow(django_assert_max_num_queries):
    client = team()
    for order in (a_placed_order(tasks=INSTALL), a_placed_order(tasks=INSTALL, lines=9)):
        with django_assert_max_num_queries(24):
            client.get(order.get_absolute_url())
    with django_assert_max_num_queries(9):
        client.get(reverse("orders:list"))
    with django_assert_max_num_queries(14):
        client.get(reverse("orders:queue"))


def test_the_admin_shows_and_sets_up_queues():
    client = logged_in(a_user(is_staff=True, is_superuser=True))
    order = a_placed_order(tasks=INSTALL)
    for path in ("order", f"order/{order.pk}/change", "orderline", "task", "evidence", "queue"):
        assert client.get(f"/admin/orders/{path}/").status_code == 200, path
    assert client.get("/admin/orders/order/add/").status_code == 403
    queue = Queue.objects.get()
    assert client.get(f"/admin/orders/queue/{queue.pk}/change/").status_code == 200


def test_a_delivered_line_cannot_be_cancelled_from_its_page():
    client, order = team(), a_placed_order(tasks=ACTIVATE)
    advance(order)
    assert "Cancel line" not in client.get(order.get_absolute_url()).text
    url = reverse("orders:line-cancel", args=[OrderLine.objects.get().pk])
    answer = client.post(url, {"reason": "x"}, headers={"HX-Request": "true"})
    assert answer.status_code == 409


def test_an_administrator_puts_people_into_queues():
    boss, hand, order = a_user("administrator"), a_user("order team"), a_placed_order(tasks=INSTALL)
    type(boss).objects.filter(pk=boss.pk).update(is_staff=True)
    queue = Queue.objects.get()
    said = {
        "code": queue.code,
        "name": queue.name,
        "hourly_rate": "0",
        "amber_percent": "80",
        "members-TOTAL_FORMS": "1",
        "members-INITIAL_FORMS": "0",
        "members-0-queue": queue.pk,
        "members-0-user": hand.pk,
        "members-0-capacity": "0",
    }
    client = logged_in(type(boss).objects.get(pk=boss.pk))
    assert client.post(f"/admin/orders/queue/{queue.pk}/change/", said).status_code == 302
    assert order.number in logged_in(hand).get(reverse("orders:queue")).text
