"""Where the last day is billed it is billed once: to whoever has the service when it ends."""

from datetime import date

import pytest

from billing.models import InvoiceLine
from o2b.asks import ask
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item
from tests.factories import a_product, an_account, an_entity, monthly
from tests.subscriptions.serving import told

pytestmark = pytest.mark.django_db
ELEVENTH = date(2026, 1, 11)


@pytest.fixture
def item(world):
    """31.00 a month since 1 January, billed for January in advance; it is the last day of that.

    Other products cost the same; the seller bills the last day.
    """
    seller = an_entity(code="sued", conventions={"last_day_billed": True})
    world.account = an_account(test_clock=world.clock, legal_entity=seller)
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line", charges=[monthly("31.00")])])
    a_product(code="other", charges=[monthly("31.00")], name="Other")
    a_product(code="hold", charges=[monthly("31.00")], name="Hold")
    world.bill("2026-01-01")
    world.on("2026-01-31")
    return Item.objects.get()


def billed(world):
    """Whose days and amounts January comes to in all, credits taken off; no day twice."""
    run = world.bill(f"{world.today}")
    assert (run.state, world.parked()) == ("finalised", [])
    found = {}
    for line in InvoiceLine.objects.filter(period_start=date(2026, 1, 1)):
        key = (line.account_id, line.charge.terms_id)
        found[key] = found.get(key, 0) + line.amount
    return sorted(f"{amount:.2f}" for amount in found.values())


def foreseen(world, item, act, **given):
    asked = Wish(item.pk, act, **given | {"when": When.ON} if given.get("on") else given)
    found = preview_changes(
        account_id=item.account_id,
        wishes=[asked],
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    )
    return found.because_total


def change(world, item, act, **given):
    """Make it and bill it: the run bills what the preview said."""
    before = sum(line.amount for line in InvoiceLine.objects.all())
    because = foreseen(world, item, act, **given)
    told(world, item, act, **given)
    world.bill(f"{world.today}")
    assert sum(line.amount for line in InvoiceLine.objects.all()) - before == because


def test_another_product_begins_on_the_day_of_the_change(world, item):
    change(world, item, Act.TERMS, on=ELEVENTH, product="other")
    assert billed(world) == ["10.00", "21.00"]


def test_who_takes_it_over_pays_from_the_day_of_the_transfer(world, item):
    other = world.an_account(legal_entity=world.account.legal_entity)
    change(world, item, Act.TRANSFER, on=ELEVENTH, to_account_id=other.pk)
    assert billed(world) == ["10.00", "21.00"]


def test_a_holding_fee_takes_the_place_of_the_price(world, item):
    change(world, item, Act.SUSPEND, on=ELEVENTH, billing="fee", fee_product="hold")
    change(world, item, Act.RESUME, on=date(2026, 1, 21))
    # 21 days at the price, and ten at the fee.
    assert billed(world) == ["10.00", "21.00"]


def test_more_of_it_is_no_end(world, item):
    change(world, item, Act.QUANTITY, on=ELEVENTH, quantity=2)
    assert billed(world) == ["52.00"]


def test_its_end_and_a_pause_that_is_not_billed_are_billed_to_the_day(world, item):
    change(world, item, Act.SUSPEND, on=ELEVENTH, billing="none")
    assert billed(world) == ["11.00"]
    change(world, item, Act.RESUME, on=date(2026, 1, 21))
    change(world, item, Act.END, on=date(2026, 1, 25))
    # 1 to 11, and 21 to 25 January.
    assert billed(world) == ["16.00"]


def test_after_a_transfer_the_last_day_is_his_who_ends_it(world, item):
    other = world.an_account(legal_entity=world.account.legal_entity)
    told(world, item, Act.TRANSFER, on=ELEVENTH, to_account_id=other.pk)
    taken = Item.objects.get(account=other)
    change(world, taken, Act.END, on=date(2026, 1, 21))
    assert billed(world) == ["10.00", "11.00"]


def test_a_transfer_that_is_taken_back_gives_all_of_it_back(world, item):
    other = world.an_account(legal_entity=world.account.legal_entity)
    world.on("2026-01-05")
    change(world, item, Act.TRANSFER, on=ELEVENTH, to_account_id=other.pk)
    assert billed(world) == ["10.00"]
    change(world, item, Act.WITHDRAW, withdraws=2)
    world.on("2026-01-31")
    assert billed(world) == ["31.00"]
