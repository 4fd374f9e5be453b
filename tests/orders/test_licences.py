"""Licence keys: given once, from pools or made; shown once, mailed, revoked; the pages of pools."""

import re
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail.backends import locmem
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.models import Event, Outbox
from o2b.people.models import Notice
from orders import services
from orders.fulfilment import handlers
from orders.kinds.tasks import NotMailed
from orders.licences import services as licences
from orders.models import Evidence, LicenceKey, LicencePool, Order, Task
from orders.tasks import kinds
from tests.orders.build import (
    LATER,
    NOON,
    a_placed_order,
    a_product,
    a_user,
    an_account,
    by_hand,
    entered,
    logged_in,
    states,
    team,
    unread,
)
from tests.orders.kinds_build import a_contact, a_lead, first, run, step
from tests.workers import database_url

pytestmark = pytest.mark.django_db

KEY = re.compile(r"^([2-9A-HJ-NP-Z]{5}-){4}[2-9A-HJ-NP-Z]{5}$")


def a_pool(*keys: str, code="office", warn_below=0) -> LicencePool:
    pool = LicencePool.objects.create(code=code, name=code.title(), warn_below=warn_below)
    LicenceKey.objects.bulk_create(LicenceKey(pool=pool, key=key) for key in keys)
    return pool


def licensed(*, lines=1, **parameters) -> Order:
    return a_placed_order(tasks=[step("licence_key", parameters=parameters)], lines=lines)


def in_pool(pool):
    return list(LicenceKey.objects.filter(pool=pool).order_by("pk").values_list("key", "state"))


# given


def test_a_made_key_is_in_its_row_and_nowhere_else():
    order = licensed()
    assert run(order).state == "done"
    key, evidence = LicenceKey.objects.get(), Evidence.objects.get()
    assert KEY.match(key.key)
    assert (key.state, key.issued_at, key.task, key.line, key.number, key.pool) == (
        "issued",
        LATER,
        first(order),
        order.lines.get(),
        1,
        None,
    )
    assert (evidence.serial, evidence.serials) == ("…" + key.key[-5:], [])
    told = [str(row) for row in Event.objects.values_list("facts", flat=True)]
    assert not any(key.key in each for each in told)
    page = team().get(order.get_absolute_url()).text
    assert (key.key in page, "…" + key.key[-5:] in page) == (False, True)


def test_each_line_and_each_unit_gets_its_own():
    product = a_product(tasks=[step("licence_key", parameters={"per_unit": True})])
    order = entered(an_account(), product, product)
    order.lines.update(quantity=3)
    run(order)
    keys = LicenceKey.objects.order_by("task", "number")
    assert [key.number for key in keys] == [1, 2, 3, 1, 2, 3]
    assert len({key.key for key in keys}) == 6
    shown = Evidence.objects.order_by("pk").first()
    assert shown
    assert shown.serials == ["…" + key.key[-5:] for key in keys[:3]]
    assert states(order) == (["completed"] * 2, ["done"] * 2)


@pytest.mark.parametrize("quantity", ["1.5", "1001"])
def test_units_that_no_key_can_be_given_for(quantity):
    order = licensed(per_unit=True)
    order.lines.update(quantity=quantity)
    task = run(order)
    assert (task.state, task.failure) == (
        "fallout",
        f"a key for each of {quantity} units cannot be given",
    )
    assert not LicenceKey.objects.exists()


def test_statements_do_not_grow_with_tasks():
    a_pool(*(f"KEY-{n}" for n in range(20)))
    counts = []
    for parameters in ({}, {"pool": "office"}):
        for lines in (1, 9):
            order = licensed(lines=lines, **parameters)
            with CaptureQueriesContext(connection) as asked:
                run(order)
            counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[2] == counts[3]


def test_keys_of_a_pool_are_given_in_order_and_once():
    pool = a_pool("KEY-1", "KEY-2", "KEY-3")
    order = licensed(pool="office", lines=2)
    run(order)
    assert in_pool(pool) == [("KEY-1", "issued"), ("KEY-2", "issued"), ("KEY-3", "free")]
    with pytest.raises(IntegrityError), transaction.atomic():
        LicenceKey.objects.create(pool=pool, key="KEY-1")
    with pytest.raises(IntegrityError), transaction.atomic():
        LicenceKey.objects.create(key="KEY-9", task=first(order), state="issued")


