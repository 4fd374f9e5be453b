"""A closed account: what it has goes on until it is ended, and nothing more comes to it."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from o2b.asks import ask
from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.catalog.services import publish_price_book_version
from o2b.customers.models import Contact
from o2b.customers.services import close_account
from o2b.errors import Refused
from o2b.people.models import Notice
from orders.models import Order
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.services import (
    Commit,
    change_renewal,
    commit,
    remind_due,
    renew_due,
    tell_price_moves,
)
from subscriptions.models import Act, Commitment, Item, ItemChange, PriceMove, RenewalDue
from tests.billing.pages import client_of
from tests.factories import LONG_AGO, a_product, monthly, reprice
from tests.subscriptions.serving import a_line_in_service, billed_now, told, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
D = Decimal
END_OF_MARCH = date(2026, 4, 1)


def its_life(world):
    return a_line_in_service(world)


@pytest.fixture
def item(world):
    return world.given


def closed(world, account=None):
    close_account(account_id=(account or world.account).pk, at=world.now)


def test_it_is_ended_and_billed_to_its_last_day(world, item):
    closed(world)
    told(world, item, Act.END, on=END_OF_MARCH)
    world.on("2026-04-01")
    assert billed_now(world) == ["30.00"]
    world.on("2026-05-01")
    assert billed_now(world) == []


def test_it_is_suspended_resumed_and_taken_back(world, item):
    told(world, item, Act.QUANTITY, quantity=3, on=date(2026, 5, 1))
    closed(world)
    told(world, item, Act.SUSPEND, billing="none", on=date(2026, 3, 1))
    told(world, item, Act.RESUME, on=date(2026, 4, 1))
    told(world, item, Act.WITHDRAW, withdraws=2)
    kinds = Order.objects.exclude(kind="new").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["change", "suspend", "resume", "change"]


def test_it_is_passed_on_to_an_open_account_only(world, item):
    shut, other = world.an_account(), world.an_account()
    closed(world, shut)
    closed(world)
    before = written()
    with pytest.raises(Refused) as no:
        told(world, item, Act.TRANSFER, to_account_id=shut.pk)
    assert (no.value.code, no.value.field) == ("account_closed", "changes[0].to_account")
    assert "open account" in no.value.message
    assert written() == before
    told(world, item, Act.TRANSFER, to_account_id=other.pk)
    assert Item.objects.get(account=other).root == item


@pytest.mark.parametrize(
    "given",
    [
        {"act": Act.QUANTITY, "quantity": 2},
        {"act": Act.TERMS, "product": "line-50"},
        {"act": Act.MOVE, "characteristics": {"address": "Elsewhere 1"}},
    ],
)
def test_it_gets_nothing_more(world, item, given):
    a_product(code="line-50", charges=[monthly("50.00")])
    closed(world)
    before = written()
    wishes = [Wish(item.pk, Act.END, when=When.ON, on=END_OF_MARCH), Wish(item.pk, **given)]
    for try_it in (
        lambda: change_services(
            account_id=world.account.pk, wishes=wishes, at=world.now, actor_id=None
        ),
        lambda: preview_changes(
            account_id=world.account.pk,
            wishes=wishes,
            at=world.now,
            billed=lambda items: ask("billed_so_far", items),
        ),
    ):
        with pytest.raises(Refused) as no:
            try_it()
        assert (no.value.code, no.value.field) == ("account_closed", "changes[1].act")
        assert "Transfer it" in no.value.message
    assert written() == before


def test_its_page_offers_what_can_be_done(world, item):
    closed(world)
    who = client_of("order team")
    for url in (
        reverse("subscriptions:change-choose", args=[item.pk]),
        reverse("subscriptions:detail", args=[item.subscription_id]),
    ):
        page = who.get(url).content.decode()
        for slug, offered in [("end", True), ("transfer", True), ("quantity", False)]:
            assert (f"/change/{slug}" in page) is offered, (url, slug)


# renewals


def agreed(world, item, **given):
    wish = Commit(**{"item_id": item.pk, "months": 12, "starts_on": date(2026, 1, 1)} | given)
    commit(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)


def renewed(world, day):
    world.on(day)
    while renew_due(machine_now=world.now):
        pass
    return Commitment.objects.latest("number")


@pytest.mark.parametrize(
    ("renewal", "percent"), [("same", 0), ("uplift", 10), ("current", 0), ("monthly", 0)]
)
def test_nobody_who_is_closed_is_bound_for_another_term(world, item, renewal, percent):
    agreed(world, item, renewal=renewal, uplift_percent=percent)
    closed(world)
    term = renewed(world, "2027-01-01")
    assert (term.number, term.renewal, term.ends_on) == (2, "monthly", None)
    assert term.uplift_percent == 0
    assert not RenewalDue.objects.exists()
    assert not ItemChange.objects.exists()  # at the price that it has


def listed(who):
    """What the page, the sheet and the API say of the only renewal: then it, now, then."""
    page = who.get(reverse("subscriptions:renewals")).content.decode()
    csv = who.get(reverse("subscriptions:renewals"), {"format": "csv"})
    sheet = b"".join(csv.streaming_content).decode() if csv.streaming else csv.content.decode()
    (row,) = who.get("/api/v1/renewals").json()["results"]
    return page, sheet, (row["renewal"], row["uplift_percent"], row["before"], row["after"])


@pytest.mark.parametrize(("renewal", "percent"), [("uplift", 10), ("current", 0)])
def test_no_rise_is_shown_that_will_not_come(world, item, renewal, percent):
    agreed(world, item, renewal=renewal, uplift_percent=percent)
    reprice(item.product_version, charges=[monthly("33.00")])
    who = client_of("order team")
    page, sheet, told = listed(who)
    assert "€33.00" in page
    assert "33.00" in sheet
    assert told[2:] == ("30.00", "33.00")
    closed(world)
    page, sheet, told = listed(who)
    assert "33.00" not in page + sheet
    assert "goes on from month to month" in sheet
    assert told == ("monthly", "0", "30.00", "30.00")
    world.on("2026-12-15")
    while remind_due(machine_now=world.now):
        pass
    assert "goes on from month to month" in Notice.objects.get(topic="renewals").text


def at_renewal(item, **given):
    """A version of the book in which the product costs 36.00, from the next renewal on."""
    book = PriceBook.objects.get(is_default=True, currency="EUR")
    version = PriceBookVersion.objects.create(
        book=book, number=2, policy="at_renewal", valid_from=date(2026, 6, 1), notice_days=30
    )
    Price.objects.create(version=version, product=item.product_version.product, **monthly("36.00"))
    publish_price_book_version(version_id=version.pk, at=LONG_AGO)


def told_of_prices(world, day):
    world.on(day)
    while tell_price_moves(machine_now=world.now):
        pass
    return PriceMove.objects.filter(settled_on=None).count()


def test_who_is_closed_is_told_of_no_rise(world, item):
    agreed(world, item)
    at_renewal(item)
    closed(world)
    assert told_of_prices(world, "2026-12-01") == 0


def test_a_rise_that_was_told_before_is_shown_no_more(world, item, mailoutbox):
    Contact.objects.create(
        customer=world.account.customer, name="Dr. Hall", email="hall@example.com", signs=True
    )
    agreed(world, item)
    at_renewal(item)
    assert told_of_prices(world, "2026-11-25") == 1
    who = client_of("order team")
    assert listed(who)[2][2:] == ("30.00", "36.00")
    closed(world)
    assert listed(who)[2][2:] == ("30.00", "30.00")
    world.settle()
    assert not [mail for mail in mailoutbox if "New prices" in mail.subject]
    assert renewed(world, "2027-01-01").renewal == "monthly"
    assert not ItemChange.objects.exists()


def test_what_ends_with_its_term_ends(world, item):
    agreed(world, item, renewal="end")
    closed(world)
    renewed(world, "2027-01-01")
    assert ItemChange.objects.get().act == Act.END
    assert not RenewalDue.objects.exists()


def test_that_it_ends_then_can_be_said_but_no_longer_term(world, item):
    agreed(world, item)
    closed(world)
    common = {"account_id": world.account.pk, "at": world.now, "actor_id": None}
    with pytest.raises(Refused, match="closed"):
        change_renewal(item_ids=[item.pk], renewal="current", **common)
    with pytest.raises(Refused, match="closed"):
        agreed(world, item, months=24)
    change_renewal(item_ids=[item.pk], renewal="end", **common)
    assert Commitment.objects.latest("number").renewal == "end"
