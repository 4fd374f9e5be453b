"""COPY writes the very rows that bulk_create writes."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from o2b import events
from o2b.copying import copy_in, new_keys
from o2b.models import Event, Outbox
from orders.models import Task
from tests.factories import NOON
from tests.orders.build import a_placed_order, by_hand

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
