"""Standing orders refill wallets: once a crossing, at most so often, and told to the advocate."""

from decimal import Decimal
from typing import Any

import pytest

from billing import tasks
from billing.invoices.selectors import with_standing
from billing.models import Charge, Invoice, TopUp, TopUpOrder, Wallet
from billing.wallets.selectors.topups import wallets_to_look_at
from billing.wallets.services import topping_up
from billing.wallets.services.setting import set_wallet
from billing.wallets.services.topping_up import TopUpInvalid, set_top_up, stop_top_up, top_up
from o2b.asks import held_by
from o2b.catalog.models import ProductVersion
from o2b.fsm import law
from o2b.models import Event
from o2b.people.models import Notice
from orders.models import Order
from subscriptions.models import Act, Item
from tests.billing.pages import client_of
from tests.billing.wallets.build import agrees, credits, granted, left
from tests.billing.wallets.test_laws import at_once
from tests.factories import a_product, a_user, monthly, reprice
from tests.quotes.test_inputs_rules import amended
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken


def refilled(world: World, **given: Any) -> Wallet:
    """20 in the wallet, 12 of it used and not billed; below 10 another 50 are ordered."""
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    product = credits()
    granted(world, "20")
    taken(an_event(item, "12", "2026-02-09T12:00:00Z"), now=world.now.isoformat())
    wallet = Wallet.objects.get()
    fields: dict[str, Any] = {
        "wallet_id": wallet.pk,
        "below": "10",
        "product": product.product.code,
        "quantity": "100",
        "most_a_month": 2,
        "user_id": a_user("order team").pk,
        "at": world.now,
    }
    set_top_up(**fields | given)
    return wallet


def looked(world: World, wallet: Wallet) -> TopUpOrder | None:
    return top_up(wallet_id=wallet.pk, machine_now=world.now, already_of=held_by)


def states() -> list[str]:
    return list(TopUpOrder.objects.order_by("pk").values_list("state", flat=True))


def test_the_law_of_refills() -> None:
    assert law(TopUpOrder) == {
        ("open", "fill", "filled"),
        ("open", "cancel", "cancelled"),
        ("open", "fail", "failed"),
    }


@pytest.mark.django_db
def test_a_wallet_is_refilled_once_a_crossing(world: World) -> None:
    wallet = refilled(world)
    before = Order.objects.count()
    asked = looked(world, wallet)
    assert asked is not None
    assert (asked.state, asked.left) == ("open", Decimal("8.00"))
    assert asked.order is not None
    assert asked.order.lines.get().quantity == 100
    assert looked(world, wallet) is None
    assert Order.objects.count() == before + 1
    world.settle()
    note = Notice.objects.get(user=world.account.advocate, key=f"top_up:{asked.pk}")
    assert note.url == wallet.get_absolute_url()

    world.on("2026-03-01").bill()
    assert left(world.account) == "58.00"
    assert looked(world, wallet) is None
    assert states() == ["filled"]
    names = Event.objects.filter(name__startswith="wallet_top_up").order_by("pk")
    assert list(names.values_list("name", flat=True)) == [
        "wallet_top_up.set",
        "wallet_top_up.ordered",
        "wallet_top_up.filled",
    ]
    agrees(world.account)


@pytest.mark.django_db
def test_above_the_line_or_stopped_nothing_is_ordered(world: World) -> None:
    wallet = refilled(world, below="8")
    assert looked(world, wallet) is None
    set_again = {"below": "9", "quantity": "18", "most_a_month": 1}
    rule = TopUp.objects.get()
    set_top_up(
        wallet_id=wallet.pk,
        product=rule.product.code,
        user_id=rule.user_id,
        at=world.now,
        **set_again,
    )
    stop_top_up(wallet_id=wallet.pk, at=world.now, actor_id=None)
    assert wallets_to_look_at() == []
    assert looked(world, wallet) is None
    assert not TopUpOrder.objects.exists()


@pytest.mark.django_db
def test_a_refused_order_is_told_and_tried_again_the_next_day(world: World) -> None:
    nobody = a_user()
    wallet = refilled(world, user_id=nobody.pk)
    before = Order.objects.count()
    for _ in range(2):
        looked(world, wallet)
    assert states() == ["failed"]
    assert Order.objects.count() == before
    told = Notice.objects.get(user=world.account.advocate, topic="renewals")
    assert told.tone == "bad"
    assert "may not place orders" in told.text
    looked(world.on("2026-02-11"), wallet)
    assert states() == ["failed", "failed"]


@pytest.mark.django_db(transaction=True)
def test_two_that_look_at_once_order_once(world: World) -> None:
    wallet = refilled(world)
    before = Order.objects.count()
    answers = at_once(*[lambda: looked(world, wallet)] * 4)
    assert sorted(type(each).__name__ for each in answers) == ["NoneType"] * 3 + ["TopUpOrder"]
    assert Order.objects.count() == before + 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"below": "0"}, "below"),
        ({"below": "1.001"}, "below"),
        ({"below": "NaN"}, "below"),
        ({"quantity": "-1"}, "quantity"),
        ({"product": "nothing"}, "product"),
        ({"product": "plain"}, "product"),
        ({"product": "plan"}, "product"),
        ({"product": "abroad"}, "product"),
        ({"quantity": "19"}, "quantity"),
        ({"most_a_month": 0}, "most_a_month"),
        ({"most_a_month": 101}, "most_a_month"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    world: World, given: dict[str, Any], field: str
) -> None:
    a_product(code="plain")
    grant = {"units": "50"}
    a_product(code="plan", charges=[monthly("10.00") | {"details": {"grant": grant}}])
    abroad = {"key": "credits", "kind": "one_time", "model": "flat", "unit_price": Decimal(1)}
    a_product(code="abroad", currency="CHF", charges=[abroad | {"details": {"grant": grant}}])
    with pytest.raises(TopUpInvalid) as refused:
        refilled(world, **given)
    assert refused.value.field == field
    assert not TopUp.objects.exists()


