"""COPY writes the very rows that bulk_create writes."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from psycopg2.extras import DateRange

from o2b import events
from o2b.copying import copy_in, new_keys, set_all
from o2b.models import Event, Outbox
from orders.models import Task
from subscriptions.models import ItemChange, ItemVersion
from subscriptions.services import start_items
from tests.factories import NOON, a_product
from tests.orders.build import a_placed_order, by_hand
from tests.subscriptions.build import a_line, an_order

pytestmark = pytest.mark.django_db

AWKWARD = "tab\t line\n return\r back\\slash \\N \"quoted\" 'x' , {} ü 🙂"


def a_task_like(task, **given):
    fields = {f.attname: getattr(task, f.attname) for f in Task._meta.concrete_fields}
    return Task(**fields | {"id": None} | given)


def test_every_value_comes_back_as_it_was_written():
    (seed,) = a_placed_order(tasks=[by_hand()]).tasks.all()
    given = {
        "name": AWKWARD,
        "failure": "",
        "parameters": {"a": [AWKWARD, None, 1, True], "b": {"c": "ä"}},
        "checklist": [],
        "compensation": None,
        "skills": [AWKWARD[:30], "", "NULL"],
        "after": [seed.pk, 2**40],
        "weight": Decimal("3.125"),
        "planned_cost": Decimal("0.1000"),
        "point_of_no_return": True,
        "due_at": NOON + timedelta(microseconds=1),
        "queue_id": None,
    }
    copied, created = a_task_like(seed, key="copied", **given), a_task_like(seed, key="b", **given)
    assert copy_in([copied]) == [copied]
    Task.objects.bulk_create([created])
    assert not copied._state.adding
    read, plain = Task.objects.get(pk=copied.pk), Task.objects.get(pk=created.pk)
    for field in Task._meta.concrete_fields:
        if field.attname not in ("id", "key"):
            assert getattr(read, field.attname) == getattr(plain, field.attname), field.attname
    assert {name: getattr(read, name) for name in given} == given


def test_a_key_that_is_told_is_kept_and_the_others_are_drawn():
    (seed,) = a_placed_order(tasks=[by_hand()]).tasks.all()
    (key,) = new_keys(Task, 1)
    told, free = a_task_like(seed, key="a", id=key), a_task_like(seed, key="b")
    copy_in([told, free])
    assert told.pk == key < free.pk
    assert list(Task.objects.filter(key__in="ab").order_by("pk")) == [told, free]
    assert copy_in([]) == []
    assert new_keys(Task, 0) == []


def test_what_the_database_refuses_looks_like_every_refusal():
    (seed,) = a_placed_order(tasks=[by_hand()]).tasks.all()
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_in([a_task_like(seed)])  # one task a key
    assert list(Task.objects.all()) == [seed]


def test_many_events_are_copied_as_few_are_created(monkeypatch):
    order = a_placed_order(tasks=[by_hand()], lines=3)
    lines = list(order.lines.order_by("pk"))
    before = Event.objects.latest("pk").pk, Outbox.objects.latest("pk").pk

    def written():
        found = events.record_many("order_line.delivered", lines, at=NOON, note=AWKWARD)
        news = [
            (e.name, e.subject_id, e.order_id, e.account_id, e.at, e.facts, e.recorded_at is None)
            for e in Event.objects.filter(pk__in=[e.pk for e in found]).order_by("pk")
        ]
        owed = Outbox.objects.filter(pk__gt=before[1]).order_by("pk")
        rows = list(owed.values_list("event_name", "task", "key", "attempts", "last_error"))
        owed.delete()
        return news, rows

    few = written()
    monkeypatch.setattr("o2b.copying.MANY", 2)
    assert written() == few
    assert len(few[0]) == 3
    assert few[1]
    assert connection.in_atomic_block


def test_fields_of_rows_that_are_there_are_written_at_once():
    (first,) = a_placed_order(tasks=[by_hand()]).tasks.all()
    (other,) = a_placed_order(tasks=[by_hand()]).tasks.all()
    first.name, first.due_at, first.weight = AWKWARD, NOON, Decimal("3.125")
    other.name, other.due_at, other.queue_id = "", None, None
    set_all([first, other], ["name", "due_at", "weight", "queue"])
    for row in (first, other):
        read = Task.objects.get(pk=row.pk)
        for name in ("name", "due_at", "weight", "queue_id", "key", "state"):
            assert getattr(read, name) == getattr(row, name), name
    set_all([], ["name"])


def test_spans_and_what_the_database_would_work_out_are_written_as_told():
    version = a_version()
    copied = ItemVersion(
        **{f.attname: getattr(version, f.attname) for f in ItemVersion._meta.concrete_fields}
        | {"id": None, "valid": DateRange(date(2020, 1, 1), date(2020, 2, 1))}
    )
    copy_in([copied])
    read = ItemVersion.objects.get(pk=copied.pk)
    assert read.valid == DateRange(date(2020, 1, 1), date(2020, 2, 1), "[)")
    assert (read.recorded.lower, read.recorded.upper) == (version.recorded.lower, None)
    change = ItemChange(
        item=version.item,
        revision=2,
        act="end",
        on=date(2026, 5, 1),
        order_line_id=version.order_line_id,
        recorded_at=NOON,
    )
    copy_in([change])
    assert ItemChange.objects.get().recorded_at == NOON


def a_version():
    order = an_order()
    a_line(order, a_product())
    start_items(order_id=order.pk, at=NOON)
    return ItemVersion.objects.get()
