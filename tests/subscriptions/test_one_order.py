"""Several changes of one service in one order: each is checked against those before it."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import InvoiceLine
from o2b.asks import ask
from o2b.charging import from_canonical
from o2b.errors import Refused
from orders.models import OrderLine
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Act, Item, ItemChange
from subscriptions.timelines.rebuilding import rebuild_versions
from tests.factories import a_product, monthly
from tests.subscriptions.serving import a_line_in_service, billed_now, written

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def item(world):
    found = a_line_in_service(world)
    a_product(code="line-50", charges=[monthly("50.00")])
    return found


def wish(item, act, on="", **given):
    day = {"when": When.ON, "on": date.fromisoformat(on)} if on else {}
    return Wish(item.pk, act, **day, **given)


def previewed(world, *wishes):
    return preview_changes(
        account_id=world.account.pk,
        wishes=wishes,
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    )


def ordered(world, *wishes):
    found = change_services(account_id=world.account.pk, wishes=wishes, at=world.now, actor_id=None)
    world.settle()
    return found


def refused(world, *wishes):
    before = written()
    with pytest.raises(Refused) as shown:
        previewed(world, *wishes)
    with pytest.raises(Refused) as no:
        ordered(world, *wishes)
    assert written() == before
    assert (shown.value.code, shown.value.field) == (no.value.code, no.value.field)
    return no.value.code, no.value.field


def test_the_second_finds_what_the_first_leaves(world, item):
    ordered(
        world,
        wish(item, Act.QUANTITY, quantity=5),
        wish(item, Act.SUSPEND, billing="full"),
        wish(item, Act.MOVE, "2026-03-01", characteristics={"address": "B"}),
        wish(item, Act.TERMS, "2026-04-01", product="line-50"),
    )
    lines = list(OrderLine.objects.exclude(action="start").order_by("position"))
    assert [line.quantity for line in lines] == [5, 5, 5, 5]
    before = [line.in_service or {} for line in lines]
    assert [D(each["quantity"]) for each in before] == [1, 5, 5, 5]
    assert before[2]["in_use"] is False
    assert lines[3].characteristics == {"address": "B"}
    assert rebuild_versions(at=world.now, write=False).differences == ()


@pytest.mark.parametrize(
    ("wishes", "code", "field"),
    [
        (
            [(Act.END, "2026-03-01", {}), (Act.TERMS, "2026-03-10", {"product": "line-50"})],
            "after_end",
            "changes[1].on",
        ),
        (
            [(Act.TERMS, "2026-03-10", {"product": "line-50"}), (Act.END, "2026-03-01", {})],
            "after_end",
            "changes[1].on",
        ),
        (
            [(Act.QUANTITY, "", {"quantity": 5}), (Act.QUANTITY, "2026-03-01", {"quantity": 5})],
            "nothing_changes",
            "changes[1].quantity",
        ),
        (
            [
                (Act.SUSPEND, "", {"billing": "none"}),
                (Act.SUSPEND, "2026-03-01", {"billing": "full"}),
            ],
            "suspended_already",
            "changes[1].on",
        ),
        ([(Act.RESUME, "", {})], "not_suspended", "changes[0].on"),
        (
            [
                (Act.TERMS, "2026-03-10", {"product": "line-50"}),
                (Act.REPLACE, "2026-03-12", {"version": 2}),
            ],
            "version_unknown",
            "changes[1].version",
        ),
    ],
)
def test_what_cannot_follow_is_refused_by_its_place(world, item, wishes, code, field):
    asked = [wish(item, act, on, **given) for act, on, given in wishes]
    assert refused(world, *asked) == (code, field)


def test_taken_back_and_told_anew(world, item):
    ordered(world, wish(item, Act.QUANTITY, "2026-03-01", quantity=5))
    back = Wish(item.pk, Act.WITHDRAW, withdraws=2)
    anew = wish(item, Act.QUANTITY, "2026-03-01", quantity=4)
    assert refused(world, back, back) == ("change_unknown", "changes[1].withdraws")
    assert refused(world, anew, back) == ("two_changes_a_day", "changes[0].on")
    ordered(world, back, anew)
    assert [c.quantity for c in ItemChange.objects.order_by("pk")] == [5, None, 4]


def test_another_price_on_top_of_another_product(world, item):
    """Terms that are only drawn are compared, suspended, left and billed like frozen ones."""
    wishes = [
        wish(item, Act.TERMS, product="line-50"),
        wish(item, Act.QUANTITY, "2026-03-01", quantity=2),
        Wish(item.pk, Act.TERMS, when=When.PERIOD_END),
    ]
    assert refused(world, *wishes) == ("nothing_changes", "changes[2].product")
    (told,) = previewed(world, *wishes[:2]).services
    before = set(InvoiceLine.objects.values_list("pk", flat=True))
    ordered(world, *wishes[:2])
    assert sum(map(D, billed_now(world)), D(0)) == told.because_total
    assert InvoiceLine.objects.exclude(pk__in=before).exists()


def test_the_fee_for_leaving_is_that_of_what_is_had_then(world, item):
    term = Commit(item.pk, 12, starts_on=date(2026, 1, 1), leaving_fee="remaining")
    commit(account_id=item.account_id, wishes=[term], at=world.now, actor_id=None)
    wishes = [
        wish(item, Act.TERMS, "2026-03-01", product="line-50"),
        wish(item, Act.END, "2026-12-01"),
    ]
    (told,) = previewed(world, *wishes).services
    assert told.fee is not None
    assert told.fee.amount == 50
    ordered(world, *wishes)
    fee = Item.objects.latest("pk").order_line.terms
    assert from_canonical(fee.body).charges[0].unit_price == 50
