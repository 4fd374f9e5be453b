"""Alerts of pools: the owner of a pool is told how much of the month's units is used."""

from decimal import Decimal

import pytest
from django.core import mail

from o2b.customers.models import Contact
from o2b.people.models import Notice
from subscriptions.models import Pool, UsageAlertSent
from subscriptions.pools.services import share_pool
from subscriptions.usage.alerts.refusals import AlertInvalid
from subscriptions.usage.alerts.services import look_at_usage, set_alert
from tests.factories import a_user
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, sold
from tests.subscriptions.usage.build import a_meter, an_event, taken

pytestmark = pytest.mark.django_db


def look(world: World) -> list[str]:
    """What is told for the first time by this look."""
    before = set(UsageAlertSent.objects.values_list("pk", flat=True))
    look_at_usage(machine_now=world.now)
    rows = UsageAlertSent.objects.exclude(pk__in=before).order_by("threshold")
    return [f"{r.charge} {r.of} {r.threshold:.0f}{'!' if r.told else ''}" for r in rows]


def used(world: World, *events: object) -> None:
    found = taken(*events, now=world.now.isoformat())  # type: ignore[arg-type]
    assert {answer.status for answer in found} == {"accepted"}


def test_the_owner_is_told_once_a_month_at_80_and_at_100_percent(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    guest = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    own, theirs = a_drawer(world), a_drawer(world, account=guest)
    pool = Pool.objects.get()
    share_pool(pool_id=pool.pk, account=guest, at=world.now, by=a_user("order team").pk)
    Contact.objects.create(customer=world.account.customer, name="Ada", email="ada@acme.test")
    world.on("2026-01-20")
    used(world, an_event(own, "50", "2026-01-19T12:00:00Z"))
    assert look(world) == []
    used(world, an_event(theirs, "35", "2026-01-19T12:00:00Z"))
    assert look(world) == [f"{pool.number} pool 80!"]
    used(world, an_event(own, "40", "2026-01-20T09:00:00Z"))
    assert look(world) == [f"{pool.number} pool 100!"]
    used(world, an_event(own, "9", "2026-01-20T10:00:00Z"))
    assert look(world) == []
    sent = UsageAlertSent.objects.latest("pk")
    assert (sent.account, sent.used, sent.limit) == (world.account, Decimal(125), Decimal(100))
    assert sent.get_absolute_url() == pool.get_absolute_url()
    world.settle()
    assert {notice.user_id for notice in Notice.objects.filter(topic="usage")} == {
        world.account.advocate_id
    }
    (letter, *_) = [each for each in mail.outbox if each.to == ["ada@acme.test"]]
    assert f"{pool.number} Minutes" in letter.body
    world.on("2026-02-05")
    used(world, an_event(own, "81", "2026-02-04T12:00:00Z"))
    assert look(world) == [f"{pool.number} pool 80!"]


def test_a_rule_of_the_account_counts_before_the_default(world: World) -> None:
    a_meter()
    sold(world, a_plan("100"))
    item = a_drawer(world)
    world.on("2026-01-20")
    rule = {"of": "pool", "thresholds": [Decimal(30)], "at": world.now}
    set_alert(account_id=world.account.pk, **rule)  # type: ignore[arg-type]
    used(world, an_event(item, "90", "2026-01-19T12:00:00Z"))
    assert look(world) == [f"{Pool.objects.get().number} pool 30!"]
    with pytest.raises(AlertInvalid) as refused:
        set_alert(account_id=world.account.pk, item_id=item.pk, **rule)  # type: ignore[arg-type]
    assert refused.value.field == "of"