def test_a_task_that_is_run_again_is_given_what_it_has():
    order = licensed()
    wanted = licences.Wanted(first(order).pk, order.lines.get().pk, units=2)
    one = licences.give_keys(wanted=[wanted], at=NOON)
    assert licences.give_keys(wanted=[wanted], at=LATER) == one
    assert LicenceKey.objects.count() == 2


def test_an_empty_pool_falls_out_by_name_and_goes_on_when_it_is_filled():
    pool = a_pool("KEY-1")
    order = licensed(pool="office", lines=2)
    run(order)
    fallen = Task.objects.get(state="fallout")
    assert (fallen.failure, fallen.failure_class) == (
        "the pool “office” has too few keys left",
        "no_stock",
    )
    licences.add_keys(pool_id=pool.pk, text="KEY-2", at=LATER, by=a_user().pk)
    services.retry_task(task_id=fallen.pk, at=LATER)
    run(order)
    assert states(order) == (["completed"] * 2, ["done"] * 2)


def test_a_pool_that_is_not_there():
    task = run(licensed(pool="gone"))
    assert (task.failure, task.failure_class) == ("there is no pool “gone”", "set_up")


def test_a_pool_that_runs_low_tells_the_administrators_once():
    boss, clerk = a_user("administrator"), a_user("order team")
    pool = a_pool("KEY-1", "KEY-2", "KEY-3", "KEY-4", warn_below=3)
    run(licensed(pool="office"))
    assert not Notice.objects.exists()
    for _ in range(2):
        run(licensed(pool="office"))
    told = Notice.objects.get()
    assert (told.user, told.title) == (boss, "“Office” has 2 keys left")
    assert told.url == reverse("orders:licence-pool", args=[pool.pk])
    licences.add_keys(pool_id=pool.pk, text="KEY-5\nKEY-6", at=LATER, by=clerk.pk)
    run(licensed(pool="office"), LATER + timedelta(hours=1))
    run(licensed(pool="office"), LATER + timedelta(hours=2))
    assert Notice.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_get_the_same_key():
    """The first holds its key locked; the second does not wait, and takes the next."""
    a_pool("KEY-1", "KEY-2")
    one, two = licensed(pool="office"), licensed(pool="office")
    wanted = [licences.Wanted(first(o).pk, o.lines.get().pk, pool="office") for o in (one, two)]
    with closing(psycopg2.connect(database_url())) as other, other.cursor() as cursor:
        cursor.execute("SELECT key FROM orders_licencekey ORDER BY id LIMIT 1 FOR UPDATE")
        with transaction.atomic():
            given = licences.give_keys(wanted=wanted, at=NOON)
    assert given == {
        wanted[0].task_id: ("KEY-2",),
        wanted[1].task_id: licences.Short("office", is_held=True),
    }


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"pool": 7}, "pool: a text"),
        ({"mail": "yes"}, "mail: true or false"),
        ({"length": 3}, "length is no parameter of it"),
    ],
)
def test_what_a_licence_cannot_be(parameters, fault):
    found = handlers.find("licence_key")
    assert found
    assert found.faults(parameters) == [fault]


# shown, mailed, revoked


def test_a_key_is_shown_once_and_it_is_kept_who_saw_it():
    order = licensed()
    run(order)
    user = a_user("sales")
    client, key = logged_in(user), LicenceKey.objects.get()
    page = reverse("orders:task-licence", args=[first(order).pk])
    show = reverse("orders:task-licence-show", args=[first(order).pk])
    before = client.get(page).text
    assert (key.key in before, "…" + key.key[-5:] in before, show in before) == (False, True, True)
    shown = client.post(show)
    assert (key.key in shown.text, shown["Cache-Control"]) == (True, "private, no-store")
    key.refresh_from_db()
    assert key.shown_at is not None
    told = Event.objects.get(name="licence.shown")
    assert (told.actor_id, told.order_id, told.subject_id) == (user.pk, order.pk, first(order).pk)
    refused = client.post(show)
    assert (refused.status_code, key.key in refused.text) == (409, False)
    after = client.get(page).text
    assert (key.key in after, show in after) == (False, False)
    assert Event.objects.filter(name="licence.shown").count() == 1
    assert page in client.get(order.get_absolute_url()).text


