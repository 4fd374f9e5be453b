"""Events and the outbox by completion: nothing owed is lost, nothing is done twice."""

from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction

from o2b import clock, events
from o2b.events import outbox, reactions
from o2b.flow import REACTIONS, Reaction
from o2b.models import Event, Outbox, TestClock
from tests.factories import NOON, a_user, an_account

done: list[int] = []


@events.reaction("tests.note")
def note(key: int) -> None:
    done.append(key)
    if key < 0:
        raise ValueError("below zero")


batches: list[list[int]] = []


@events.batch_reaction("tests.many", at_once=2)
def many(keys: list[int]) -> None:
    if min(keys) < 0:
        raise ValueError("below zero")
    batches.append(keys)


@pytest.fixture
def score(monkeypatch):
    """A score with one event that one task answers, by the subject's key."""
    done.clear()
    monkeypatch.setitem(REACTIONS, "test.happened", (Reaction("tests.note"),))


@pytest.fixture
def broker_is_away(monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionError("nobody there")

    monkeypatch.setattr(current_app, "signature", refuse)


@pytest.mark.django_db
def test_an_unknown_event_is_a_programming_error():
    with pytest.raises(LookupError, match=r"quote\.exploded is not in o2b\.flow"):
        events.record("quote.exploded", a_user(), at=NOON)


@pytest.mark.django_db
def test_an_event_keeps_who_what_when_and_why(score):
    account, clerk = an_account(), a_user()

    event = events.record(
        "test.happened", account, at=NOON, actor_id=clerk.pk, cause="by hand", colour="red"
    )

    event.refresh_from_db()
    assert (event.subject_type, event.subject_id) == ("customers.account", account.pk)
    assert (event.account_id, event.order_id) == (account.pk, None)
    assert (event.at, event.actor, event.cause) == (NOON, clerk, "by hand")
    assert event.facts == {"colour": "red"}
    assert event.recorded_at > NOON


@pytest.mark.django_db
def test_the_reaction_takes_its_row_away_with_its_effect(score):
    account = an_account()
    events.record("test.happened", account, at=NOON)

    assert events.drain() == 1
    assert done == [account.pk]
    assert not Outbox.objects.exists()


@pytest.mark.django_db
def test_a_second_message_finds_nothing_left_to_do(score):
    account = an_account()
    events.record("test.happened", account, at=NOON)
    row = Outbox.objects.get()

    note(key=row.key, outbox_id=row.pk)
    note(key=row.key, outbox_id=row.pk)

    assert done == [account.pk]


@pytest.mark.django_db
def test_one_key_is_owed_once_however_many_subjects(score, monkeypatch):
    monkeypatch.setitem(REACTIONS, "test.happened", (Reaction("tests.note", by="account"),))
    account = an_account()

    events.record_many("test.happened", [account, account], at=NOON)

    assert (Event.objects.count(), Outbox.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_a_failure_keeps_the_row_with_its_reason_and_waits_longer_each_time(score):
    row = Outbox.objects.create(event_name="test.happened", task="tests.note", key=-1)
    waits = []
    for _ in range(3):
        with pytest.raises(ValueError, match="below zero"):
            note(key=-1, outbox_id=row.pk)
        row.refresh_from_db()
        waits.append(row.leased_until - clock.now())
    assert row.attempts == 3
    assert row.last_error == "ValueError: below zero"
    assert waits[0] < waits[1] < waits[2]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_costs_nothing_and_the_sweeper_mends_it(score, broker_is_away):
    account = an_account()
    with transaction.atomic():
        events.record("test.happened", account, at=NOON)
    assert Outbox.objects.count() == 1

    assert events.sweep(older_than=timedelta(0)) == 0
    assert Outbox.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_leaves_alone_what_somebody_works_on(score, monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr(outbox, "send", lambda row: sent.append(row.pk) or True)
    fresh = Outbox.objects.create(event_name="test.happened", task="tests.note", key=1)
    Outbox.objects.create(
        event_name="test.happened",
        task="tests.note",
        key=2,
        leased_until=clock.now() + timedelta(minutes=1),
    )

    assert events.sweep(older_than=timedelta(hours=1)) == 0
    assert events.sweep(older_than=timedelta(0)) == 1
    assert sent == [fresh.pk]
    assert events.sweep(older_than=timedelta(0)) == 0  # leased by the sweep before
    assert sent == [fresh.pk]


@pytest.mark.django_db
def test_an_account_lives_by_its_test_clock_and_its_own_calendar():
    midnight_in_berlin = NOON.replace(hour=23, minute=30)
    told = TestClock.objects.create(name="story", now=midnight_in_berlin)
    account = an_account(time_zone="Europe/Berlin", test_clock=told)

    assert clock.now(account) == midnight_in_berlin
    assert str(clock.today(account)) == "2026-02-01"
    assert clock.now() > midnight_in_berlin


@pytest.mark.django_db(transaction=True)
def test_one_message_goes_out_for_as_many_as_a_task_takes_at_once(monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr(outbox, "send", lambda row: sent.append(row.pk) or True)
    rows = [Outbox.objects.create(event_name="e", task="tests.many", key=n) for n in range(5)]

    assert events.publish(rows) == 5
    assert sent == [rows[0].pk, rows[2].pk, rows[4].pk]


@pytest.mark.django_db(transaction=True)
def test_a_message_takes_others_along_and_calls_the_next(monkeypatch):
    sent: list[int] = []
    monkeypatch.setattr(reactions, "send", lambda row: sent.append(row.pk) or True)
    batches.clear()
    rows = [Outbox.objects.create(event_name="e", task="tests.many", key=n) for n in range(5)]

    many(key=3, outbox_id=rows[3].pk)

    assert batches == [[0, 3]]
    assert sent == [rows[1].pk]
    many(key=3, outbox_id=rows[3].pk)  # late or doubled: it works for those that are left
    assert batches == [[0, 3], [1, 2]]
    many(key=4, outbox_id=rows[4].pk)
    assert batches == [[0, 3], [1, 2], [4]]
    assert not Outbox.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_fails_costs_only_the_row_at_fault():
    batches.clear()
    bad = Outbox.objects.create(event_name="e", task="tests.many", key=-1)
    good = Outbox.objects.create(event_name="e", task="tests.many", key=1)

    many(key=1, outbox_id=good.pk)  # together they fail; alone it is done

    assert batches == [[1]]
    assert list(Outbox.objects.values_list("pk", flat=True)) == [bad.pk]
    with pytest.raises(ValueError, match="below zero"):
        many(key=-1, outbox_id=bad.pk)
    bad.refresh_from_db()
    assert (bad.attempts, bad.last_error) == (1, "ValueError: below zero")
