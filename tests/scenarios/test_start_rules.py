"""When a service begins to cost: on delivery, on an agreed day, never before it is there."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from celery import current_app

from billing.models import InvoiceLine, ParkedAccount
from billing.runs.selectors.begun import promised_begun
from billing.runs.selectors.delivered import parts_of
from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.events import postpone
from o2b.models import Outbox
from orders.acceptance.services import place_order
from orders.fulfilment.services import cancel_line
from orders.models import Order
from quotes.inputs import LineInput
from quotes.services import draft_quote, send_quote
from subscriptions import parts
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item
from subscriptions.timelines.rebuilding import rebuild_versions
from subscriptions.timelines.turning import turn_due
from tests.billing.again import assert_re_executed
from tests.billing.worlds import by_hand as by_hand_of_root
from tests.factories import a_product, monthly, reprice, setup_fee
from tests.orders.build import by_hand
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, taken

pytestmark = pytest.mark.django_db

JANUARY_1 = date(2026, 1, 1)


def by_a_fitter(price: str = "31.00"):
    return a_product(charges=[monthly(price)], tasks=[by_hand()])


def test_nobody_pays_days_before_the_delivery(world: World) -> None:
    """Agreed for 1 January, delivered on the 21st: eleven days of January."""
    world.on("2025-12-20").sell(products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2026-01-02").bill()
    world.on("2026-01-21").deliver_by_hand()
    world.on("2026-02-01").bill()
    assert world.bills() == [
        ("2026-01-21", "2026-02-01", "11.00"),
        ("2026-02-01", "2026-03-01", "31.00"),
    ]
    assert world.parked() == []


def test_what_is_delivered_early_starts_on_the_agreed_day(world: World) -> None:
    world.on("2025-12-20").sell(products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2025-12-23").deliver_by_hand()
    world.on("2026-01-01").bill()
    assert world.bills() == [("2026-01-01", "2026-02-01", "31.00")]
    assert world.parked() == []


def test_what_was_there_before_it_was_ordered_starts_as_agreed(world: World) -> None:
    """A service that is taken over from another system."""
    world.on("2026-01-10").sell(products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2026-01-21").deliver_by_hand()
    world.bill()
    assert world.bills() == [("2026-01-01", "2026-02-01", "31.00")]
    assert world.parked() == []


@pytest.mark.parametrize(
    ("zone", "starts"),
    [("Pacific/Auckland", "2026-01-01"), ("UTC", "2026-01-21"), ("America/Lima", "2026-01-21")],
)
def test_the_day_of_the_order_is_that_of_the_account(world: World, zone: str, starts: str) -> None:
    """Noon of 1 January is the 2nd in Auckland: there the agreed day lies before the order."""
    account = world.an_account(time_zone=zone)
    world.on("2026-01-01").sell(account=account, products=[by_a_fitter()], start_on=JANUARY_1)
    world.on("2026-01-20" if zone == "Pacific/Auckland" else "2026-01-21").deliver_by_hand()
    world.on("2026-01-31").bill()
    (billed,) = world.bills()
    assert billed[0] == starts
    assert world.parked() == []


FEE = setup_fee("100.00", model="flat")


def in_two_steps(*charges: dict[str, Any]) -> ProductVersion:
    """Three quarters are there when it is dug, all when it is joined."""
    return a_product(
        charges=list(charges),
        tasks=[by_hand(key="dig", weight=3), by_hand(key="join", weight=1, after=["dig"])],
    )


def sold_in_parts(
    world: World,
    *charges: dict[str, Any],
    start_rule: str = "each_part",
    version: ProductVersion | None = None,
) -> Order:
    return ordered_in_parts(world, version or in_two_steps(*charges), start_rule=start_rule)


def ordered_in_parts(
    world: World, version: ProductVersion, *, start_rule: str = "each_part", quantity: str = "2"
) -> Order:
    account = world.account
    quote = draft_quote(
        account_id=account.pk,
        owner_id=account.advocate_id,
        valid_until=date(2026, 12, 31),
        lines=[LineInput(version.product.code, quantity, start_rule=start_rule)],
        at=world.now,
    )
    send_quote(quote_id=quote.pk, at=world.now)
    order = place_order(quote_id=quote.pk, by="Dr. P. Hall", at=world.now)
    world.settle()
    return order


def lived(world: World, runs: Sequence[str]) -> None:
    """Dug on 11 January, joined on the 21st; runs on these days and on 1 February."""
    days = {"2026-01-11": world.deliver_by_hand, "2026-01-21": world.deliver_by_hand}
    for day in sorted({*runs, *days, "2026-02-01"}):
        world.on(day)
        if day in days:
            days[day]()
        if day in runs or day == "2026-02-01":
            world.bill()
            assert world.parked() == []


@pytest.mark.parametrize(
    "runs",
    [
        (),
        ("2026-01-11",),
        ("2026-01-15",),
        ("2026-01-15", "2026-01-21", "2026-01-25"),
        ("2026-01-25",),
    ],
)
def test_each_part_costs_from_its_own_day_on(world: World, runs: tuple[str, ...]) -> None:
    """2 × 31.00 a month: ten days at three quarters, eleven at all; and what is owed once."""
    world.on("2026-01-02")
    order = sold_in_parts(world, monthly("31.00"), FEE)
    lived(world, runs)
    item = Item.objects.get()
    assert (item.started_on, item.anchor_on) == (date(2026, 1, 11), date(2026, 1, 11))
    assert order.lines.get().state == "completed"
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in InvoiceLine.objects.select_related("charge__terms_charge"):
        sums[line.charge.terms_charge.key, f"{line.period_start}"] += line.amount
    assert {place: f"{amount:.2f}" for place, amount in sums.items()} == {
        ("monthly", "2026-01-01"): "37.00",  # 62 × (10 × 0.75 + 11) / 31
        ("monthly", "2026-02-01"): "62.00",
        ("setup", "2026-01-11"): "100.00",
    }
    assert_re_executed()
    assert rebuild_versions(at=world.now, write=False).differences == ()


def test_until_the_last_part_only_what_is_there_is_paid(world: World) -> None:
    world.on("2026-01-02")
    sold_in_parts(world, monthly("31.00"), FEE)
    world.on("2026-01-11").deliver_by_hand()
    world.on("2026-02-01").bill()
    world.on("2026-03-01").bill()
    lines = InvoiceLine.objects.order_by("invoice_id", "period_start", "charge_id")
    assert [(f"{x.quantity.normalize():f}", f"{x.amount:.2f}") for x in lines] == [
        ("1.5", "31.50"),
        ("1.5", "75.00"),
        ("1.5", "46.50"),
        ("1.5", "46.50"),
    ]
    assert world.parked() == []
    version = Item.objects.get().versions.get(recorded__endswith__isnull=True)
    assert (version.quantity, version.delivered) == (2, Decimal("0.75"))


def test_a_part_that_was_never_shown_is_found_by_the_check(world: World) -> None:
    world.on("2026-01-02")
    order = sold_in_parts(world, monthly("31.00"))
    world.on("2026-01-11").deliver_by_hand()
    by_hand_of_root(
        "UPDATE orders_deliveredpart SET fraction = 0.5 WHERE line_id = %s", [order.lines.get().pk]
    )
    world.on("2026-02-01").bill()
    assert [account for account, _ in world.parked()] == [world.account.pk]
    assert world.bills() == []


def settled_but_for_parts() -> None:
    while row := Outbox.objects.exclude(task="subscriptions.take_parts").order_by("pk").first():
        current_app.tasks[row.task](key=row.key, outbox_id=row.pk)


SHIFTED = {"lies": -1, "is of a clock that was set back": 1}  # hours


def delivered_untold(world: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """A part comes; who should tell its service fails, or is never called."""
    monkeypatch.setattr(world, "settle", settled_but_for_parts)
    world.deliver_by_hand()
    (owed,) = Outbox.objects.filter(task="subscriptions.take_parts")
    if how == "fails":
        postpone(owed.pk, RuntimeError("no use"))
    if how in SHIFTED:
        moved = owed.recorded_at + timedelta(hours=SHIFTED[how])
        Outbox.objects.filter(pk=owed.pk).update(recorded_at=moved)


@pytest.mark.parametrize("how", ["fails", *SHIFTED])
def test_a_part_that_is_not_told_parks_its_account(
    world: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The service does not know of the second part; the reason names reaction and order."""
    world.on("2026-01-02")
    order = sold_in_parts(world, monthly("31.00"))
    world.on("2026-01-11").deliver_by_hand()
    with monkeypatch.context() as patch:
        delivered_untold(world.on("2026-01-21"), patch, how)
        world.on("2026-02-01").bill()
        parked = ParkedAccount.objects.get()
        assert parked.account_id == world.account.pk
        assert f"subscriptions.take_parts({order.pk}) has not run" in parked.reason
        assert world.bills() == []
    world.settle()
    run = world.bill()
    assert not run.shards.filter(parked__gt=0).exists()
    assert sum(Decimal(amount) for *_, amount in world.bills()) == Decimal("99.00")