def test_a_key_is_mailed_to_the_contact_once():
    order = licensed(mail=True)
    a_contact(order)
    run(order)
    owed = Outbox.objects.get(task="orders.mail_licences")
    for _ in range(2):
        kinds.mail_licences(key=owed.key, outbox_id=owed.pk)
    kinds.mail_licences(key=owed.key)
    key, letter = LicenceKey.objects.get(), mail.outbox[0]
    assert len(mail.outbox) == 1
    assert (letter.to, key.key in letter.body) == (["ann@acme.example"], True)
    assert key.mailed_at is not None
    assert not Outbox.objects.filter(task="orders.mail_licences").exists()
    assert Event.objects.get(name="licence.mailed").facts == {
        "task": "Step",
        "to": "ann@acme.example",
    }


def test_the_advocate_hears_of_a_key_that_cannot_be_mailed(monkeypatch):
    order = licensed(mail=True)
    run(order)
    owed = Outbox.objects.get(task="orders.mail_licences")
    kinds.mail_licences(key=owed.key, outbox_id=owed.pk)
    told = Notice.objects.get()
    assert (told.user, told.text) == (
        order.account.advocate,
        "the customer has no contact with an e-mail address",
    )
    assert not Outbox.objects.filter(pk=owed.pk).exists()

    def away(self, messages):
        raise ConnectionRefusedError("no")

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", away)
    other = licensed(mail=True)
    a_contact(other)
    run(other)
    owed = Outbox.objects.get(task="orders.mail_licences")
    with pytest.raises(NotMailed):
        kinds.mail_licences(key=owed.key, outbox_id=owed.pk)
    assert Outbox.objects.filter(pk=owed.pk).exists()
    assert Notice.objects.filter(user=other.account.advocate).count() == 1
    assert LicenceKey.objects.filter(mailed_at=None).count() == 2


def test_a_cancelled_line_loses_its_keys():
    plan = [step("licence_key"), by_hand(after=["step"])]
    order = a_placed_order(tasks=plan)
    run(order)
    line = order.lines.get()
    services.cancel_line(line_id=line.pk, at=LATER, reason="no more")
    assert states(order)[0] == ["cancelled"]
    owed = Outbox.objects.get(task="orders.revoke_licences")
    assert owed.key == line.pk
    kinds.revoke_licences(key=owed.key, outbox_id=owed.pk)
    key = LicenceKey.objects.get()
    assert (key.state, key.revoked_at is not None) == ("revoked", True)
    assert Event.objects.get(name="licence.revoked").order_id == order.pk
    show = reverse("orders:task-licence-show", args=[first(order).pk])
    assert team().post(show).status_code == 409


def test_an_ended_item_loses_its_keys_by_what_its_event_says():
    order = licensed()
    run(order)
    Event.objects.create(
        name="item.ended",
        subject_type="subscriptions.item",
        subject_id=5,
        at=LATER,
        facts={"order_line": order.lines.get().pk},
    )
    kinds.revoke_licences_of_item(key=5)
    assert LicenceKey.objects.get().state == "revoked"
    with pytest.raises(LookupError, match="item.ended of item 6 names no order_line"):
        kinds.revoke_licences_of_item(key=6)


# pools


@pytest.fixture
def lead() -> Client:
    return logged_in(a_lead())