@pytest.mark.django_db
def test_it_is_set_and_stopped_on_a_page(world: World) -> None:
    product = credits()
    granted(world, "5")
    wallet = Wallet.objects.get()
    client, url = client_of("finance"), f"{Wallet.objects.get().get_absolute_url()}refill/"
    body = {"below": "10", "product": "no", "quantity": "50", "most_a_month": "1"}
    answer = client.post(url, body)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["product"])
    client.post(url, body | {"product": product.product.code})
    assert TopUp.objects.get().active
    assert client.get(url).context["form"].initial["quantity"] == "50"
    assert (
        "is ordered, at most 1 times a month"
        in client.get(wallet.get_absolute_url()).content.decode()
    )
    client.post(f"{url}stop/")
    assert not TopUp.objects.get().active


@pytest.mark.django_db
def test_where_money_waits_for_its_payment_nothing_is_ordered_meanwhile(world: World) -> None:
    wallet = refilled(world)
    set_wallet(
        wallet_id=wallet.pk, covers="usage", usable="on_payment", at=world.now, actor_id=None
    )
    assert looked(world, wallet) is not None
    world.settle()
    world.on("2026-03-01").bill()
    assert left(world.account) == "58.00"
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        assert looked(world.on(day), wallet) is None
    assert states() == ["open"]
    bill = with_standing(Invoice.objects.all(), on=world.today).get()
    world.pay(bill, f"{bill.open_amount}")
    assert looked(world, wallet) is None
    assert states() == ["filled"]


@pytest.mark.django_db
def test_an_order_that_was_billed_and_brought_nothing_fails_and_is_told(world: World) -> None:
    wallet = refilled(world, most_a_month=1)
    asked = looked(world, wallet)
    assert asked is not None
    world.settle()
    item = Item.objects.get(order_line__order=asked.order_id)
    looked(world, wallet)
    assert states() == ["open"]
    told(world, item, Act.END, on=Charge.objects.get(item=item).started_on)
    world.settle()
    world.on("2026-02-28").bill()
    assert looked(world, wallet) is None
    assert states() == ["failed"]
    note = Notice.objects.get(user=world.account.advocate, key=f"top_up:{asked.pk}:failed")
    assert (note.tone, "brought no money" in note.text) == ("bad", True)
    # It counts as the one of this month.
    assert looked(world, wallet) is None


@pytest.mark.django_db
def test_what_it_may_not_order_by_now_is_not_ordered(world: World) -> None:
    """The price was changed after the standing order was set."""
    wallet = refilled(world)
    before = Order.objects.count()
    version = ProductVersion.objects.get(product=TopUp.objects.get().product)
    reprice(version, charges=[monthly("10.00")])
    looked(world, wallet)
    assert states() == ["failed"]
    assert "each order would add to it" in TopUpOrder.objects.get().error
    assert Order.objects.count() == before


@pytest.mark.django_db
def test_a_product_that_needs_what_the_account_has_is_ordered(world: World) -> None:
    wallet = refilled(world)
    rule = TopUp.objects.get()
    needed = Item.objects.get().product_version
    amended(ProductVersion.objects.get(product=rule.product), rules=[("requires", needed)])
    fields = {"below": "10", "quantity": "100", "most_a_month": 2, "user_id": rule.user_id}
    ways: dict[str, Any] = fields | {"wallet_id": wallet.pk, "at": world.now}
    with pytest.raises(TopUpInvalid):
        set_top_up(product=rule.product.code, **ways)
    set_top_up(product=rule.product.code, already=held_by(world.account.pk), **ways)
    asked = looked(world, wallet)
    assert asked is not None
    assert (asked.state, asked.error) == ("open", "")


@pytest.mark.django_db
def test_one_wallet_that_fails_keeps_no_other_from_its_refill(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = refilled(world)
    looks: list[int] = []

    def broken(*, wallet_id: int, **given: Any) -> TopUpOrder | None:
        looks.append(wallet_id)
        if wallet_id == 0:
            raise LookupError("its rates are gone")
        return top_up(wallet_id=wallet_id, **given)

    monkeypatch.setattr(tasks, "top_up", broken)
    monkeypatch.setattr(tasks, "wallets_to_look_at", lambda: [0, wallet.pk])
    assert tasks.top_up_wallets() == 1
    assert looks == [0, wallet.pk]


@pytest.mark.django_db
def test_what_nobody_foresaw_in_an_order_is_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = refilled(world)

    def broken(**_given: Any) -> Order:
        raise LookupError("no route")

    monkeypatch.setattr(topping_up, "enter_order", broken)
    looked(world, wallet)
    assert states() == ["failed"]
    assert TopUpOrder.objects.get().error == "LookupError: no route"
