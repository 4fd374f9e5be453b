"""Changes by REST: look at what one would bring, order it, read what was told; as of any day."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.customers.services import close_account
from orders.models import Order
from subscriptions.models import Act, Item, ItemChange
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import a_product, monthly, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service, billed_now, told, total_of, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]


its_life = a_line_in_service


@pytest.fixture
def item(world: World) -> Item:
    return Item.objects.get()


@pytest.fixture
def rep(as_: As) -> Person:
    return as_("sales")


def of(item: Item, tail: str = "/changes") -> str:
    return f"/api/v1/subscriptions/{item.subscription_id}{tail}"


def ask(rep: Person, item: Item, act: str, **said: Any) -> Any:
    headers = said.pop("headers", {})
    return rep.post(of(item), {"item": item.pk, "act": act} | said, **headers)


def test_what_a_change_would_bring_and_that_it_does(world: World, rep: Person, item: Item) -> None:
    a_product(code="line-50", charges=[monthly("50.00"), setup_fee("7.00")])
    before = written()
    answer = ask(rep, item, "terms", product="line-50", dry_run=True)
    assert (answer.status_code, written()) == (200, before)
    preview = answer.json()
    assert [(line["amount"], line["from"], line["to"]) for line in preview["because"]] == [
        ("-20.36", "2026-02-01", "2026-02-10"),
        ("7.00", "2026-02-10", None),
        ("33.93", "2026-02-10", "2026-03-01"),
    ]
    assert (preview["on"], preview["revision"], preview["because_total"]) == (
        "2026-02-10",
        1,
        "20.57",
    )
    assert (preview["next_bill_on"], preview["next_bill_total"]) == ("2026-02-10", "20.57")
    assert (preview["before"]["monthly"], preview["after"]["monthly"]) == ("30.00", "50.00")
    assert len(preview["months"]) == 36
    assert preview["months"][1] == {
        "month": "2026-03-01",
        "before": "30",
        "after": "50",
        "difference": "20",
    }
    assert preview["warnings"] == []
    answer = ask(rep, item, "terms", product="line-50", revision=preview["revision"])
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    placed = Order.objects.get(pk=made["order"])
    assert answer["Location"] == made["url"] == f"/api/v1/orders/{placed.pk}"
    assert (placed.channel, placed.kind, placed.placed_by) == ("rest", "change", rep.person)
    (fact,) = made["changes"]
    assert (fact["act"], fact["revision"], fact["product"]) == ("terms", 2, "line-50")
    world.settle()
    amounts = billed_now(world)
    assert f"{total_of(amounts)}" == preview["because_total"]


@pytest.mark.parametrize(
    ("act", "said", "kind"),
    [
        ("quantity", {"quantity": "4"}, "change"),
        ("quantity", {"quantity": 4, "on": "2026-01-20"}, "change"),
        ("quantity", {"quantity": "4", "when": "period_end"}, "change"),
        ("suspend", {"billing": "full"}, "suspend"),
        ("move", {"characteristics": {"address": "Graben 21"}}, "move"),
        ("transfer", {"to_account": "A-2"}, "transfer"),
        ("end", {"on": "2026-02-20", "reason": "No more"}, "cancel"),
    ],
)
def test_every_act(
    world: World, rep: Person, item: Item, act: str, said: dict[str, Any], kind: str
) -> None:
    world.an_account(reference="A-2")
    preview = ask(rep, item, act, dry_run=True, **said).json()
    made = ask(rep, item, act, **said)
    assert made.status_code == 201, made.json()
    assert (made.json()["kind"], made.json()["changes"][0]["act"]) == (kind, act)
    world.settle()
    assert f"{total_of(billed_now(world)):.2f}" == preview["because_total"]


def test_the_facts_are_read_and_taken_back(world: World, rep: Person, item: Item) -> None:
    told(world, item, Act.QUANTITY, quantity="4", on=world.today.replace(month=3))
    (fact,) = rep.get(of(item)).json()["results"]
    assert (fact["text"], fact["is_withdrawn"]) == ("Quantity 1 → 4 from 10 Mar 2026", False)
    assert ask(rep, item, "withdraw", withdraws=fact["revision"]).status_code == 201
    facts = rep.get(of(item)).json()["results"]
    assert [(f["act"], f["is_withdrawn"], f["withdraws"]) for f in facts] == [
        ("withdraw", False, 2),
        ("quantity", True, None),
    ]


def test_a_transferred_service_has_one_history(world: World, rep: Person, item: Item) -> None:
    other = world.an_account(reference="A-2")
    told(world, item, Act.TRANSFER, to_account_id=other.pk)
    following = Item.objects.exclude(pk=item.pk).get()
    for each in (item, following):
        (fact,) = rep.get(of(each)).json()["results"]
        assert (fact["act"], fact["to_account"]) == ("transfer", "A-2")


def test_as_of_a_day_as_known_on_another(world: World, rep: Person, item: Item) -> None:
    told(world, item, Act.QUANTITY, quantity="4", on=world.today.replace(month=3))

    def seen(query: str) -> Any:
        found = rep.get(of(item, query)).json()
        (shown,) = found["items"]
        day = shown["on_the_day"]
        return found["as_of"], found["known_on"], day and day["quantity"], len(shown["versions"])

    assert seen("") == ("2026-02-10", None, "1", 3)
    assert seen("?as_of=2026-03-10") == ("2026-03-10", None, "4", 3)
    assert seen("?as_of=2025-12-31") == ("2025-12-31", None, None, 3)
    # All was recorded on the machine's today, so before that nothing was known.
    assert seen("?as_of=2026-03-10&known_on=2020-01-01") == ("2026-03-10", "2020-01-01", None, 0)
    assert seen("?known_on=2190-12-31") == ("2026-02-10", None, "1", 3)


@pytest.mark.parametrize("name", ["as_of", "known_on"])
@pytest.mark.parametrize("junk", ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "%00"])
def test_a_day_that_is_none_is_refused(rep: Person, item: Item, name: str, junk: str) -> None:
    answer = rep.get(of(item, f"?{name}={junk}"))
    assert_problem(answer, 400, "malformed", name)


@pytest.mark.parametrize("name", ["as-of", "asof", "known_on_", "account"])
def test_a_misspelt_day_answers_nothing(rep: Person, item: Item, name: str) -> None:
    answer = rep.get(of(item, f"?{name}=2026-03-10"))
    assert_problem(answer, 400, "malformed", name)
    answer = rep.get(of(item, "?as_of=2026-03-10&as_of=2026-03-11"))
    assert_problem(answer, 400, "malformed", "as_of")
    assert rep.get(of(item, "?as_of=2026-03-10&format=json")).json()["as_of"] == "2026-03-10"


@pytest.mark.parametrize(
    ("said", "status", "code", "field"),
    [
        ({"act": "quantity", "quantity": "0"}, 422, "quantity_invalid", "quantity"),
        ({"act": "quantity", "quantity": "1"}, 409, "nothing_changes", "quantity"),
        ({"act": "quantity", "quantity": "x"}, 400, "malformed", "quantity"),
        ({"act": "quantity", "quantity": [1]}, 400, "malformed", "quantity"),
        ({"act": "quantity", "quantity": 1e300}, 422, "quantity_invalid", "quantity"),
        ({"act": "quantity"}, 422, "quantity_invalid", "quantity"),
        ({"act": "quantity", "quantity": "2", "when": "on"}, 422, "day_invalid", "on"),
        ({"act": "quantity", "quantity": "2", "on": "0001-01-01"}, 422, "day_invalid", "on"),
        ({"act": "quantity", "quantity": "2", "on": "2025-12-31"}, 409, "before_start", "on"),
        ({"act": "quantity", "quantity": "2", "on": "2026-02-30"}, 400, "malformed", "on"),
        ({"act": "quantity", "quantity": "2", "on": 7}, 400, "malformed", "on"),
        ({"act": "quantity", "quantity": "2", "when": "then"}, 400, "malformed", "when"),
        ({"act": "quantity", "quantity": "2", "revision": 9}, 409, "changed_meanwhile", "revision"),
        ({"act": "quantity", "quantity": "2", "revision": 10**30}, 400, "malformed", "revision"),
        ({"act": "quantity", "quantity": "2", "price": "1.00"}, 400, "malformed", "price"),
        ({"act": "quantity", "quantity": "2", "reason": "a\0b"}, 400, "malformed", "reason"),
        ({"act": "quantity", "quantity": "2", "reason": "x" * 501}, 400, "malformed", "reason"),
        ({"act": "terms"}, 409, "nothing_changes", "product"),
        ({"act": "terms", "product": "nowhere"}, 422, "product_unknown", "product"),
        ({"act": "terms", "product": 7, "quantity": True}, 400, "malformed", "quantity"),
        ({"act": "replace", "version": 9}, 422, "version_unknown", "version"),
        ({"act": "replace"}, 422, "version_unknown", "version"),
        ({"act": "suspend"}, 422, "billing_invalid", "billing"),
        ({"act": "suspend", "billing": "fee"}, 422, "billing_invalid", "fee_product"),
        ({"act": "suspend", "billing": "half"}, 400, "malformed", "billing"),
        ({"act": "resume"}, 409, "not_suspended", "on"),
        ({"act": "move"}, 409, "nothing_changes", "characteristics"),
        ({"act": "move", "characteristics": []}, 400, "malformed", "characteristics"),
        ({"act": "transfer"}, 422, "account_unknown", "to_account"),
        ({"act": "transfer", "to_account": "nobody"}, 404, "not_found", "to_account"),
        ({"act": "transfer", "to_account": 10**18}, 404, "not_found", "to_account"),
        ({"act": "transfer", "to_account": {}}, 400, "malformed", "to_account"),
        ({"act": "withdraw", "withdraws": 7}, 422, "change_unknown", "withdraws"),
        ({"act": "withdraw"}, 422, "change_unknown", "withdraws"),
        ({"act": "end", "when": "term_end"}, 409, "no_term", "when"),
        ({"act": "start"}, 400, "malformed", "act"),
        ({"act": None}, 400, "malformed", "act"),
        ({}, 400, "malformed", "act"),
        ({"act": "end", "item": 10**18}, 422, "item_unknown", "item"),
        ({"act": "end", "item": "S-1"}, 400, "malformed", "item"),
        ({"act": "end", "dry_run": "perhaps"}, 400, "malformed", "dry_run"),
        # Who only looks is refused as who orders.
        ({"act": "end", "deliver": True}, 409, "not_delivered", "deliver"),
        ({"act": "suspend", "billing": "none", "deliver": True}, 409, "not_delivered", "deliver"),
        ({"act": "end", "waive_notice": True}, 409, "waiver_not_yours", "waive_notice"),
    ],
)
def test_refused_with_its_field(
    rep: Person, item: Item, said: dict[str, Any], status: int, code: str, field: str
) -> None:
    before = written()
    for dry in ({}, {"dry_run": True}):
        answer = rep.post(of(item), {"item": item.pk} | dry | said)
        assert_problem(answer, status, code, field)
    assert written() == before


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"act": "end", "when": "now", "on": "2026-12-31"}, "on"),
        ({"act": "end", "when": "period_end", "on": "2026-12-31"}, "on"),
        ({"act": "replace", "version": 2, "quantity": 5}, "quantity"),
        ({"act": "quantity", "quantity": "2", "product": "line-30"}, "product"),
        ({"act": "terms", "product": "line-30", "version": 2}, "version"),
        ({"act": "terms", "product": "line-30", "billing": "none"}, "billing"),
        ({"act": "suspend", "billing": "none", "fee_product": "line-30"}, "fee_product"),
        ({"act": "suspend", "billing": "full", "fee_product": "line-30"}, "fee_product"),
        ({"act": "resume", "billing": "full"}, "billing"),
        ({"act": "move", "characteristics": {"address": "x"}, "quantity": 2}, "quantity"),
        ({"act": "transfer", "to_account": "A-2", "quantity": "2"}, "quantity"),
        ({"act": "end", "to_account": "A-2"}, "to_account"),
        ({"act": "end", "quantity": "0"}, "quantity"),
        ({"act": "quantity", "quantity": "2", "waive_notice": True}, "waive_notice"),
        ({"act": "withdraw", "withdraws": 2, "on": "2026-03-01"}, "on"),
        ({"act": "withdraw", "withdraws": 2, "when": "period_end"}, "when"),
        ({"act": "quantity", "quantity": "2", "withdraws": 2}, "withdraws"),
    ],
)
def test_what_contradicts_the_act_is_refused(
    world: World, rep: Person, item: Item, said: dict[str, Any], field: str
) -> None:
    world.an_account(reference="A-2")
    before = written()
    for dry in ({}, {"dry_run": True}):
        answer = rep.post(of(item), {"item": item.pk} | dry | said)
        assert_problem(answer, 400, "malformed", field)
    assert written() == before


def test_what_says_nothing_may_be_sent(rep: Person, item: Item) -> None:
    nothing = {
        "product": "",
        "characteristics": {},
        "billing": "",
        "fee_product": "",
        "waive_notice": False,
        "deliver": False,
        "when": "on",
    }
    made = ask(rep, item, "quantity", quantity="2", on="2026-02-20", **nothing)
    assert made.status_code == 201, made.json()


@pytest.mark.parametrize("dry", [{}, {"dry_run": True}])
def test_a_closed_account_orders_nothing(
    world: World, rep: Person, item: Item, dry: dict[str, Any]
) -> None:
    other = world.an_account(reference="A-2")
    close_account(account_id=other.pk, at=world.now)
    answer = ask(rep, item, "transfer", to_account="A-2", **dry)
    assert_problem(answer, 409, "account_closed", "to_account")
    close_account(account_id=item.account_id, at=world.now)
    answer = ask(rep, item, "quantity", quantity="2", **dry)
    assert_problem(answer, 409, "account_closed", "act")
    assert not ItemChange.objects.exists()


@pytest.mark.parametrize("body", [[], "x", 7, None, {"changes": []}])
def test_what_is_no_change_is_refused(rep: Person, item: Item, body: Any) -> None:
    assert rep.post(of(item), body).status_code == 400
    assert not ItemChange.objects.exists()


def test_the_item_of_another_subscription_is_refused(world: World, rep: Person, item: Item) -> None:
    world.sell(products=[a_product()])
    other = Item.objects.exclude(pk=item.pk).get()
    answer = rep.post(of(item), {"item": other.pk, "act": "end"})
    assert_problem(answer, 422, "item_unknown", "item")
    assert not ItemChange.objects.exists()


def test_doors(as_: As, rep: Person, item: Item) -> None:
    end = {"item": item.pk, "act": "end"}
    assert as_("finance").post(of(item), end).status_code == 403
    assert as_("finance").post(of(item), end | {"dry_run": True}).status_code == 403
    assert as_("finance").get(of(item)).status_code == 200
    assert as_().get(of(item)).status_code == 403
    assert as_("order team").post(of(item), end | {"dry_run": True}).status_code == 200
    for pk in (10**15, 2**63, 10**18):
        assert rep.get(f"/api/v1/subscriptions/{pk}/changes").status_code == 404
        assert rep.post(f"/api/v1/subscriptions/{pk}/changes", end).status_code == 404
    assert not ItemChange.objects.exists()


def test_a_key_makes_it_happen_once(rep: Person, item: Item) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "upgrade-1"}
    first = ask(rep, item, "quantity", quantity="4", headers=key)
    again = ask(rep, item, "quantity", quantity="4", headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert ItemChange.objects.count() == 1
    assert_problem(
        ask(rep, item, "quantity", quantity="5", headers=key),
        422,
        "idempotency_key_reused",
        "Idempotency-Key",
    )


def test_what_describes_the_service_stays(world: World, rep: Person, item: Item) -> None:
    specs = [{"name": "edition", "type": "choice", "choices": ["basic", "pro"], "required": True}]
    for code in ("seat", "seat-plus"):
        a_product(code=code, charges=[monthly("9.00")], characteristics=specs)
    refused = ask(rep, item, "terms", product="seat")
    assert_problem(refused, 422, "characteristic_invalid", "characteristics.edition")
    made = ask(rep, item, "terms", product="seat", characteristics={"edition": "pro"})
    assert made.status_code == 201
    made = ask(rep, item, "terms", product="seat-plus", on="2026-02-20")
    assert made.status_code == 201, made.json()
    line = ItemChange.objects.latest("pk").order_line
    assert line.characteristics == {"edition": "pro"}


def test_reading_costs_the_same_whatever_there_is(world: World, rep: Person, item: Item) -> None:
    def cost(url: str) -> int:
        rep.get(url)
        with CaptureQueriesContext(connection) as captured:
            assert rep.get(url).status_code == 200
        return len(captured)

    told(world, item, Act.QUANTITY, quantity="2", on=world.today.replace(day=20))
    few = cost(of(item)), cost(of(item, ""))
    for n in range(3, 8):
        told(world, item, Act.QUANTITY, quantity=f"{n}", on=world.today.replace(month=3, day=n))
    assert (cost(of(item)), cost(of(item, ""))) == few