def test_a_pool_is_opened_and_filled(lead):
    url = reverse("orders:licence-pool-new")
    told = {"name": "Office", "code": "office-2024", "warn_below": "2"}
    answer = lead.post(url, told)
    pool = LicencePool.objects.get()
    assert answer["Location"] == reverse("orders:licence-pool", args=[pool.pk])
    assert "A pool has this code already." in lead.post(url, told).text
    add = reverse("orders:licence-pool-add", args=[pool.pk])
    assert lead.post(add, {"keys": "KEY-1\n\n KEY-2 \n"}).status_code == 302
    file = SimpleUploadedFile("keys.csv", b'\xef\xbb\xbfKEY-3;x,note\n"KEY-4",note\n')
    assert lead.post(add, {"file": file}).status_code == 302
    assert [key for key, _ in in_pool(pool)] == ["KEY-1", "KEY-2", "KEY-3;x", "KEY-4"]
    page = lead.get(reverse("orders:licence-pool", args=[pool.pk])).text
    assert "KEY-1" not in page
    assert "No key was given out yet." in page
    assert "Office" in lead.get(reverse("orders:licence-pools")).text
    filled = Event.objects.filter(name="licence_pool.filled").order_by("id")
    assert [event.facts for event in filled] == [{"added": 2}, {"added": 2}]


def test_a_file_that_is_too_large_is_not_even_read(lead):
    pool = a_pool()
    answer = unread(lead, reverse("orders:licence-pool-add", args=[pool.pk]))
    assert (answer.status_code, "larger than 2 MB" in answer.text) == (413, True)
    assert answer["Connection"] == "close"
    assert in_pool(pool) == []


def test_rows_that_are_refused_are_named_and_the_others_taken(lead):
    pool = a_pool("KEY-1")
    a_pool("OTHER-1", code="other")
    add = reverse("orders:licence-pool-add", args=[pool.pk])
    rows = ["KEY-1", "KEY-2", "", "KEY-2", "x" * 121, "OTHER-1", "a\x07b"]
    page = lead.post(add, {"keys": "\n".join(rows)})
    text = " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
    for words in (
        "5 rows were not taken",
        "1 known already",
        "4 the same as row 2",
        "5 longer than 120 characters",
        "6 known already",
        "7 holds a character that cannot be printed",
    ):
        assert words in text, words
    assert [key for key, _ in in_pool(pool)] == ["KEY-1", "KEY-2"]
    assert lead.post(add, {"keys": "KEY-1"}).status_code == 422


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"keys": ""}, "Paste keys, or choose a file."),
        ({"keys": "a\0b"}, "Null characters are not allowed."),
        ({"file": SimpleUploadedFile("k.csv", b"\xff\xfe\x00")}, "This is no text in UTF-8."),
        ({"file": SimpleUploadedFile("k.csv", b"a\x00b")}, "This is no text."),
        ({"file": SimpleUploadedFile("k.csv", b"x" * 2_000_001)}, "The file is larger than 2 MB."),
        ({"keys": "\n".join(map(str, range(20_001)))}, "At most 20000 keys at once."),
    ],
)
def test_keys_that_are_none(lead, sent, words):
    pool = a_pool()
    answer = lead.post(reverse("orders:licence-pool-add", args=[pool.pk]), sent)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert not LicenceKey.objects.exists()
    assert not Event.objects.exists()


def test_who_may_see_what(lead):
    order, pool = licensed(), a_pool("KEY-1")
    run(order)
    pools: list[tuple[str, Any]] = [
        ("licence-pools", []),
        ("licence-pool-new", []),
        ("licence-pool", [pool.pk]),
    ]
    for name, args in pools:
        url = reverse(f"orders:{name}", args=args)
        assert Client().get(url).status_code == 302
        assert team("sales").get(url).status_code == 403
        assert lead.get(url).status_code == 200
    for name in ("task-licence", "task-licence-show", "licence-pool", "licence-pool-add"):
        url = reverse(f"orders:{name}", args=[10**9])
        ask = lead.post if name.endswith(("show", "add")) else lead.get
        assert ask(url).status_code == 404, name
    assert logged_in(a_user()).get(reverse("orders:task-licence", args=[1])).status_code == 403


def test_queries_of_the_pages_are_constant(lead):
    pool = a_pool(*(f"KEY-{n}" for n in range(12)))
    counts = []
    for lines in (1, 9):
        run(licensed(pool="office", lines=lines))
        with CaptureQueriesContext(connection) as asked:
            lead.get(reverse("orders:licence-pool", args=[pool.pk]))
        counts.append(len(asked))
    assert counts[0] == counts[1]
