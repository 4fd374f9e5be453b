"""Thresholds are told once a period: whenever it is looked, by whomever, whatever comes late."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b import events
from o2b.customers.models import Account, Contact
from o2b.models import Event
from o2b.people.models import Notice
from subscriptions.models import (
    Act,
    Item,
    UsageAlertDefault,
    UsageAlertDue,
    UsageAlertLook,
    UsageAlertSent,
    UsageEvent,
)
from subscriptions.usage.alerts.selectors import items_of
from subscriptions.usage.alerts.services import (
    change_alert,
    look_at_some,
    look_at_usage,
    note_changed,
    remove_alert,
    set_alert,
)
from tests.factories import an_entity
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    by_meter,
    statuses,
    taken,
)

pytestmark = pytest.mark.django_db
AT = datetime.fromisoformat("2026-02-10T12:00:00+00:00")


def look(**given: Any) -> list[str]:
    """What is told for the first time by this look."""
    before = set(UsageAlertSent.objects.values_list("pk", flat=True))
    look_at_usage(machine_now=AT, **given)
    return shown(UsageAlertSent.objects.exclude(pk__in=before))


def shown(rows: Any) -> list[str]:
    return [
        f"{row.charge} {row.of} {row.threshold.normalize():f}{'!' if row.told else ''}"
        for row in rows.order_by("item", "charge", "of", "threshold")
    ]


@pytest.fixture
def item(world: World) -> Item:
    """A service with 100 minutes free a month, in use since January."""
    a_meter()
    item = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    Contact.objects.create(customer=item.account.customer, name="Ada", email="ada@acme.test")
    Contact.objects.create(
        customer=item.account.customer, name="Bo", email="bo@acme.test", signs=True
    )
    return item


def a_rule(item: Item, of: str, *thresholds: str, **given: Any) -> Any:
    return set_alert(
        account_id=item.account_id,
        of=of,
        thresholds=[Decimal(each) for each in thresholds],
        at=AT,
        **given,
    )


def test_the_house_tells_of_80_and_100_percent_of_an_allowance(item: Item) -> None:
    taken(an_event(item, "79.99"))
    assert look() == []
    taken(an_event(item, "0.01"))
    assert look() == ["minutes allowance 80!"]
    taken(an_event(item, "19"))
    assert look() == []
    taken(an_event(item, "1"))
    assert look() == ["minutes allowance 100!"]
    assert look() == []
    row = UsageAlertSent.objects.get(threshold=100)
    assert (row.reached, row.limit, row.used) == (Decimal(100), Decimal(100), Decimal(100))
    assert (f"{row.period_start}", f"{row.period_end}") == ("2026-02-01", "2026-03-01")
    assert (row.account, row.rule, row.unit, row.at) == (item.account, None, "min", AT)
    assert row.forecast == Decimal(280)
    assert UsageAlertDue.objects.count() == 0


def test_of_several_at_once_the_highest_is_told(item: Item) -> None:
    taken(an_event(item, "130"))
    assert look() == ["minutes allowance 80", "minutes allowance 100!"]
    assert Notice.objects.filter(topic="usage").count() == 1
    assert UsageAlertSent.objects.filter(letter_owed=True).count() == 1


def test_what_was_taken_back_and_rises_again_is_not_told_twice(item: Item) -> None:
    first = an_event(item, "85")
    taken(first)
    assert look() == ["minutes allowance 80!"]
    taken(an_event(item, "0", retracts=first.id))
    assert look() == []
    taken(an_event(item, "90"))
    assert look() == []


def test_advocate_and_customer_are_told(item: Item) -> None:
    taken(an_event(item, "85"))
    look()
    notice = Notice.objects.get(topic="usage")
    account = item.account
    assert notice.user_id == account.advocate_id
    assert notice.title == (f"{account.name}, {item.number} Minutes: 80 % of the allowance is used")
    assert notice.text.splitlines() == [
        "Used so far: 85 min of 100 min",
        "Period: 1 Feb 2026 – 28 Feb 2026",
        "Forecast to the end: 238 min",
        "Amount so far, net: €0.00",
    ]
    assert notice.url == f"/subscriptions/usage/services/{item.pk}/"
    event = Event.objects.get(name="usage_alert.passed")
    assert (event.account_id, event.facts["threshold"]) == (account.pk, "80")
    mail.outbox.clear()
    events.drain()
    (letter,) = [each for each in mail.outbox if "acme.test" in each.to[0]]
    assert letter.to == ["bo@acme.test"]
    assert letter.subject == "Nordlicht Telecom: 80 % of the allowance is used"
    for said in ("Dear Bo", "85 min of 100 min", "1 Feb 2026", "238 min", str(account.advocate)):
        assert said in letter.body, said
    row = UsageAlertSent.objects.get()
    assert (row.letter_owed, row.mailed_at) == (False, item.account.test_now)


def test_one_letter_and_one_notice_for_an_account(item: Item, world: World) -> None:
    other = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    taken(an_event(item, "85"), an_event(other, "100"))
    look()
    notice = Notice.objects.get(topic="usage")
    assert notice.title == f"2 usage alerts of {item.account.name}"
    assert other.number in notice.text
    mail.outbox.clear()
    events.drain()
    (letter,) = [each for each in mail.outbox if "acme.test" in each.to[0]]
    assert letter.subject == "Nordlicht Telecom: 2 usage alerts"
    assert item.number in letter.body
    assert other.number in letter.body


def test_a_letter_that_is_refused_comes_to_the_advocate(item: Item, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "subscriptions.usage.alerts.services.letters.post",
        lambda letters: ["550 no" for _ in letters],
    )
    taken(an_event(item, "85"))
    look()
    events.drain()
    assert "could not be told by mail" in Notice.objects.filter(topic="usage").latest("pk").title
    row = UsageAlertSent.objects.get()
    assert (row.letter_owed, row.mailed_at) == (False, None)


def test_without_a_contact_nobody_is_written_to(item: Item) -> None:
    Contact.objects.all().delete()
    taken(an_event(item, "85"))
    look()
    assert UsageAlertSent.objects.get().letter_owed is False
    assert Notice.objects.filter(topic="usage").count() == 1
    events.drain()


def test_a_new_period_tells_anew(item: Item, world: World) -> None:
    taken(an_event(item, "85"))
    assert look() == ["minutes allowance 80!"]
    world.on("2026-03-04")
    taken(an_event(item, "81", "2026-03-03T12:00:00Z"), now="2026-03-04T12:00:00Z")
    assert look() == ["minutes allowance 80!"]
    assert UsageAlertSent.objects.count() == 2


def test_late_usage_of_a_closed_period_tells_nothing(item: Item) -> None:
    taken(an_event(item, "500", "2026-01-20T12:00:00Z"))
    assert look() == []
    assert UsageAlertSent.objects.count() == 0


def test_a_period_stays_open_for_an_hour_by_the_real_clock(item: Item) -> None:
    Account.objects.update(test_clock=None)
    taken(an_event(item, "85", "2026-02-28T23:59:00Z"), now="2026-02-28T23:59:30Z")
    for at, n in (
        ("2026-03-01T01:00:00+00:00", 0),
        ("2026-03-01T00:59:59+00:00", 1),
        ("2026-02-28T23:59:40+00:00", 1),
    ):
        UsageAlertSent.objects.all().delete()
        look_at_usage(machine_now=datetime.fromisoformat(at))
        assert UsageAlertSent.objects.count() == n, at


def test_the_forecast_of_yesterday_is_no_news_after_midnight(item: Item) -> None:
    Account.objects.update(test_clock=None)
    a_rule(item, "forecast", "100")
    # 40 min by the 11th: 280/11 days × … stays at 101.8; by the 10th it would be 112.
    taken(an_event(item, "39"))
    look_at_usage(machine_now=datetime.fromisoformat("2026-02-11T00:10:00+00:00"))
    assert UsageAlertSent.objects.count() == 0
    look_at_usage(machine_now=datetime.fromisoformat("2026-02-10T23:50:00+00:00"))
    assert UsageAlertSent.objects.count() == 1


def test_kinds(item: Item) -> None:
    a_rule(item, "amount", "2.50", "5", meter_code="minutes")
    a_rule(item, "units", "100", "1000", meter_code="minutes")
    a_rule(item, "forecast", "100", "300")
    UsageAlertDefault.objects.update(active=False)
    taken(an_event(item, "36"))
    assert look() == ["minutes forecast 100!"]
    taken(an_event(item, "89"))  # 125: 25 beyond the allowance, at 0.10
    assert look() == [
        "minutes amount 2.5!",
        "minutes forecast 300!",
        "minutes units 100!",
    ]
    taken(an_event(item, "-1"), an_event(item, "50"))
    assert look() == ["minutes amount 5!"]


def test_a_rule_of_the_service_counts_alone(item: Item, world: World) -> None:
    other = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    a_rule(item, "allowance", "90")
    a_rule(item, "allowance", "50", item_id=item.pk, meter_code="minutes")
    taken(an_event(item, "85"), an_event(other, "85"))
    assert look() == ["minutes allowance 50!"]
    taken(an_event(other, "5"))
    assert look() == ["minutes allowance 90!"]


def test_switched_off(item: Item) -> None:
    rule = a_rule(item, "allowance", active=False)
    taken(an_event(item, "85"))
    assert look() == []
    change_alert(alert_id=rule.pk, thresholds=[Decimal(80)], active=True, at=AT)
    assert look() == ["minutes allowance 80!"]


def test_a_new_rule_is_looked_at_without_new_usage(item: Item) -> None:
    taken(an_event(item, "60"))
    assert look() == []
    UsageAlertLook.objects.update(since=datetime.fromisoformat("2999-01-01T00:00:00+00:00"))
    rule = a_rule(item, "allowance", "50")
    assert look() == ["minutes allowance 50!"]
    change_alert(alert_id=rule.pk, thresholds=[Decimal(60)], active=True, at=AT)
    assert look() == ["minutes allowance 60!"]
    remove_alert(alert_id=rule.pk, at=AT)
    assert look() == []
    # What was told stays, without its rule, and is not told by another one.
    assert UsageAlertSent.objects.filter(rule=None).count() == 2
    a_rule(item, "allowance", "50")
    assert look() == []


def test_the_seller_has_a_default_of_its_own(item: Item, world: World) -> None:
    seller = an_entity(code="other", name="Other")
    UsageAlertDefault.objects.create(legal_entity=seller, thresholds=[Decimal(30)])
    there = world.an_account(legal_entity=seller)
    other = a_metered_service(
        world, by_meter(details={"allowance": {"units": "100"}}), account=there
    )
    taken(an_event(item, "40"), an_event(other, "40"))
    assert look() == ["minutes allowance 30!"]
    UsageAlertDefault.objects.filter(legal_entity=seller).update(active=False, thresholds=[20])
    taken(an_event(other, "45"))
    assert look() == []


def test_nothing_is_told_without_an_allowance(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(an_event(item, "1000000"))
    assert look() == []


def test_a_service_that_fails_is_left_and_others_are_told(
    item: Item, world: World, monkeypatch: Any
) -> None:
    other = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    third = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    taken(*(an_event(each, "85") for each in (item, other, third)))

    def broken(services: Any) -> Any:
        if other.pk in services:
            raise ArithmeticError("no")
        return items_of(services)

    monkeypatch.setattr("subscriptions.usage.alerts.services.looking.items_of", broken)
    look()
    assert set(UsageAlertSent.objects.values_list("item", flat=True)) == {item.pk, third.pk}


def test_what_a_kill_leaves_is_looked_at_again(item: Item, monkeypatch: Any) -> None:
    taken(an_event(item, "85"))
    note_changed()

    class Killed(BaseException):
        pass

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("subscriptions.usage.alerts.services.telling.tell_many", die)
        with pytest.raises(Killed):
            look_at_some(machine_now=AT)
    assert (UsageAlertSent.objects.count(), UsageAlertDue.objects.count()) == (0, 1)
    assert Event.objects.filter(name="usage_alert.passed").count() == 0
    assert look_at_some(machine_now=AT) == 1
    assert UsageAlertSent.objects.count() == 1


def test_only_services_with_events_are_looked_at(item: Item, world: World) -> None:
    other = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    taken(an_event(other, "1"))
    note_changed()
    assert list(UsageAlertDue.objects.values_list("pk", flat=True)) == [other.pk]
    assert look_at_some(machine_now=AT) == 1
    assert look_at_some(machine_now=AT) == 0


def test_queries_do_not_grow_with_services(item: Item, world: World) -> None:
    def cost(n: int) -> int:
        made = [
            a_metered_service(
                world,
                by_meter(details={"allowance": {"units": "100"}}),
                account=world.an_account(),
            )
            for _ in range(n)
        ]
        taken(*(an_event(each, "85") for each in made))
        note_changed()
        UsageAlertDue.objects.exclude(pk__in=[each.pk for each in made]).delete()
        with CaptureQueriesContext(connection) as captured:
            assert look_at_some(machine_now=AT) == n
        assert UsageAlertSent.objects.filter(item__in=made).count() == n
        return len(captured)

    assert cost(2) == cost(6)


def test_an_idle_look_is_a_few_statements(item: Item) -> None:
    look()
    with CaptureQueriesContext(connection) as captured:
        assert look() == []
    assert len(captured) <= 12
    assert UsageEvent.objects.count() == 0


def test_after_a_transfer_the_account_that_has_it_is_told(item: Item, world: World) -> None:
    taken(an_event(item, "85"))
    assert look() == ["minutes allowance 80!"]
    other = world.an_account(legal_entity=item.account.legal_entity)
    told(world, item, Act.TRANSFER, to_account_id=other.pk)
    leg = Item.objects.get(account=other)
    assert statuses(taken(an_event(leg, "95", "2026-02-10T11:00:00Z"))) == ["accepted"]
    assert look() == ["minutes allowance 80!"]
    row = UsageAlertSent.objects.latest("pk")
    assert (row.account, row.item, row.used) == (other, leg, Decimal(95))
    assert (f"{row.period_start}", f"{row.period_end}") == ("2026-02-10", "2026-03-01")


def test_a_test_clock_tells_what_came_on_its_days(item: Item, world: World) -> None:
    taken(an_event(item, "85"))
    world.live("2026-02-11")
    row = UsageAlertSent.objects.get()
    assert (row.threshold, row.at) == (Decimal(80), AT)
    assert Notice.objects.get(topic="usage").at == AT
    world.live("2026-02-28")
    # Usage of the last day is found before the clock leaves it, and told though the month is over.
    taken(an_event(item, "20", "2026-02-28T11:00:00Z"), now="2026-02-28T12:00:00Z")
    world.live("2026-03-02")
    row = UsageAlertSent.objects.get(threshold=100)
    assert (f"{row.at:%Y-%m-%d}", f"{row.period_start}") == ("2026-02-28", "2026-02-01")
    assert UsageAlertSent.objects.count() == 2


def test_a_look_at_an_account_under_a_clock_is_by_that_clock(item: Item, world: World) -> None:
    real = a_metered_service(
        world, by_meter(details={"allowance": {"units": "100"}}), account=world.an_account()
    )
    Account.objects.filter(pk=real.account_id).update(test_clock=None)
    taken(an_event(item, "85"), an_event(real, "85"))
    # By the machine's clock February is over: of that one there is nothing to tell any more.
    look_at_usage(machine_now=datetime.fromisoformat("2026-03-20T12:00:00+00:00"))
    assert list(UsageAlertSent.objects.values_list("item", flat=True)) == [item.pk]
