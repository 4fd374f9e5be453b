"""What describes a service on a day: every change says only what it changes, by its own day."""

from datetime import date

import pytest

from subscriptions.entitlements.selectors import Whose, entitlements
from subscriptions.installbase import selectors as installed
from subscriptions.installbase.shown import characteristics_of
from subscriptions.models import Act, Item, ItemChange
from subscriptions.rules.described import Said, described_on
from subscriptions.timelines.chains import chains_of
from subscriptions.timelines.rebuilding import rebuild_versions
from tests.factories import a_product, monthly
from tests.subscriptions.serving import told

pytestmark = pytest.mark.django_db
SPECS = [
    {"name": "address", "type": "text"},
    {"name": "edition", "type": "choice", "choices": ["basic", "pro"]},
    {"name": "label", "type": "text"},
]


@pytest.fixture
def item(world):
    world.on("2026-01-01")
    products = [
        a_product(code=code, charges=[monthly(price)], characteristics=SPECS)
        for code, price in (("line-30", "30.00"), ("line-50", "50.00"))
    ]
    world.sell(products=products[:1])
    world.on("2026-02-01")
    found = Item.objects.get()
    told(world, found, Act.TERMS, product="line-30", quantity=2, characteristics=said("basic", "A"))
    return found


def said(edition, address):
    return {"edition": edition, "address": address}


def on(item, day):
    return chains_of([item.pk])[item.pk].characteristics_on(date.fromisoformat(day))


def in_the_install_base(world, item, day):
    rows = installed.items_for_list(on=date.fromisoformat(day), machine_now=world.now)
    return characteristics_of(rows.get(pk=item.pk))


def test_a_planned_move_leaves_what_an_upgrade_before_it_says(world, item):
    told(world, item, Act.MOVE, on=date(2026, 3, 10), characteristics={"address": "B"})
    told(
        world,
        item,
        Act.TERMS,
        on=date(2026, 3, 1),
        product="line-50",
        characteristics={"edition": "pro", "label": "fast"},
    )
    for day, address in [("2026-02-28", "A"), ("2026-03-01", "A"), ("2026-03-10", "B")]:
        wanted = said("basic", "A") if day < "2026-03-01" else said("pro", address)
        wanted |= {} if day < "2026-03-01" else {"label": "fast"}
        assert on(item, day) == wanted
        assert in_the_install_base(world, item, day) == wanted
    assert rebuild_versions(at=world.now, write=False).differences == ()


def test_who_may_use_it_sees_the_same(world, item):
    told(world, item, Act.MOVE, on=date(2026, 3, 10), characteristics={"address": "B"})
    told(
        world,
        item,
        Act.TERMS,
        on=date(2026, 3, 1),
        product="line-50",
        characteristics={"edition": "pro"},
    )
    whose = Whose("account", world.account.reference)
    told_of = [
        entitlements(whose=whose, machine_now=world.now, on=date(2026, 3, day)).usable[0]
        for day in (1, 10)
    ]
    assert [each.characteristics for each in told_of] == [said("pro", "A"), said("pro", "B")]


def test_what_an_upgrade_takes_away_does_not_come_back_with_a_move(world, item):
    plain = a_product(code="plain", charges=[monthly("9.00")])
    told(world, item, Act.MOVE, on=date(2026, 3, 10), characteristics={"address": "B"})
    told(world, item, Act.TERMS, on=date(2026, 3, 1), product=plain.product.code)
    assert on(item, "2026-03-01") == {"address": "A"}
    assert on(item, "2026-03-10") == {"address": "B"}


def test_two_moves_stay_on_their_days_whatever_came_first(world, item):
    told(world, item, Act.MOVE, on=date(2026, 5, 1), characteristics={"address": "C"})
    told(world, item, Act.MOVE, on=date(2026, 4, 1), characteristics={"address": "B"})
    assert [on(item, day)["address"] for day in ("2026-03-31", "2026-04-01", "2026-05-01")] == [
        *("A", "B", "C")
    ]


def test_a_move_that_is_taken_back_is_in_no_later_line(world, item):
    moved = told(world, item, Act.MOVE, on=date(2026, 3, 1), characteristics={"address": "B"})
    told(
        world,
        item,
        Act.TERMS,
        on=date(2026, 4, 1),
        product="line-50",
        characteristics={"edition": "pro"},
    )
    assert on(item, "2026-04-01") == said("pro", "B")
    key = ItemChange.objects.get(order_line=moved.lines[0]).revision
    told(world, item, Act.WITHDRAW, withdraws=key)
    assert on(item, "2026-04-01") == said("pro", "A")
    assert in_the_install_base(world, item, "2026-04-01") == said("pro", "A")
    assert rebuild_versions(at=world.now, write=False).differences == ()


def test_lines_that_did_not_keep_what_they_found_say_all_of_it():
    old = Said(2, date(2026, 3, 10), {"address": "B"}, None)
    assert described_on({"edition": "basic"}, [old], date(2026, 3, 9)) == {"edition": "basic"}
    assert described_on({"edition": "basic"}, [old], date(2026, 3, 10)) == {"address": "B"}
