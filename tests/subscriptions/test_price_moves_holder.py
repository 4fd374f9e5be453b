"""Who is told of a new price: who has the service on the day on which it moves."""

from datetime import UTC, date, datetime

import pytest

from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.catalog.services import publish_price_book_version
from o2b.charging import from_canonical
from o2b.customers.models import Contact
from o2b.models import Event
from subscriptions.commitments import services
from subscriptions.commitments.services import Commit, commit
from subscriptions.models import Act, Item, PriceMove
from tests.factories import a_product, monthly
from tests.subscriptions.serving import told

pytestmark = pytest.mark.django_db
MAY = date(2026, 5, 1)


@pytest.fixture
def item(world):
    """30.00 since 1 January; from 1 July it costs 36.00 where that was told 30 days before."""
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line-30", charges=[monthly("30.00")])])
    with_address(world.account)
    return Item.objects.get()


def with_address(account):
    Contact.objects.create(
        customer=account.customer, name="Dr. Hall", email=f"{account.pk}@example.com", signs=True
    )
    return account


def published(item, *, policy="on_date", **given):
    book = PriceBook.objects.get(is_default=True, currency="EUR")
    fields = {"valid_from": date(2026, 6, 1), "notice_days": 30} | given
    version = PriceBookVersion.objects.create(
        book=book, number=book.versions.count() + 1, policy=policy, **fields
    )
    Price.objects.create(version=version, product=item.product_version.product, **monthly("36.00"))
    publish_price_book_version(version_id=version.pk, at=datetime(2026, 2, 1, tzinfo=UTC))


def passed_on(world, item, on):
    other = with_address(world.an_account())
    told(world, item, Act.TRANSFER, to_account_id=other.pk, on=date.fromisoformat(on))
    return other


def lived(world, day):
    world.on(day)
    for work in (services.tell_price_moves, services.move_prices, services.renew_due):
        while work(machine_now=world.now):
            pass
    world.settle()


def letters(mailoutbox):
    return [
        to.split("@")[0] for mail in mailoutbox for to in mail.to if "New prices" in mail.subject
    ]


def moved_on(item):
    rows = Item.objects.filter(pk=item.pk) | Item.objects.filter(root=item)
    found = [
        str(version.valid.lower)
        for each in rows
        for version in each.versions.filter(recorded__endswith=None)
        if from_canonical(version.terms.body).charges[0].unit_price == 36
    ]
    return min(found, default=None)


@pytest.mark.parametrize(("on", "first"), [("2026-08-01", True), ("2026-06-15", False)])
def test_who_has_it_on_the_moving_day_is_told(world, item, mailoutbox, on, first):
    published(item, policy_on=date(2026, 7, 1))
    other = passed_on(world, item, on)
    lived(world, "2026-05-25")
    who = world.account if first else other
    assert PriceMove.objects.get().account == who
    assert letters(mailoutbox) == [str(who.pk)]
    lived(world, "2026-07-01")
    assert PriceMove.objects.get().order_line.account == who
    assert moved_on(item) == "2026-07-01"


def test_who_has_it_by_a_transfer_told_later_gets_notice_of_their_own(world, item, mailoutbox):
    published(item, policy_on=date(2026, 7, 1))
    lived(world, "2026-05-25")
    other = passed_on(world, item, "2026-06-15")
    lived(world, "2026-07-01")
    assert moved_on(item) is None
    lived(world, "2026-07-01")
    move = PriceMove.objects.get()
    assert (move.account, str(move.moves_on)) == (other, "2026-07-31")
    assert letters(mailoutbox) == [str(world.account.pk), str(other.pk)]
    assert Event.objects.get(name="price_move.forgotten").subject_id == item.pk
    lived(world, "2026-07-31")
    assert moved_on(item) == "2026-07-31"


def test_who_keeps_it_because_the_transfer_was_taken_back_is_told(world, item, mailoutbox):
    published(item, policy_on=date(2026, 7, 1))
    other = passed_on(world, item, "2026-06-15")
    lived(world, "2026-05-25")
    told(world, item, Act.WITHDRAW, withdraws=2)
    lived(world, "2026-07-01")
    lived(world, "2026-07-01")
    assert letters(mailoutbox) == [str(other.pk), str(world.account.pk)]
    assert str(PriceMove.objects.get().moves_on) == "2026-07-31"


def test_what_ends_is_told_nobody(world, item, mailoutbox):
    published(item, policy_on=date(2026, 7, 1))
    told(world, item, Act.END, on=date(2026, 9, 1))
    lived(world, "2026-05-25")
    assert not PriceMove.objects.exists()


def test_at_renewal_it_is_who_renews(world, item, mailoutbox):
    wish = Commit(item_id=item.pk, months=12, starts_on=date(2026, 1, 1))
    commit(account_id=item.account_id, wishes=[wish], at=world.now, actor_id=None)
    published(item, policy="at_renewal")
    other = passed_on(world, item, "2027-02-01")
    lived(world, "2026-11-26")
    assert PriceMove.objects.get().account == world.account
    told(world, item, Act.WITHDRAW, withdraws=2)
    third = passed_on(world, item, "2026-12-15")
    lived(world, "2027-01-01")
    assert moved_on(item) is None
    assert not PriceMove.objects.exists()
    lived(world, "2027-11-26")
    assert PriceMove.objects.get().account == third
    assert letters(mailoutbox) == [str(world.account.pk), str(third.pk)]
    lived(world, "2028-01-01")
    assert moved_on(item) == "2028-01-01"
    assert other not in {world.account, third}
