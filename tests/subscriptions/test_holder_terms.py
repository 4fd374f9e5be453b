"""What holds from later on: prices that came before a replacement, ends that were taken back."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog.models import ProductVersion
from o2b.catalog.services import publish_product_version
from o2b.charging import from_canonical
from o2b.errors import Refused
from orders.models import Order, OrderLine
from subscriptions.changes.asking import place_of
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments import services
from subscriptions.commitments.services import (
    Commit,
    change_renewal,
    commit,
    renew_by_hand,
    renew_due,
)
from subscriptions.models import Act, Commitment, Item, ItemChange, ItemVersion, RenewalDue
from subscriptions.timelines.rebuilding import rebuild_versions
from tests.factories import INSTALL, a_product, monthly
from tests.scenarios.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
D = Decimal


def its_life(world: World) -> Item:
    """30.00 a month since 1 January 2026 for a year, then with an uplift of a tenth."""
    world.on("2026-01-01")
    version = a_product(code="line-30", charges=[monthly("30.00")])
    world.sell(products=[version])
    found = Item.objects.get()
    wish = Commit(
        item_id=found.pk,
        months=12,
        starts_on=date(2026, 1, 1),
        renewal="uplift",
        uplift_percent=10,
    )
    commit(account_id=found.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()
    return found


def told(world: World, item: Item, act: Act, on: str = "", **given: Any) -> Any:
    if on:
        given |= {"when": When.ON, "on": date.fromisoformat(on)}
    wish = Wish(item_id=item.pk, act=act, **given)
    found = change_services(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.settle()
    return found


def refused(world: World, item: Item, act: Act, on: str = "", **given: Any) -> tuple[str, str]:
    before = written()
    with pytest.raises(Refused) as no:
        told(world, item, act, on, **given)
    assert written() == before
    return no.value.code, place_of(no.value)


def written() -> tuple[int, ...]:
    kinds = (Order, OrderLine, ItemChange, ItemVersion, Commitment)
    return tuple(kind.objects.count() for kind in kinds)


def newer(version: ProductVersion, number: int = 2) -> ProductVersion:
    found = version.product.versions.create(number=number, characteristics=[])
    publish_product_version(version_id=found.pk, at=datetime(2026, 1, 1, tzinfo=UTC))
    return found


def believed(item: Item) -> list[tuple[str, str, int, Decimal]]:
    """(from, product, version, price) as it is believed now."""
    rows = ItemVersion.objects.filter(item=item, recorded__endswith=None).order_by("valid")
    return [
        (
            str(row.valid.lower),
            row.product_version.product.code,
            row.product_version.number,
            from_canonical(row.terms.body).charges[0].unit_price,
        )
        for row in rows.select_related("terms", "product_version__product")
    ]


def renewed_by_hand(world: World, item: Item) -> None:
    asked = {"account_id": item.account_id, "item_ids": [item.pk], "actor_id": None}
    renew_by_hand(at=world.now, **asked)
    world.settle()


# another price does not move the version


def test_a_renewal_that_was_made_before_leaves_a_replacement(world: World, item: Item) -> None:
    world.on("2026-05-01")
    renewed_by_hand(world, item)
    newer(item.product_version)
    told(world, item, Act.REPLACE, "2026-06-01", version=2)
    assert believed(item) == [
        ("2026-01-01", "line-30", 1, D("30.00")),
        ("2026-06-01", "line-30", 2, D("30.00")),
        ("2027-01-01", "line-30", 2, D("33")),
    ]
    fact = ItemChange.objects.get(act="terms")
    assert fact.product_version is None
    assert rebuild_versions(at=world.now, write=False).differences == ()


def test_a_renewal_that_was_made_before_leaves_the_address(world: World, item: Item) -> None:
    world.on("2026-05-01")
    renewed_by_hand(world, item)
    moved = told(world, item, Act.MOVE, "2026-06-01", characteristics={"address": "Elm 1"})
    rows = ItemVersion.objects.filter(item=item, recorded__endswith=None).order_by("valid")
    line = moved.lines[0].pk
    assert [row.order_line_id for row in rows] == [item.order_line_id, line, line]


def test_another_product_is_not_put_under_a_renewal_of_the_old_one(
    world: World, item: Item
) -> None:
    a_product(code="line-50", charges=[monthly("50.00")])
    world.on("2026-05-01")
    renewed_by_hand(world, item)
    faster = {"product": "line-50"}
    found = refused(world, item, Act.TERMS, "2026-06-01", **faster)
    assert found == ("priced_from_another", "on")
    wish = Wish(item.pk, Act.TERMS, When.ON, date(2026, 6, 1), **faster)
    with pytest.raises(Refused) as no:
        preview_changes(
            account_id=item.account_id, wishes=[wish], at=world.now, billed=lambda items: {}
        )
    assert no.value.code == "priced_from_another"
    told(world, item, Act.WITHDRAW, withdraws=2)
    told(world, item, Act.TERMS, "2026-06-01", **faster)
    assert believed(item)[-1] == ("2026-06-01", "line-50", 1, D("50.00"))


def test_another_product_is_not_put_under_a_replacement_of_the_old_one(
    world: World, item: Item
) -> None:
    a_product(code="line-50", charges=[monthly("50.00")])
    newer(item.product_version)
    told(world, item, Act.REPLACE, "2026-06-01", version=2)
    found = refused(world, item, Act.TERMS, "2026-03-01", product="line-50")
    assert found == ("priced_from_another", "on")
    # Afterwards it may become anything, and what is planned to become another product stays.
    told(world, item, Act.TERMS, "2026-08-01", product="line-50")
    told(world, item, Act.WITHDRAW, withdraws=2)
    assert believed(item)[-1] == ("2026-08-01", "line-50", 1, D("50.00"))


def test_what_a_renewal_was_priced_from_is_not_taken_back(world: World, item: Item) -> None:
    a_product(code="line-50", charges=[monthly("50.00")])
    told(world, item, Act.TERMS, "2026-03-01", product="line-50")
    renewed_by_hand(world, item)
    assert believed(item)[-1] == ("2027-01-01", "line-50", 1, D("55"))
    found = refused(world, item, Act.WITHDRAW, withdraws=2)
    assert found == ("priced_from_another", "on")
    told(world, item, Act.WITHDRAW, withdraws=3)
    told(world, item, Act.WITHDRAW, withdraws=2)
    assert believed(item) == [("2026-01-01", "line-30", 1, D("30.00"))]


# an end that is taken back


def test_an_end_that_is_taken_back_leaves_the_day_of_the_renewal(world: World, item: Item) -> None:
    told(world, item, Act.END, "2027-03-17")
    world.on("2027-01-01")
    assert renew_due(machine_now=world.now) == 1
    assert str(RenewalDue.objects.get().due_on) == "2027-03-17"
    world.on("2027-01-15")
    told(world, item, Act.WITHDRAW, withdraws=2)
    assert str(RenewalDue.objects.get().due_on) == "2027-01-01"
    assert renew_due(machine_now=world.now) == 1
    assert str(Commitment.objects.latest("number").starts_on) == "2027-01-01"
    assert believed(item)[-1] == ("2027-01-01", "line-30", 1, D("33"))


# what is delivered


def test_two_changes_of_one_service_are_not_delivered_together(world: World, item: Item) -> None:
    a_product(code="line-50", charges=[monthly("50.00")], tasks=INSTALL)
    wishes = [
        Wish(item.pk, Act.TERMS, product="line-50", deliver=True),
        Wish(item.pk, Act.QUANTITY, quantity="2", deliver=True),
    ]
    before = written()
    with pytest.raises(Refused) as no:
        change_services(account_id=item.account_id, wishes=wishes, at=world.now, actor_id=None)
    assert (no.value.code, no.value.field) == ("not_together", "changes[1].item")
    assert written() == before


def test_what_is_delivered_after_a_transfer_is_left_to_people(world: World, item: Item) -> None:
    a_product(code="line-50", charges=[monthly("50.00")], tasks=INSTALL)
    other = world.an_account()
    told(world, item, Act.TRANSFER, "2026-02-01", to_account_id=other.pk)
    order = told(world, item, Act.TERMS, product="line-50", deliver=True).order
    world.on("2026-02-02")
    world.deliver_by_hand()
    assert order.lines.get().state == "fallout"
    assert not ItemChange.objects.filter(act="terms").exists()


# smaller ones


def test_a_version_that_is_not_sold_any_more_replaces_nothing(world: World, item: Item) -> None:
    newer(item.product_version)
    item.product_version.product.versions.filter(number=2).update(state="retired")
    found = refused(world, item, Act.REPLACE, version=2)
    assert found == ("version_unknown", "version")


def test_of_what_ended_on_its_first_day_nothing_is_agreed(world: World, item: Item) -> None:
    told(world, item, Act.END, "2026-01-01")
    asked = {"account_id": item.account_id, "item_ids": [item.pk], "at": world.now}
    for verb, words in (
        (change_renewal, {"renewal": "same"}),
        (renew_by_hand, {}),
        (services.co_term, {"to": date(2028, 1, 1)}),
    ):
        before = written()
        with pytest.raises(Refused) as no:
            verb(actor_id=None, **asked, **words)
        assert (no.value.code, no.value.field) == ("no_period", "item")
        assert written() == before
