"""Changes of what is in service: one order each, and a next bill that is equal to the preview."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.models import InvoiceLine
from o2b.asks import ask
from o2b.catalog.services import publish_product_version
from o2b.errors import Refused
from o2b.models import Event, Outbox
from orders.models import Order, OrderLine
from subscriptions.changes.asking import place_of
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Equipment, Item, ItemChange, ItemVersion, UsageSubject
from subscriptions.selectors import find_subscriptions
from subscriptions.timelines.turning import turn_due
from tests.factories import INSTALL, a_meter, a_product, monthly, reprice, setup_fee
from tests.orders.build import states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
D = Decimal


def its_life(world):
    """3 × 30.00 a month in advance since 1 January, billed for January and February."""
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line-30", charges=[monthly("30.00"), setup_fee("12.00")])])
    world.bill("2026-01-01")
    world.on("2026-02-01").bill("2026-02-01")
    world.on("2026-02-10")
    return Item.objects.get()


@pytest.fixture
def item(world):
    return world.given


def wish(item, act, **given):
    return Wish(item_id=item.pk, act=act, **given)


def changed(world, *wishes, **given):
    found = change_services(
        account_id=world.account.pk, wishes=wishes, at=world.now, actor_id=None, **given
    )
    world.settle()
    return found


def previewed(world, *wishes):
    return preview_changes(
        account_id=world.account.pk,
        wishes=wishes,
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    )


def billed_now(world):
    """What the next run of today bills, as (from, to, amount)."""
    before = set(InvoiceLine.objects.values_list("pk", flat=True))
    run = world.bill(f"{world.today}")
    assert (run.state, world.parked()) == ("finalised", [])
    return _told(InvoiceLine.objects.exclude(pk__in=before).order_by("period_start", "amount"))


def _told(lines):
    return [(f"{li.served_from}", f"{li.served_to}", f"{li.amount:.2f}") for li in lines]


def foreseen(lines):
    ordered = sorted(lines, key=lambda li: (li.full_period.start, li.amount))
    return [(f"{li.period.start}", f"{li.period.end}", f"{li.amount:.2f}") for li in ordered]


def versions(item):
    """What is believed: (from, to, quantity, standing, billed)."""
    rows = ItemVersion.objects.filter(item=item, recorded__endswith=None).order_by("valid")
    return [
        (str(v.valid.lower), str(v.valid.upper), int(v.quantity), v.standing, v.billed)
        for v in rows
    ]


def test_more_from_today_bills_the_rest_of_the_month(world, item):
    asked = wish(item, Act.QUANTITY, quantity="4")
    (told,) = previewed(world, asked).services
    order = changed(world, asked).order
    assert (order.kind, order.channel) == ("change", "screen")
    line = OrderLine.objects.get(order=order)
    assert (line.state, line.action, line.change_on) == ("completed", "quantity", world.today)
    found = line.in_service or {}
    assert (found["revision"], found["item"]) == (1, item.number)
    assert versions(item) == [
        ("2026-01-01", "2026-02-10", 1, "in_use", True),
        ("2026-02-10", "None", 4, "in_use", True),
    ]
    # 9 days of one and 19 of four, of 28: 30 × (9 + 76) ÷ 28 = 91.07; 30.00 are billed.
    wanted = [("2026-02-10", "2026-03-01", "81.43"), ("2026-02-01", "2026-02-10", "-20.36")]
    assert sorted(foreseen(told.because)) == sorted(wanted)
    assert billed_now(world) == foreseen(told.because)
    assert told.because_total == D("61.07")


def test_an_upgrade_in_the_middle_of_the_month(world, item):
    faster = a_product(code="line-50", charges=[monthly("50.00"), setup_fee("7.00")])
    asked = wish(item, Act.TERMS, product="line-50")
    (told,) = previewed(world, asked).services
    changed(world, asked)
    item.refresh_from_db()
    assert (item.product_version, item.revision) == (faster, 2)
    lines = billed_now(world)
    assert lines == foreseen(told.because)
    # 19 of 28 days of the old one come back, as many of the new one are paid, and its set-up.
    assert sorted(amount for *_, amount in lines) == ["-20.36", "33.93", "7.00"]
    world.on("2026-03-01")
    assert billed_now(world) == [("2026-03-01", "2026-04-01", "50.00")]


def test_at_the_end_of_the_period_nothing_is_given_back(world, item):
    a_product(code="line-20", charges=[monthly("20.00")])
    asked = wish(item, Act.TERMS, product="line-20", when=When.PERIOD_END)
    (told,) = previewed(world, asked).services
    assert (told.on, told.because, told.next_on) == (date(2026, 3, 1), (), date(2026, 3, 1))
    changed(world, asked)
    assert billed_now(world) == []
    world.on("2026-03-01")
    assert billed_now(world) == foreseen(told.next_bill) == [("2026-03-01", "2026-04-01", "20.00")]


@pytest.mark.parametrize(
    ("billing", "amounts"),
    [("none", ["-20.36"]), ("full", []), ("fee", ["-20.36", "3.39"])],
)
def test_a_suspension_is_billed_as_told(world, item, billing, amounts):
    a_product(code="holding", charges=[monthly("5.00")])
    asked = wish(item, Act.SUSPEND, billing=billing, fee_product="holding")
    (told,) = previewed(world, asked).services
    changed(world, asked)
    item.refresh_from_db()
    assert item.state == "suspended"
    assert [amount for *_, amount in billed_now(world)] == amounts
    assert [amount for *_, amount in foreseen(told.because)] == amounts


def test_resumed_it_is_billed_from_that_day(world, item):
    changed(world, wish(item, Act.SUSPEND, billing="none", on=date(2026, 3, 1), when=When.ON))
    item.refresh_from_db()
    assert (item.state, item.next_turn_on) == ("active", date(2026, 3, 1))
    world.on("2026-03-12")
    assert billed_now(world) == []
    changed(world, wish(item, Act.RESUME))
    # 20 of 31 days.
    assert billed_now(world) == [("2026-03-12", "2026-04-01", "19.35")]
    item.refresh_from_db()
    assert item.state == "active"


def test_a_backdated_end_gives_back_what_was_paid(world, item):
    asked = wish(item, Act.END, when=When.ON, on=date(2026, 1, 20))
    (told,) = previewed(world, asked).services
    assert told.because_total == D("-41.61")
    order = changed(world, asked).order
    assert order.kind == "cancel"
    item.refresh_from_db()
    assert (item.state, item.ended_on) == ("ended", date(2026, 1, 20))
    assert item.subscription.state == "ended"
    assert billed_now(world) == foreseen(told.because)
    ended = Event.objects.get(name="item.ended", subject_id=item.pk)
    assert ended.facts["order_line"] == item.order_line_id
    world.on("2026-05-01")
    assert billed_now(world) == []


def test_a_transfer_is_paid_by_each_for_their_own_days(world, item):
    other = world.an_account(bill_day=15)
    asked = wish(item, Act.TRANSFER, to_account_id=other.pk, when=When.ON, on=date(2026, 2, 20))
    changed(world, asked)
    world.on("2026-02-20")
    turn_due(machine_now=world.now)
    item.refresh_from_db()
    next_item = Item.objects.exclude(pk=item.pk).get()
    assert (item.state, next_item.state, next_item.account) == ("ended", "active", other)
    assert (next_item.root, next_item.anchor_day) == (item, item.anchor_day)
    assert next_item.subscription.order.kind == "transfer"
    assert not Event.objects.filter(name="item.ended").exists()
    # The set-up fee is not owed again; 9 of 28 days move from one account to the other.
    assert billed_now(world) == [
        ("2026-02-01", "2026-02-20", "-9.64"),
        ("2026-02-20", "2026-03-01", "9.64"),
    ]
    # A change that was forgotten reaches both.
    changed(world, wish(item, Act.QUANTITY, quantity="2", when=When.ON, on=date(2026, 2, 10)))
    assert [v[:3] for v in versions(item)] == [
        ("2026-01-01", "2026-02-10", 1),
        ("2026-02-10", "2026-02-20", 2),
    ]
    assert [v[:3] for v in versions(next_item)] == [("2026-02-20", "None", 2)]


def test_a_replacement_keeps_the_price(world, item):
    version = item.product_version
    newer = version.product.versions.create(number=2, characteristics=[])
    publish_product_version(version_id=newer.pk, at=datetime(2026, 2, 1, tzinfo=UTC))
    changed(world, wish(item, Act.REPLACE, version=2))
    item.refresh_from_db()
    assert item.product_version == newer
    believed = ItemVersion.objects.filter(item=item, recorded__endswith=None).order_by("valid")
    assert len({v.terms_id for v in believed}) == 1
    assert billed_now(world) == []


def test_what_was_told_can_be_taken_back(world, item):
    changed(world, wish(item, Act.QUANTITY, quantity="4", when=When.ON, on=date(2026, 3, 10)))
    changed(world, wish(item, Act.WITHDRAW, withdraws=2))
    assert versions(item) == [("2026-01-01", "None", 1, "in_use", True)]
    item.refresh_from_db()
    assert item.revision == 3


def test_another_price_of_the_book(world, item):
    reprice(item.product_version, charges=[monthly("33.00")])
    asked = wish(item, Act.TERMS, when=When.ON, on=date(2026, 3, 1), kind=Order.Kind.PRICE_CHANGE)
    order = changed(world, asked).order
    assert order.kind == "price_change"
    world.on("2026-03-01")
    assert billed_now(world) == [("2026-03-01", "2026-04-01", "33.00")]


# what is delivered first


def ordered_delivery(world, item, **given):
    asked = wish(item, Act.TERMS, product="line-50", deliver=True, **given)
    return changed(world, asked).order


def test_a_delivered_upgrade_holds_from_its_delivery(world, item):
    a_product(code="line-50", charges=[monthly("50.00")], tasks=INSTALL)
    order = ordered_delivery(world, item)
    assert (order.kind, [line.action for line in order.lines.all()]) == ("change", ["terms"])
    assert versions(item) == [("2026-01-01", "None", 1, "in_use", True)]
    assert billed_now(world) == []
    world.on("2026-02-15")
    world.deliver_by_hand()
    assert states(order) == (["completed"], ["done", "done", "done"])
    item.refresh_from_db()
    assert (item.product_version.product.code, item.revision) == ("line-50", 2)
    # 14 of 28 days.
    assert [amount for *_, amount in billed_now(world)] == ["-15.00", "25.00"]
    assert Item.objects.count() == 1


def test_what_a_change_installs_stands_there_too(world, item):
    """A device in another's place: its serial is found, and what it uses is the service's."""
    a_meter("calls")
    metered = monthly("0.01", key="calls", kind="usage", timing="arrears")
    a_product(code="line-50", charges=[monthly("50.00"), metered], tasks=INSTALL)
    ordered_delivery(world, item)
    world.on("2026-02-15").deliver_by_hand(serial="SN-SWAPPED")
    piece = Equipment.objects.get(item=item)
    assert (piece.serial, piece.installed_on) == ("SN-SWAPPED", date(2026, 2, 15))
    assert piece.product_version.product.code == "line-50"
    assert UsageSubject.objects.filter(value="SN-SWAPPED", service=item).exists()
    assert find_subscriptions(text="SN-SWAPPED") == [item.subscription]


def test_a_service_that_changed_meanwhile_is_left_to_people(world, item):
    a_product(code="line-50", charges=[monthly("50.00")], tasks=INSTALL)
    order = ordered_delivery(world, item)
    changed(world, wish(item, Act.QUANTITY, quantity="2"))
    world.deliver_by_hand()
    assert states(order) == (["fallout"], ["done", "done", "fallout"])
    item.refresh_from_db()
    assert (item.product_version.product.code, item.revision) == ("line-30", 2)


def test_another_price_brings_no_set_up_fee_again(world, item):
    reprice(item.product_version, charges=[monthly("33.00"), setup_fee("20.00")])
    changed(world, wish(item, Act.TERMS, when=When.ON, on=date(2026, 3, 1)))
    world.on("2026-03-01")
    assert billed_now(world) == [("2026-03-01", "2026-04-01", "33.00")]


# what is refused, and writes nothing


def written():
    kinds = (Order, OrderLine, ItemChange, ItemVersion, Event, Outbox, Item)
    return tuple(kind.objects.count() for kind in kinds)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"act": Act.QUANTITY, "quantity": "0"}, "quantity_invalid", "quantity"),
        ({"act": Act.QUANTITY, "quantity": "1"}, "nothing_changes", "quantity"),
        ({"act": Act.QUANTITY, "quantity": "x"}, "quantity_invalid", "quantity"),
        ({"act": Act.RESUME}, "not_suspended", "on"),
        ({"act": Act.SUSPEND, "billing": "half"}, "billing_invalid", "billing"),
        ({"act": Act.SUSPEND, "billing": "fee"}, "billing_invalid", "fee_product"),
        ({"act": Act.TERMS, "product": "nowhere"}, "product_unknown", "product"),
        ({"act": Act.TERMS, "product": "old"}, "product_not_sold", "product"),
        ({"act": Act.TERMS}, "nothing_changes", "product"),
        ({"act": Act.REPLACE, "version": 9}, "version_unknown", "version"),
        ({"act": Act.TRANSFER}, "account_unknown", "to_account"),
        ({"act": Act.WITHDRAW, "withdraws": 7}, "change_unknown", "withdraws"),
        ({"act": Act.END, "when": When.ON}, "day_invalid", "on"),
        ({"act": Act.END, "when": When.ON, "on": date(9999, 1, 1)}, "day_invalid", "on"),
        ({"act": Act.END, "when": When.ON, "on": date(2025, 12, 1)}, "before_start", "on"),
        ({"act": Act.QUANTITY, "quantity": "2", "revision": 9}, "changed_meanwhile", "revision"),
        ({"act": Act.MOVE}, "nothing_changes", "characteristics"),
        ({"act": Act.END, "deliver": True}, "not_delivered", "deliver"),
        ({"act": Act.END, "reason": "x" * 501}, "reason_invalid", "reason"),
    ],
)
def test_refused(world, item, given, code, field):
    old = a_product(code="old", charges=[monthly("1.00")])
    old.product.versions.update(state="retired")
    before = written()
    asked = Wish(item_id=item.pk, **given)
    for door in (changed,) if given.get("deliver") else (changed, previewed):
        with pytest.raises(Refused) as no:
            door(world, asked)
        assert (no.value.code, place_of(no.value)) == (code, field)
    assert written() == before


def test_the_service_of_another_is_refused(world, item):
    other = world.an_account()
    with pytest.raises(Refused) as no:
        change_services(
            account_id=other.pk, wishes=[wish(item, Act.END)], at=world.now, actor_id=None
        )
    assert (no.value.code, no.value.field) == ("item_unknown", "changes[0].item")


def test_who_gives_it_away_can_still_change_it(world, item):
    other = world.an_account()
    there = wish(item, Act.TRANSFER, to_account_id=other.pk, when=When.ON, on=date(2026, 3, 1))
    changed(world, there)
    a_product(code="line-50", charges=[monthly("50.00")])
    order = changed(world, wish(item, Act.TERMS, product="line-50")).order
    assert order.account == world.account
    assert [v[:2] for v in versions(item)] == [
        ("2026-01-01", "2026-02-10"),
        ("2026-02-10", "2026-03-01"),
    ]


def test_a_transfer_is_an_order_of_its_own(world, item):
    other = world.an_account()
    before = written()
    both = [wish(item, Act.TRANSFER, to_account_id=other.pk), wish(item, Act.QUANTITY, quantity=2)]
    with pytest.raises(Refused) as no:
        changed(world, *both)
    assert (no.value.code, no.value.field) == ("not_together", "changes[0].act")
    assert written() == before


def test_a_transfer_that_was_taken_back_is_not_made_again(world, item):
    other = world.an_account()
    there = wish(item, Act.TRANSFER, to_account_id=other.pk, when=When.ON, on=date(2026, 3, 1))
    changed(world, there)
    changed(world, wish(item, Act.WITHDRAW, withdraws=2))
    changed(world, wish(item, Act.QUANTITY, quantity="2"))
    before = written()
    with pytest.raises(Refused) as no:
        changed(world, there)
    assert (no.value.code, place_of(no.value)) == ("transfer_cycle", "to_account")
    assert written() == before
    assert [v[:3] for v in versions(item)] == [
        ("2026-01-01", "2026-02-10", 1),
        ("2026-02-10", "None", 2),
    ]


def test_a_move_names_what_the_product_knows(world, item):
    before = written()
    with pytest.raises(Refused) as no:
        changed(world, wish(item, Act.MOVE, characteristics={"nowhere": "x"}))
    assert (no.value.code, place_of(no.value)) == ("characteristic_invalid", "characteristics")
    assert written() == before


def test_another_currency_is_refused(world, item):
    other = world.an_account(currency="USD")
    with pytest.raises(Refused) as no:
        changed(world, wish(item, Act.TRANSFER, to_account_id=other.pk))
    assert no.value.code == "other_currency"
