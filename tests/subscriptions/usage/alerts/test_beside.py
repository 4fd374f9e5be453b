"""Two workers at once tell once; an event on its way while somebody looks is found by the next."""

import threading
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from o2b.customers.models import Contact
from o2b.models import Event
from o2b.people.models import Notice
from o2b.people.notices import gateways
from subscriptions.models import Item, UsageAlertDefault, UsageAlertDue, UsageAlertSent
from subscriptions.usage.alerts.selectors import items_of, watched
from subscriptions.usage.alerts.services import (
    look_at_usage,
    mail_usage_alerts,
    note_changed,
)
from subscriptions.usage.alerts.services.telling import tell_passed
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime.fromisoformat("2026-02-10T12:00:00+00:00")


@pytest.fixture
def items(world: World) -> list[Item]:
    # Rows of migrations are gone where tests commit.
    UsageAlertDefault.objects.get_or_create(
        legal_entity=None, defaults={"thresholds": [Decimal(80), Decimal(100)]}
    )
    a_meter()
    return [
        a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
        for _ in range(3)
    ]


def together(*acts: Callable[[], Any]) -> None:
    """Each in a thread and with a connection of its own; what one raises is raised here."""
    faults: list[BaseException] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            act()
        except BaseException as exc:
            faults.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_two_tasks_at_once_tell_once(items: list[Item]) -> None:
    taken(*(an_event(item, "85") for item in items))
    together(*[lambda: look_at_usage(machine_now=AT, limit=1)] * 4)
    look_at_usage(machine_now=AT)
    assert UsageAlertSent.objects.count() == 3
    assert Event.objects.filter(name="usage_alert.passed").count() == 3
    assert UsageAlertDue.objects.count() == 0


def test_whoever_finds_the_same_at_the_same_moment_tells_it_once(items: list[Item]) -> None:
    """Both have read that nothing was told when the first one writes."""
    taken(*(an_event(item, "130") for item in items))
    gate = threading.Barrier(2, timeout=20)

    def find_and_tell() -> None:
        seen = watched(items_of([item.pk for item in items]), machine_now=AT)
        gate.wait()
        with transaction.atomic():
            tell_passed(seen, AT)

    together(find_and_tell, find_and_tell)
    assert UsageAlertSent.objects.filter(told=True).count() == 3
    assert UsageAlertSent.objects.filter(told=False).count() == 3
    assert Event.objects.filter(name="usage_alert.passed").count() == 3
    assert Notice.objects.filter(topic="usage").count() == 1


def test_two_that_write_to_one_account_write_once(
    items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    Contact.objects.create(
        customer=items[0].account.customer, name="Bo", email="bo@acme.test", signs=True
    )
    taken(*(an_event(item, "85") for item in items))
    look_at_usage(machine_now=AT)
    account = items[0].account_id
    sent: list[str] = []
    began, second = threading.Event(), threading.Event()

    def slowly(letter: gateways.Letter, connection: Any) -> str:
        sent.append(letter.key)
        began.set()
        second.wait(1.5)  # long enough for the other one to have read what is owed
        return ""

    def come_second() -> None:
        assert began.wait(20)
        mail_usage_alerts(owed={account: []}, machine_now=AT)
        second.set()

    monkeypatch.setattr(gateways, "_send", slowly)
    together(lambda: mail_usage_alerts(owed={account: []}, machine_now=AT), come_second)
    assert len(sent) == 1
    assert not UsageAlertSent.objects.filter(letter_owed=True).exists()


def test_what_is_not_committed_while_somebody_looks_is_found_by_the_next(items: list[Item]) -> None:
    item = items[0]
    look_at_usage(machine_now=AT)
    looked, taken_ = threading.Event(), threading.Event()

    def take_slowly() -> None:
        with transaction.atomic():
            taken(an_event(item, "85"))
            taken_.set()
            assert looked.wait(20)

    def look_meanwhile() -> None:
        assert taken_.wait(20)
        try:
            look_at_usage(machine_now=AT)
            assert UsageAlertSent.objects.count() == 0
        finally:
            looked.set()

    together(take_slowly, look_meanwhile)
    look_at_usage(machine_now=AT)
    assert UsageAlertSent.objects.count() == 1


def test_what_was_looked_through_is_not_again(items: list[Item]) -> None:
    taken(an_event(items[0], "10"))
    look_at_usage(machine_now=AT)
    note_changed()
    assert UsageAlertDue.objects.count() == 0
    taken(an_event(items[1], "10"))
    note_changed()
    assert list(UsageAlertDue.objects.values_list("pk", flat=True)) == [items[1].pk]