def test_a_part_that_will_be_told_at_once_waits_for_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.on("2026-01-02")
    sold_in_parts(world, monthly("31.00"))
    world.on("2026-01-11").deliver_by_hand()
    with monkeypatch.context() as patch:
        delivered_untold(world.on("2026-01-21"), patch, "soon")
        world.on("2026-02-01").bill()
    assert [amount for *_, amount in world.bills()] == ["31.50", "46.50"]
    world.bill()
    assert world.parked() == []
    assert sum(Decimal(amount) for *_, amount in world.bills()) == Decimal("99.00")


def test_a_first_part_that_is_not_told_is_billed_once_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is in service, so nothing is billed; it is not lost."""
    world.on("2026-01-02")
    sold_in_parts(world, monthly("31.00"))
    with monkeypatch.context() as patch:
        delivered_untold(world.on("2026-01-11"), patch, "fails")
        world.on("2026-02-01").bill()
    assert world.bills() == []
    world.settle()
    world.bill()
    assert [amount for *_, amount in world.bills()] == ["31.50", "46.50"]


def test_parts_are_told_once(world: World) -> None:
    world.on("2026-01-02")
    order = sold_in_parts(world, monthly("31.00"))
    world.on("2026-01-11").deliver_by_hand()
    assert parts.take_parts_of(order_ids=[order.pk], at=world.now) == 0
    world.on("2026-01-21").deliver_by_hand()
    assert parts.take_parts_of(order_ids=[order.pk], at=world.now) == 0
    told = Item.objects.get().changes.values_list("act", "on", "delivered")
    assert list(told) == [
        ("part", date(2026, 1, 11), Decimal("0.75")),
        ("part", date(2026, 1, 21), Decimal(1)),
    ]


def test_other_rules_wait_for_the_last_part(world: World) -> None:
    world.on("2026-01-02")
    sold_in_parts(world, monthly("31.00"), start_rule="on_delivery")
    lived(world, ["2026-01-15"])
    assert [line[2] for line in world.bills()] == ["22.00", "62.00"]
    assert not Item.objects.get().changes.exists()


def test_what_is_cancelled_before_its_last_part_costs_what_is_there(world: World) -> None:
    world.on("2026-01-02")
    order = sold_in_parts(world, monthly("31.00"))
    world.on("2026-01-11").deliver_by_hand()
    cancel_line(line_id=order.lines.get().pk, at=world.now, reason="No more", user_id=None)
    world.settle()
    world.on("2026-03-01").bill()
    assert [line[2] for line in world.bills()] == ["31.50", "46.50", "46.50"]
    assert world.parked() == []


def test_more_is_ordered_while_a_part_is_outstanding(world: World) -> None:
    """An order of four instead of two speaks of all; so much of it is there as of the first."""
    world.on("2026-01-02")
    sold_in_parts(world, monthly("31.00"))
    world.on("2026-01-11").deliver_by_hand()
    item = Item.objects.get()
    wish = Wish(item_id=item.pk, act=Act.QUANTITY, when=When.ON, on=date(2026, 1, 16), quantity=4)
    world.on("2026-01-12")
    change_services(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    world.on("2026-01-21").deliver_by_hand()
    world.on("2026-02-01").bill()
    assert world.parked() == []
    january = sum(Decimal(amount) for first, _, amount in world.bills() if first < "2026-02-01")
    assert january == Decimal("66.50")  # 5 × 0.75 × 2 + 5 × 0.75 × 4 + 11 × 4


def half_delivered(world: World, price: dict[str, Any], dearer: dict[str, Any]) -> Item:
    """Two of 31.00, half there and billed on 1 January; 32.00 from the 16th on."""
    halves = [by_hand(key="dig", weight=1), by_hand(key="join", weight=1, after=["dig"])]
    version = a_product(charges=[price], tasks=halves)
    world.on("2025-12-20")
    ordered_in_parts(world, version)
    world.on("2026-01-01").deliver_by_hand()
    world.bill()
    reprice(version, charges=[dearer])
    item = Item.objects.get()
    told(world.on("2026-01-10"), item, Act.TERMS, on=date(2026, 1, 16))
    return item


def january(world: World) -> list[str]:
    assert world.parked() == []
    assert_re_executed()
    lines = InvoiceLine.objects.filter(period_start=JANUARY_1).order_by("pk")
    return [f"{line.served_from.day}: {line.amount:.2f}" for line in lines]


def whole(price: str, proration: str) -> dict[str, Any]:
    return monthly(price, proration=proration)


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("full", "full", ["1: 31.00", "21: 32.00"]),
        ("none", "full", ["1: 31.00", "21: 32.00"]),
        ("full", "none", ["1: 31.00"]),
        ("none", "none", ["1: 31.00"]),
        # By the day: eleven days of one of two, at 64.00 a month for both.
        ("full", "day", ["1: 31.00", "21: 11.35"]),
        ("none", "day", ["1: 31.00", "21: 11.35"]),
    ],
)
@pytest.mark.parametrize("early", [True, False])
def test_the_second_half_comes_under_another_price(
    world: World, before: str, after: str, wanted: list[str], early: bool
) -> None:
    """Paid whole was what was there: what comes later is paid as under one price."""
    half_delivered(world, whole("31.00", before), whole("32.00", after))
    if early:
        world.on("2026-01-17").bill()
    world.on("2026-01-21").deliver_by_hand()
    world.bill()
    world.on("2026-02-01").bill()
    assert january(world) == wanted
    assert world.bills()[-1] == ("2026-02-01", "2026-03-01", "64.00")


def test_all_was_there_before_the_other_price(world: World) -> None:
    half_delivered(world, whole("31.00", "full"), whole("32.00", "full"))
    world.on("2026-01-12").deliver_by_hand()
    world.bill()
    world.on("2026-02-01").bill()
    assert january(world) == ["1: 31.00", "12: 31.00"]


def test_more_units_of_which_half_is_there_cost_half_under_another_price(world: World) -> None:
    """Four instead of two from the 20th on: two more, half of them there."""
    item = half_delivered(world, whole("31.00", "full"), whole("32.00", "full"))
    told(world.on("2026-01-20"), item, Act.QUANTITY, on=date(2026, 1, 20), quantity=4)
    world.on("2026-01-25").bill()
    assert january(world) == ["1: 31.00", "20: 32.00"]
    world.on("2026-01-27").deliver_by_hand()
    world.bill()
    assert january(world) == ["1: 31.00", "20: 32.00", "27: 64.00"]


def paid(world: World) -> list[str]:
    return [each for each in january(world) if not each.endswith(" 0.00")]


def test_fewer_units_that_are_all_there_cost_no_more(world: World) -> None:
    """Half of four is there, then all of two: never more than two at once."""
    halves = [by_hand(key="dig", weight=1), by_hand(key="join", weight=1, after=["dig"])]
    version = a_product(charges=[whole("31.00", "full")], tasks=halves)
    world.on("2025-12-20")
    ordered_in_parts(world, version, quantity="4")
    world.on("2026-01-01").deliver_by_hand()
    world.bill()
    item = Item.objects.get()
    told(world.on("2026-01-10"), item, Act.QUANTITY, on=date(2026, 1, 10), quantity=2)
    world.on("2026-01-15").bill()
    world.on("2026-01-21").deliver_by_hand()
    world.bill()
    assert paid(world) == ["1: 62.00"]
    reprice(version, charges=[whole("32.00", "full")])
    told(world.on("2026-01-23"), item, Act.TERMS, on=date(2026, 1, 23))
    world.on("2026-01-24").bill()
    assert paid(world) == ["1: 62.00"]
    told(world.on("2026-01-25"), item, Act.QUANTITY, on=date(2026, 1, 25), quantity=3)
    world.on("2026-01-26").bill()
    assert paid(world) == ["1: 62.00", "25: 32.00"]


def test_the_second_half_comes_to_another_account(world: World) -> None:
    item = half_delivered(world, whole("31.00", "full"), whole("32.00", "full"))
    other = world.an_account()
    told(world, item, Act.TRANSFER, on=date(2026, 1, 18), to_account_id=other.pk)
    world.on("2026-01-19").bill()
    world.on("2026-01-21").deliver_by_hand()
    world.bill()
    assert january(world) == ["1: 31.00", "21: 32.00"]
    assert InvoiceLine.objects.get(served_from=date(2026, 1, 21)).account_id == other.pk


def test_the_check_knows_from_the_order_how_much_was_there_before(world: World) -> None:
    """Drafting believes the versions of the service, the check does not."""
    item = half_delivered(world, whole("31.00", "full"), whole("32.00", "full"))
    by_hand_of_root(
        "UPDATE subscriptions_itemversion SET delivered = 1"
        " WHERE lower(valid) = %s AND upper_inf(recorded)",
        [JANUARY_1],
    )
    parts, _ = parts_of([item.pk])
    promised = promised_begun([item.pk], parts)
    halves = {each.delivered for days in promised.values() for each in days}
    assert (len(promised), halves) == (2, {Decimal("0.5")})
    world.on("2026-01-17").bill()
    assert [account for account, _ in world.parked()] == [world.account.pk]


def half_there(world: World, *charges: dict[str, Any]) -> Item:
    """Two of what is dug and joined in halves; half is there on 1 January, and billed."""
    halves = [by_hand(key="dig", weight=1), by_hand(key="join", weight=1, after=["dig"])]
    world.on("2025-12-20")
    sold_in_parts(world, version=a_product(charges=list(charges), tasks=halves))
    world.on("2026-01-01").deliver_by_hand()
    world.bill()
    return Item.objects.get()


def changed_on(world: World, told_on: str, item: Item, act: Act, **of: Any) -> None:
    """By default on the next day."""
    world.on(told_on)
    day = date.fromisoformat(told_on) + timedelta(days=1)
    told(world, item, act, on=of.pop("on", day), **of)


def owed_once(account: Account) -> Decimal:
    lines = InvoiceLine.objects.filter(account_id=account.pk, charge__terms_charge__kind="one_time")
    return sum((line.amount for line in lines), Decimal(0))


@pytest.mark.parametrize("last_part_on", [None, "2026-02-10", "2026-02-25"])
def test_parts_count_when_another_product_is_passed_on(
    world: World, last_part_on: str | None
) -> None:
    """Its Terms know no parts: the order that began the service does."""
    item = half_there(world, monthly("31.00"))
    other = a_product(charges=[monthly("56.00")], tasks=[by_hand()])
    changed_on(world, "2026-01-31", item, Act.TERMS, product=other.product.code)
    world.on("2026-02-01").bill()
    world.on("2026-02-05")
    b = world.an_account()
    changed_on(world, "2026-02-14", item, Act.TRANSFER, to_account_id=b.pk)
    for day in sorted({"2026-02-15", "2026-03-01", last_part_on or "2026-03-01"}):
        world.on(day)
        if day == last_part_on:
            world.deliver_by_hand()
        world.bill()
        assert world.parked() == []
    days = {"2026-02-10": (5, 14), "2026-02-25": (0, 4), None: (0, 0)}[last_part_on]
    sums = {account.pk: Decimal(0) for account in (world.account, b)}
    for line in InvoiceLine.objects.filter(period_start=date(2026, 2, 1)):
        sums[line.account_id] += line.amount
    # 2.00 a day for one, and as much again from the last part on
    assert sums == {world.account.pk: 2 * (14 + days[0]), b.pk: 2 * (14 + days[1])}
    assert_re_executed()


def test_parts_count_for_the_fee_of_a_suspension_that_is_passed_on(world: World) -> None:
    item = half_there(world, monthly("31.00"))
    a_product(code="hold", charges=[monthly("3.10")])
    fee = {"billing": "fee", "fee_product": "hold"}
    changed_on(world, "2026-01-10", item, Act.SUSPEND, **fee)
    world.on("2026-01-11").bill()
    b = world.an_account()
    changed_on(world, "2026-01-20", item, Act.TRANSFER, to_account_id=b.pk)
    world.on("2026-01-21").bill()
    assert world.parked() == []
    lines = InvoiceLine.objects.filter(account_id=b.pk)
    assert [(line.quantity, line.amount) for line in lines] == [(1, Decimal("1.10"))]
    assert_re_executed()


def test_what_came_at_once_is_changed_and_passed_on(world: World) -> None:
    """No part is kept of what nobody worked for: it counts whole, under whatever Terms."""
    world.on("2026-01-01")
    sold_in_parts(world, version=a_product(charges=[monthly("31.00")]))
    world.bill()
    item = Item.objects.get()
    changed_on(world, "2026-01-10", item, Act.QUANTITY, quantity=4)
    world.on("2026-01-11").bill()
    assert world.parked() == []
    other = a_product(charges=[monthly("56.00")])
    changed_on(world, "2026-01-31", item, Act.TERMS, product=other.product.code)
    world.on("2026-02-01").bill()
    b = world.an_account()
    changed_on(world, "2026-02-14", item, Act.TRANSFER, to_account_id=b.pk)
    world.on("2026-03-01").bill()
    assert world.parked() == []
    sums = {a.pk: Decimal(0) for a in (world.account, b)}
    for line in InvoiceLine.objects.filter(period_start=date(2026, 2, 1)):
        sums[line.account_id] += line.amount
    assert sums == {world.account.pk: 112, b.pk: 112}


@pytest.mark.parametrize(
    ("last_on", "passed_on_again"),
    [("2026-01-25", True), ("2026-01-18", True), ("2026-01-25", False)],
)
def test_the_rest_of_a_price_is_owed_where_it_began(
    world: World, last_on: str, passed_on_again: bool
) -> None:
    """What the second account bought and passed on is all there by and by: it pays all of it."""
    item = half_there(world, monthly("31.00"), FEE)
    b, c = world.an_account(), world.an_account()
    changed_on(world, "2026-01-10", item, Act.TRANSFER, to_account_id=b.pk)
    other = a_product(
        charges=[monthly("40.00"), setup_fee("80.00", model="flat")], tasks=[by_hand()]
    )
    item = Item.objects.get(account=b)
    changed_on(world, "2026-01-15", item, Act.TERMS, product=other.product.code)
    world.on("2026-01-16").bill()
    assert (owed_once(world.account), owed_once(b)) == (50, 40)
    for day in ("2026-01-18", "2026-01-20", "2026-01-25", "2026-02-01"):
        world.on(day)
        if day == last_on:
            world.deliver_by_hand()
        if day == "2026-01-20" and passed_on_again:
            changed_on(world, day, item, Act.TRANSFER, to_account_id=c.pk)
        world.on("2026-01-21" if day == "2026-01-20" else day).bill()
        assert world.parked() == []
    assert [owed_once(each) for each in (world.account, b, c)] == [100, 80, 0]
    turn_due(machine_now=world.now)
    assert rebuild_versions(at=world.now, write=False).differences == ()
    assert_re_executed()


def test_what_a_later_part_shows_is_known_to_usage(world: World) -> None:
    """A device that came with the second part counts for its service at once."""
    a_meter()
    world.on("2025-12-20")
    sold_in_parts(world, monthly("31.00"), by_meter())
    world.on("2026-01-01").deliver_by_hand(serial="CPE-1")
    world.on("2026-01-21").deliver_by_hand(serial="CPE-2")
    world.on("2026-01-25")
    used = [an_event(serial, "5", "2026-01-24T12:00:00Z") for serial in ("CPE-1", "CPE-2")]
    answers = taken(*used, now=world.now.isoformat())
    assert [each.status for each in answers] == ["accepted", "accepted"]
