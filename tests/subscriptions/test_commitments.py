"""Commitments: agreed, made longer, left early for a fee that is billed to the cent."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from billing.models import InvoiceLine
from o2b.asks import ask
from o2b.errors import Refused
from o2b.models import Event, Outbox
from orders.models import Order, OrderLine
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.services import (
    Commit,
    change_renewal,
    co_term,
    commit,
    renew_by_hand,
)
from subscriptions.models import Act, Commitment, Item, ItemChange, ItemVersion, RenewalDue
from subscriptions.timelines.rebuilding import rebuild_versions
from tests.factories import a_product, a_user, monthly, setup_fee

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
D = Decimal


def its_life(world):
    """30.00 a month in advance since 1 January, billed for January and February; 10 February."""
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line-30", charges=[monthly("30.00"), setup_fee("12.00")])])
    world.bill("2026-01-01")
    world.on("2026-02-01").bill("2026-02-01")
    world.on("2026-02-10")
    return Item.objects.get()


@pytest.fixture
def item(world):
    return world.given


def committed(world, item, **given):
    wish = Commit(**{"item_id": item.pk, "months": 12, "starts_on": date(2026, 1, 1)} | given)
    account = world.account.pk
    (found,) = commit(account_id=account, wishes=[wish], at=world.now, actor_id=None)
    world.settle()
    found.refresh_from_db()
    return found


def ended(world, item, **given):
    actor = given.pop("actor_id", None)
    wish = Wish(item_id=item.pk, act=Act.END, **given)
    found = change_services(
        account_id=world.account.pk, wishes=[wish], at=world.now, actor_id=actor
    )
    world.settle()
    return found


def previewed(world, item, **given):
    return preview_changes(
        account_id=world.account.pk,
        wishes=[Wish(item_id=item.pk, act=Act.END, **given)],
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    )


def billed_now(world):
    before = set(InvoiceLine.objects.values_list("pk", flat=True))
    run = world.bill(f"{world.today}")
    assert (run.state, world.parked()) == ("finalised", [])
    lines = InvoiceLine.objects.exclude(pk__in=before)
    return sorted(f"{line.amount:.2f}" for line in lines)


def amounts(lines):
    return sorted(f"{line.amount:.2f}" for line in lines)


def written():
    kinds = (Order, OrderLine, ItemChange, ItemVersion, Event, Outbox, Item, Commitment)
    return (*(kind.objects.count() for kind in kinds), *RenewalDue.objects.values_list())


# agreed


def test_a_commitment_is_a_line_of_a_change_order(world, item):
    found = committed(world, item, notice_days=90, renewal="uplift", uplift_percent="3.5")
    assert (found.number, str(found.starts_on), str(found.ends_on)) == (
        1,
        "2026-01-01",
        "2027-01-01",
    )
    assert (found.uplift_percent, found.months, found.anchor_day) == (D("3.5"), 12, 1)
    line = found.order_line
    assert (line.action, line.state, line.order.kind) == ("commit", "completed", "change")
    assert (str(line.change_on), line.in_service["item"]) == ("2026-01-01", item.number)
    due = RenewalDue.objects.get()
    # 30 days before notice must be given.
    assert (str(due.due_on), str(due.remind_on)) == ("2027-01-01", "2026-09-03")
    event = Event.objects.get(name="item.committed")
    assert (event.subject_id, event.facts["ends_on"]) == (item.pk, "2027-01-01")
    assert ItemChange.objects.count() == 0


def test_a_term_is_made_longer(world, item):
    committed(world, item)
    found = committed(world, item, months=24)
    assert (found.number, str(found.ends_on)) == (2, "2028-01-01")
    assert str(RenewalDue.objects.get().due_on) == "2028-01-01"


def test_from_month_to_month_has_no_renewal_any_more(world, item):
    committed(world, item, renewal="monthly")
    assert RenewalDue.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"months": 0}, "months_invalid", "months"),
        ({"months": -1}, "months_invalid", "months"),
        ({"months": 241}, "months_invalid", "months"),
        ({"months": "12"}, "months_invalid", "months"),
        ({"months": True}, "months_invalid", "months"),
        ({"renewal": "perhaps"}, "renewal_invalid", "renewal"),
        ({"renewal": None}, "renewal_invalid", "renewal"),
        ({"renewal": "uplift"}, "uplift_invalid", "uplift_percent"),
        ({"renewal": "uplift", "uplift_percent": "-1"}, "uplift_invalid", "uplift_percent"),
        ({"renewal": "uplift", "uplift_percent": "NaN"}, "uplift_invalid", "uplift_percent"),
        ({"renewal": "uplift", "uplift_percent": "1e9"}, "uplift_invalid", "uplift_percent"),
        ({"renewal": "uplift", "uplift_percent": "1.00001"}, "uplift_invalid", "uplift_percent"),
        ({"renewal": "same", "uplift_percent": "2"}, "uplift_invalid", "uplift_percent"),
        ({"notice_days": -1}, "notice_invalid", "notice_days"),
        ({"notice_days": 1.5}, "notice_invalid", "notice_days"),
        ({"leaving_fee": "everything"}, "leaving_fee_invalid", "leaving_fee"),
        ({"leaving_fee": "percent"}, "leaving_fee_invalid", "leaving_value"),
        (
            {"leaving_fee": "percent", "leaving_value": "101"},
            "leaving_fee_invalid",
            "leaving_value",
        ),
        ({"leaving_fee": "fixed", "leaving_value": "-5"}, "leaving_fee_invalid", "leaving_value"),
        ({"leaving_fee": "none", "leaving_value": "5"}, "leaving_fee_invalid", "leaving_value"),
        ({"starts_on": date(2025, 12, 31)}, "before_start", "starts_on"),
        ({"starts_on": date(1, 1, 1)}, "day_invalid", "starts_on"),
        ({"starts_on": date(9999, 1, 1)}, "day_invalid", "starts_on"),
        ({"item_id": 10**15}, "item_unknown", "item"),
    ],
)
def test_refused(world, item, given, code, field):
    before = written()
    with pytest.raises(Refused) as no:
        committed(world, item, **given)
    assert (no.value.code, no.value.field) == (code, field)
    assert written() == before


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"months": 11}, "ends_earlier", "months"),
        ({"months": 1, "starts_on": date(2026, 2, 10)}, "ends_earlier", "months"),
        ({"starts_on": date(2027, 1, 2)}, "commitment_gap", "starts_on"),
    ],
)
def test_a_running_term_is_neither_shortened_nor_left_alone(world, item, given, code, field):
    committed(world, item)
    before = written()
    with pytest.raises(Refused) as no:
        committed(world, item, **given)
    assert (no.value.code, no.value.field) == (code, field)
    assert written() == before


def test_a_suspended_or_ended_service_is_not_committed(world, item):
    suspend = Wish(item.pk, Act.SUSPEND, billing="none", when=When.ON, on=date(2026, 3, 1))
    change_services(account_id=world.account.pk, wishes=[suspend], at=world.now, actor_id=None)
    with pytest.raises(Refused) as no:
        committed(world, item, starts_on=date(2026, 3, 5))
    assert no.value.code == "suspended_then"
    ended(world, item, when=When.ON, on=date(2026, 6, 1))
    before = written()
    for given in ({}, {"starts_on": date(2026, 7, 1)}):
        with pytest.raises(Refused) as no:
            committed(world, item, **given)
        assert no.value.code == "after_end"
    assert written() == before


# what comes then


def test_not_renewing_wants_its_notice(world, item):
    committed(world, item, notice_days=90)
    asked = {"account_id": world.account.pk, "item_ids": [item.pk], "actor_id": None}
    world.on("2026-10-03")
    (found,) = change_renewal(renewal="end", at=world.now, **asked)
    assert (found.number, found.renewal, str(found.ends_on)) == (2, "end", "2027-01-01")
    change_renewal(renewal="uplift", uplift_percent=5, months=6, at=world.now, **asked)
    world.on("2026-10-04")
    before = written()
    with pytest.raises(Refused) as no:
        change_renewal(renewal="end", at=world.now, **asked)
    assert (no.value.code, no.value.field) == ("notice_too_short", "renewal")
    assert no.value.extra["first"] == "2027-01-02"
    with pytest.raises(Refused) as no:
        change_renewal(renewal="end", waive_notice=True, at=world.now, **asked)
    assert no.value.code == "waiver_not_yours"
    assert written() == before
    lead = a_user("order lead")
    change_renewal(renewal="end", waive_notice=True, at=world.now, **asked | {"actor_id": lead.pk})
    with pytest.raises(Refused) as no:
        change_renewal(
            renewal="end", waive_notice=True, at=world.now, **asked | {"actor_id": lead.pk}
        )
    assert no.value.code == "nothing_changes"


def test_without_a_term_there_is_nothing_to_say(world, item):
    before = written()
    asked = {"account_id": world.account.pk, "item_ids": [item.pk], "actor_id": None}
    with pytest.raises(Refused) as no:
        change_renewal(renewal="end", at=world.now, **asked)
    assert (no.value.code, no.value.field) == ("no_commitment", "item")
    with pytest.raises(Refused) as no:
        co_term(to=date(2027, 1, 1), at=world.now, **asked)
    assert no.value.code == "no_commitment"
    with pytest.raises(Refused) as no:
        ended(world, item, when=When.TERM_END)
    assert (no.value.code, no.value.field) == ("no_term", "changes[0].when")
    assert written() == before


# co-terming


def test_terms_end_together(world, item):
    world.sell(products=[a_product(code="second", charges=[monthly("7.00")])])
    other = Item.objects.exclude(pk=item.pk).get()
    committed(world, item)
    committed(world, other, starts_on=date(2026, 2, 10), months=6)
    asked = {"account_id": world.account.pk, "item_ids": [item.pk, other.pk], "actor_id": None}
    before = written()
    with pytest.raises(Refused) as no:
        co_term(to=date(2026, 12, 31), at=world.now, **asked)
    assert (no.value.code, no.value.field) == ("ends_earlier", "to")
    for to in (None, date(9999, 1, 1)):
        with pytest.raises(Refused) as no:
            co_term(to=to, at=world.now, **asked)
        assert (no.value.code, no.value.field) == ("day_invalid", "to")
    assert written() == before
    (found,) = co_term(to=date(2027, 1, 1), at=world.now, **asked)
    assert (found.item, str(found.ends_on), found.anchor_day) == (other, "2027-01-01", 1)
    both = co_term(to=date(2027, 3, 31), at=world.now, **asked)
    assert len({each.order_line.order_id for each in both}) == 1
    assert set(RenewalDue.objects.values_list("due_on", flat=True)) == {date(2027, 3, 31)}


# leaving


@pytest.mark.parametrize(
    ("kind", "value", "fee"),
    [
        # 19 of 28 days of February (20.36) and ten months.
        ("remaining", 0, "320.36"),
        ("percent", 50, "160.18"),
        ("percent", "33.3333", "106.79"),
        ("fixed", "99.50", "99.50"),
        ("none", 0, None),
    ],
)
def test_leaving_now_costs_what_was_agreed(world, item, kind, value, fee):
    committed(world, item, leaving_fee=kind, leaving_value=value)
    share = Fraction(30 * 19, 28)
    assert f"{float(share + 300):.2f}" == "320.36"
    (told,) = previewed(world, item).services
    order = ended(world, item).order
    assert order.kind == "cancel"
    lines = list(order.lines.order_by("position"))
    assert [line.action for line in lines] == (["end", "start"] if fee else ["end"])
    wanted = sorted(["-20.36", fee] if fee else ["-20.36"])
    assert billed_now(world) == amounts(told.because) == wanted
    assert rebuild_versions(at=world.now, write=False).differences == ()
    if fee:
        owed = Item.objects.get(order_line=lines[1])
        assert (owed.account, owed.state) == (world.account, "suspended")
        assert owed.product_version == item.product_version
    world.live("2026-02-11")
    assert set(Item.objects.values_list("state", flat=True)) == {"ended"}
    world.on("2026-05-01")
    assert billed_now(world) == []


def test_leaving_later_is_billed_on_that_day(world, item):
    committed(world, item, leaving_fee="remaining")
    asked = {"when": When.ON, "on": date(2026, 11, 16)}
    (told,) = previewed(world, item, **asked).services
    # Half of November and all of December.
    months = {str(month.start): f"{month.difference:.2f}" for month in told.months}
    assert (months["2026-11-01"], months["2026-12-01"]) == ("30.00", "-30.00")
    ended(world, item, **asked)
    fee = Item.objects.get(order_line__action="start", order_line__order__kind="cancel")
    assert (fee.state, str(fee.started_on)) == ("pending", "2026-11-16")
    for day in ("2026-03-01", "2026-04-01"):
        assert billed_now(world.on(day)) == ["30.00"]
    world.on("2026-11-12").live("2026-11-15")
    run = billed_now(world)
    assert "45.00" not in run
    world.live("2026-11-16")
    assert billed_now(world) == ["45.00"]
    world.live("2026-11-18")
    fee.refresh_from_db()
    assert fee.state == "ended"


def test_at_the_end_of_the_term_nothing_is_owed(world, item):
    committed(world, item, leaving_fee="remaining")
    (told,) = previewed(world, item, when=When.TERM_END).services
    assert (str(told.on), told.because) == ("2027-01-01", ())
    order = ended(world, item, when=When.TERM_END).order
    assert [(li.action, str(li.change_on)) for li in order.lines.all()] == [("end", "2027-01-01")]


def test_an_end_that_is_taken_back_takes_its_fee_back(world, item):
    committed(world, item, leaving_fee="fixed", leaving_value="99.50")
    ended(world, item, when=When.ON, on=date(2026, 5, 1))
    back = Wish(item.pk, Act.WITHDRAW, withdraws=2)
    change_services(account_id=world.account.pk, wishes=[back], at=world.now, actor_id=None)
    world.settle()
    world.on("2026-04-28").live("2026-05-02")
    assert billed_now(world) == ["30.00"] * 3
    assert rebuild_versions(at=world.now, write=False).differences == ()


def test_an_end_that_is_taken_back_after_a_transfer_takes_its_fee_back(world, item):
    committed(world, item, leaving_fee="fixed", leaving_value="99.50")
    ended(world, item, when=When.ON, on=date(2026, 9, 1))
    other = world.an_account()
    there = Wish(item.pk, Act.TRANSFER, When.ON, date(2026, 6, 1), to_account_id=other.pk)
    change_services(account_id=item.account_id, wishes=[there], at=world.now, actor_id=None)
    taken = Item.objects.get(account=other)
    back = Wish(taken.pk, Act.WITHDRAW, withdraws=2)
    change_services(account_id=other.pk, wishes=[back], at=world.now, actor_id=None)
    world.settle()
    world.on("2026-05-31").live("2026-06-02")
    world.on("2026-08-30").live("2026-09-02")
    assert billed_now(world) == ["30.00"] * 7
    assert rebuild_versions(at=world.now, write=False).differences == ()


# leaving when the next term is agreed already


def renewed_by_hand(world, item):
    account = world.account.pk
    asked = {"account_id": account, "item_ids": [item.pk], "at": world.now, "actor_id": None}
    (found,) = renew_by_hand(**asked)
    world.settle()
    return found


@pytest.mark.parametrize(
    ("kind", "value", "fee"),
    [("remaining", 0, "320.36"), ("percent", 50, "160.18"), ("fixed", "99.50", "99.50")],
)
def test_renewing_from_month_to_month_takes_no_fee_off_the_running_term(
    world, item, kind, value, fee
):
    committed(world, item, renewal="monthly", leaving_fee=kind, leaving_value=value)
    (before,) = previewed(world, item).services
    assert renewed_by_hand(world, item).ends_on is None
    (told,) = previewed(world, item).services
    assert amounts(told.because) == amounts(before.because) == ["-20.36", fee]
    ended(world, item)
    assert billed_now(world) == ["-20.36", fee]


def test_the_running_term_ends_though_the_next_one_has_no_end(world, item):
    committed(world, item, renewal="monthly", leaving_fee="remaining")
    renewed_by_hand(world, item)
    order = ended(world, item, when=When.TERM_END).order
    assert [(li.action, str(li.change_on)) for li in order.lines.all()] == [("end", "2027-01-01")]


@pytest.mark.parametrize(
    ("kind", "value", "fee"),
    # What is left of 2026, and the twelve months of 2027; an amount is owed once.
    [("remaining", 0, "680.36"), ("percent", 50, "340.18"), ("fixed", "99.50", "99.50")],
)
def test_a_next_term_with_an_end_is_owed_too(world, item, kind, value, fee):
    committed(world, item, leaving_fee=kind, leaving_value=value)
    assert str(renewed_by_hand(world, item).ends_on) == "2028-01-01"
    (told,) = previewed(world, item).services
    assert amounts(told.because) == ["-20.36", fee]
    (late,) = previewed(world, item, when=When.TERM_END).services
    assert (str(late.on), late.because) == ("2028-01-01", ())


def test_the_words_of_the_next_term_free_nobody_from_the_running_one(world, item):
    committed(world, item, leaving_fee="remaining", notice_days=30)
    committed(world, item, starts_on=date(2027, 1, 1))
    before = written()
    with pytest.raises(Refused) as no:
        ended(world, item)
    assert (no.value.code, no.value.extra["first"]) == ("notice_too_short", "2026-03-12")
    assert written() == before
    (told,) = previewed(world, item, waive_notice=True).services
    assert amounts(told.because) == ["-20.36", "320.36"]
    # Within the next term only what was agreed for that is asked.
    (late,) = previewed(world, item, when=When.ON, on=date(2027, 1, 1)).services
    assert late.because == ()


def test_a_next_term_that_begins_earlier_cuts_the_running_one(world, item):
    committed(world, item, leaving_fee="remaining")
    half = {"leaving_fee": "percent", "leaving_value": 50}
    committed(world, item, starts_on=date(2026, 7, 1), **half)
    (told,) = previewed(world, item).services
    # 20.36 of February and four months in full, half of twelve.
    assert amounts(told.because) == ["-20.36", "320.36"]


def test_who_leaves_before_the_first_term_begins_owes_all_of_it(world, item):
    committed(world, item, starts_on=date(2026, 6, 1), leaving_fee="remaining", notice_days=5)
    with pytest.raises(Refused) as no:
        previewed(world, item)
    assert no.value.code == "notice_too_short"
    (told,) = previewed(world, item, when=When.ON, on=date(2026, 3, 1)).services
    assert f"{told.basis.fee.amount:.2f}" == "360.00"


def test_an_end_wants_its_notice(world, item):
    committed(world, item, notice_days=30)
    before = written()
    for asked in ({}, {"when": When.ON, "on": date(2026, 3, 11)}):
        with pytest.raises(Refused) as no:
            ended(world, item, **asked)
        assert (no.value.code, no.value.field) == ("notice_too_short", "changes[0].on")
        assert no.value.extra["first"] == "2026-03-12"
        with pytest.raises(Refused) as no:
            previewed(world, item, **asked)
        assert no.value.code == "notice_too_short"
    sales = a_user("sales")
    for actor in (None, sales.pk):
        with pytest.raises(Refused) as no:
            ended(world, item, waive_notice=True, actor_id=actor)
        assert (no.value.code, no.value.field) == ("waiver_not_yours", "waive_notice")
    assert written() == before
    ended(world, item, waive_notice=True, actor_id=a_user("order lead").pk)
    item.refresh_from_db()
    assert item.state == "ended"


def test_the_first_day_after_the_notice_is_possible(world, item):
    committed(world, item, notice_days=30)
    ended(world, item, when=When.ON, on=world.today + timedelta(days=30))
    item.refresh_from_db()
    assert str(item.ended_on) == "2026-03-12"
