"""Another price of the same product: no introduction twice, no trial lost, no rise untold."""

from datetime import date
from decimal import Decimal

import pytest

from billing.models import InvoiceLine
from o2b.asks import ask
from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.catalog.services import publish_price_book_version
from o2b.charging import from_canonical
from o2b.customers.models import Contact
from o2b.errors import Refused
from orders.models import Order
from subscriptions.changes.preview import preview_changes
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.commitments.services import move_prices, tell_price_moves
from subscriptions.models import Act, Item, PriceMove
from tests.factories import LONG_AGO, a_product, a_user, monthly, reprice, setup_fee
from tests.subscriptions.serving import billed_now, told, written

pytestmark = pytest.mark.django_db
D = Decimal
PRICE = {"kind": Order.Kind.PRICE_CHANGE}


def ramped(first, *steps):
    return monthly(first, details={"ramp": [[months, price] for price, months in steps]})


def sold(world, *charges):
    """A service since 1 January 2026."""
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line", charges=list(charges))])
    world.bill("2026-01-01")
    return Item.objects.get()


def asked(world, item, act=Act.TERMS, **given):
    if given.get("on"):
        given["when"] = When.ON
    return preview_changes(
        account_id=item.account_id,
        wishes=[Wish(item.pk, act, **given)],
        at=world.now,
        billed=lambda items: ask("billed_so_far", items),
    )


def refused(world, item, **given):
    """The code of both answers: that of the preview and that of the order; nothing is written."""
    before = written()
    with pytest.raises(Refused) as shown:
        asked(world, item, **given)
    with pytest.raises(Refused) as no:
        told(world, item, Act.TERMS, **given)
    assert shown.value.code == no.value.code
    assert written() == before
    return no.value.code


def charges_now(item):
    version = item.versions.filter(recorded__endswith=None).latest("valid")
    return from_canonical(version.terms.body).charges


# what is introductory once


def test_who_has_paid_the_last_step_pays_it_on(world):
    item = sold(world, ramped("50.00", ("100.00", 6)), setup_fee("12.00"))
    world.on("2026-12-31").bill("2026-12-01")
    assert refused(world, item, on=date(2027, 1, 1), **PRICE) == "nothing_changes"
    told(world, item, Act.TERMS, on=date(2027, 1, 1), quantity=2)
    assert len({v.terms_id for v in item.versions.all()}) == 1
    world.on("2027-03-01")
    assert billed_now(world) == ["200.00"] * 3


@pytest.mark.parametrize("first", ["40.00", "110.00"])
def test_after_a_rise_no_line_is_below_the_old_price(world, first):
    item = sold(world, ramped("50.00", ("100.00", 6)))
    world.on("2026-12-31").bill("2026-12-01")
    reprice(item.product_version, charges=[ramped(first, ("120.00", 6))])
    told(world, item, Act.TERMS, on=date(2027, 1, 1), **PRICE)
    world.on("2027-08-01")
    assert billed_now(world) == ["120.00"] * 8
    assert refused(world, item, **PRICE) == "nothing_changes"


def test_while_its_steps_run_at_the_same_price_they_run_on(world):
    item = sold(world, ramped("50.00", ("100.00", 6)))
    world.on("2026-03-01")
    assert refused(world, item, **PRICE) == "nothing_changes"
    told(world, item, Act.TERMS, quantity=2)
    world.on("2026-07-01")
    assert billed_now(world) == ["50.00", *["100.00"] * 4, "200.00"]


def test_steps_of_a_product_that_was_changed_to_run_on_too(world):
    item = sold(world, monthly("30.00"))
    a_product(code="other", charges=[ramped("50.00", ("100.00", 6))])
    told(world, item, Act.TERMS, on=date(2026, 4, 1), product="other")
    world.on("2026-05-01")
    assert refused(world, item, **PRICE) == "nothing_changes"
    world.on("2026-10-01")
    # From April on: six months of 50.00, and October.
    assert billed_now(world) == [*["30.00"] * 2, *["50.00"] * 6, "100.00"]
    assert refused(world, item, **PRICE) == "nothing_changes"


TRIAL = {"details": {"trial": ["month", 3, False]}}


def test_a_change_in_a_trial_keeps_it(world):
    item = sold(world, monthly("30.00", **TRIAL))
    world.on("2026-02-10")
    assert refused(world, item, **PRICE) == "nothing_changes"
    told(world, item, Act.TERMS, quantity=2)
    world.on("2026-04-01")
    assert billed_now(world) == ["60.00"]


def test_another_price_in_a_trial_counts_from_its_end(world):
    item = sold(world, monthly("30.00", **TRIAL))
    world.on("2026-02-10")
    reprice(item.product_version, charges=[monthly("20.00", **TRIAL)])
    told(world, item, Act.TERMS, **PRICE)
    assert refused(world, item, **PRICE) == "nothing_changes"
    world.on("2026-04-01")
    assert billed_now(world) == ["20.00"]
    # Once it is over it comes with no other price again.
    reprice(item.product_version, charges=[monthly("21.00", **TRIAL)])
    told(world, item, Act.TERMS, on=date(2026, 5, 1), **PRICE)
    assert [charge.trial for charge in charges_now(item)] == [None]
    world.on("2026-05-01")
    assert billed_now(world) == ["21.00"]


def test_suspended_for_a_fee_it_keeps_its_own_terms(world):
    item = sold(world, monthly("30.00"), setup_fee("12.00"))
    a_product(code="hold", charges=[monthly("5.00")])
    told(world, item, Act.SUSPEND, on=date(2026, 2, 1), billing="fee", fee_product="hold")
    world.on("2026-02-10")
    assert refused(world, item, **PRICE) == "nothing_changes"


# notice of a rise


def listed(item, *charges, notice_days, **given):
    """A new version of the default book that wants its notice."""
    book = PriceBook.objects.get(is_default=True, currency="EUR")
    version = PriceBookVersion.objects.create(
        book=book,
        number=book.versions.count() + 1,
        valid_from=date(2025, 1, 1),
        notice_days=notice_days,
        **given,
    )
    for old in book.versions.get(number=version.number - 1).prices.all():
        if old.product_id != item.product_version.product_id:
            old.pk, old.version = None, version
            old.save(force_insert=True)
    for charge in charges:
        Price.objects.create(version=version, product=item.product_version.product, **charge)
    publish_price_book_version(version_id=version.pk, at=LONG_AGO)


@pytest.mark.parametrize("on", [None, date(2026, 3, 11)])
def test_a_rise_wants_the_notice_of_its_book(world, on):
    item = sold(world, monthly("30.00"))
    world.on("2026-02-10")
    listed(item, monthly("33.00"), notice_days=30)
    assert refused(world, item, on=on, **PRICE) == "notice_too_short"


@pytest.mark.parametrize("quantity", [None, "2"])
def test_who_names_the_product_itself_wants_it_too(world, quantity):
    item = sold(world, monthly("30.00"))
    world.on("2026-02-10")
    listed(item, monthly("33.00"), notice_days=30)
    assert refused(world, item, product="line", quantity=quantity) == "notice_too_short"
    told(world, item, Act.TERMS, product="line", quantity=quantity, on=date(2026, 3, 12))


@pytest.mark.parametrize(("basic", "rises"), [("30.00", False), ("33.00", True)])
def test_another_edition_is_no_rise_of_the_one_that_is_had(world, basic, rises):
    world.on("2026-01-01")
    edition = {"name": "edition", "type": "choice", "choices": ["basic", "pro"]}
    world.sell(
        products=[
            a_product(code="line", charges=[monthly("30.00")], characteristics=[edition]),
        ]
    )
    item = Item.objects.get()
    told(world, item, Act.TERMS, product="line", quantity=2, characteristics={"edition": "basic"})
    cells = [
        monthly(price, match={"edition": name}) for name, price in (("basic", basic), ("pro", "90"))
    ]
    listed(item, *cells, notice_days=30)
    given = {"product": "line", "characteristics": {"edition": "pro"}}
    world.on("2026-01-02")
    if rises:
        assert refused(world, item, **given) == "notice_too_short"
    else:
        told(world, item, Act.TERMS, **given)


METERED = {"key": "use", "kind": "usage", "timing": "arrears"}
STEP = {"details": {"ramp": [["2026-03-05", "33.00"]]}}
USE_STEP = {"details": {"ramp": [["2026-03-05", "1.10"]]}}


@pytest.mark.parametrize(
    "charges",
    [
        [monthly("30.00", **STEP), monthly("1.00", **METERED)],
        [monthly("30.00"), monthly("1.00", **METERED, **USE_STEP)],
    ],
)
def test_a_step_within_the_notice_wants_it_too(world, charges):
    """No dearer on the day of the change, but three weeks later."""
    item = sold(world, monthly("30.00"), monthly("1.00", **METERED))
    world.on("2026-02-10")
    listed(item, *charges, notice_days=30)
    for on in (None, date(2026, 3, 11)):
        assert refused(world, item, on=on, **PRICE) == "notice_too_short"
    told(world, item, Act.TERMS, on=date(2026, 3, 12), **PRICE)


def test_a_step_after_the_notice_wants_none(world):
    item = sold(world, monthly("30.00"))
    world.on("2026-02-10")
    listed(item, monthly("30.00", details={"ramp": [["2026-03-12", "33.00"]]}), notice_days=30)
    told(world, item, Act.TERMS, **PRICE)
    world.on("2026-04-01")
    assert billed_now(world)[-1] == "33.00"


def test_a_step_that_was_agreed_before_is_no_rise(world):
    item = sold(world, monthly("30.00", **STEP))
    world.on("2026-02-10")
    listed(item, monthly("29.00", **STEP), notice_days=30)
    told(world, item, Act.TERMS, **PRICE)


def test_a_letter_tells_the_steps_of_the_price(world, mailoutbox):
    item = sold(world, monthly("30.00"))
    Contact.objects.create(
        customer=world.account.customer, name="Dr. Hall", email="hall@example.com", signs=True
    )
    world.on("2026-02-10")
    steps = {"details": {"ramp": [["2026-03-01", "32.00"], ["2026-09-01", "36.00"]]}}
    policy = {"policy": "on_date", "policy_on": date(2026, 3, 15)}
    listed(item, monthly("31.00", **steps), notice_days=30, **policy)
    assert tell_price_moves(machine_now=world.now)
    world.settle()
    (mail,) = [mail for mail in mailoutbox if "New prices" in mail.subject]
    assert "€30.00 → €32.00, 15 Mar 2026; → €36.00, 1 Sept 2026" in mail.body


def lettered(world):
    """A letter about a new price of 33.00, not gone out yet."""
    item = sold(world, monthly("30.00"))
    Contact.objects.create(
        customer=world.account.customer, name="Dr. Hall", email="hall@example.com", signs=True
    )
    world.on("2026-02-10")
    listed(item, monthly("33.00"), notice_days=30, policy="on_date", policy_on=date(2026, 3, 15))
    assert tell_price_moves(machine_now=world.now)
    assert PriceMove.objects.get().moves_on == date(2026, 3, 15)
    return item


def test_a_letter_that_went_out_is_notice_enough(world):
    item = lettered(world)
    world.on("2026-03-10")
    assert refused(world, item, on=date(2026, 3, 15), **PRICE) == "notice_too_short"
    world.settle()  # now it goes out, and its notice counts from then
    assert PriceMove.objects.get().moves_on == date(2026, 4, 9)
    with pytest.raises(Refused) as no:
        asked(world, item, on=date(2026, 4, 8), **PRICE)
    assert no.value.extra["first"] == "2026-04-09"
    world.on("2026-03-20")
    told(world, item, Act.TERMS, on=date(2026, 4, 9), **PRICE)
    world.on("2026-04-09")
    while move_prices(machine_now=world.now):
        pass
    assert PriceMove.objects.get().order_line is None  # it has that price already
    world.on("2026-05-01")
    assert billed_now(world)[-1] == "33.00"


def test_told_in_time_it_rises(world):
    item = sold(world, monthly("30.00"))
    world.on("2026-02-10")
    listed(item, monthly("33.00"), notice_days=30)
    with pytest.raises(Refused) as no:
        asked(world, item, **PRICE)
    assert (no.value.field, no.value.extra["first"]) == ("changes[0].on", "2026-03-12")
    told(world, item, Act.TERMS, on=date(2026, 3, 12), **PRICE)
    world.on("2026-04-01")
    assert billed_now(world)[-1] == "33.00"


@pytest.mark.parametrize(
    "charge",
    [
        monthly("29.00"),
        monthly("30.00", timing="arrears"),
        # A year for less than twelve months of it.
        monthly("330.00", interval_unit="year"),
        monthly("29.00", details={"trial": ["month", 1, False]}),
    ],
)
def test_what_is_no_dearer_wants_none(world, charge):
    item = sold(world, monthly("30.00"))
    world.on("2026-02-10")
    listed(item, charge, notice_days=30)
    told(world, item, Act.TERMS, **PRICE)
    assert InvoiceLine.objects.count() == 1
    item.refresh_from_db()
    assert item.revision == 2


@pytest.mark.parametrize(("price", "rises"), [("1.10", True), ("0.90", False)])
def test_of_what_is_metered_too(world, price, rises):
    item = sold(world, monthly("30.00"), monthly("1.00", **METERED))
    listed(item, monthly("30.00"), monthly(price, **METERED), notice_days=30)
    if rises:
        assert refused(world, item, **PRICE) == "notice_too_short"
    else:
        told(world, item, Act.TERMS, **PRICE)
        item.refresh_from_db()
        assert item.revision == 2


def test_another_product_wants_none(world):
    item = sold(world, monthly("30.00"))
    a_product(code="better", charges=[monthly("50.00")])
    listed(item, monthly("30.00"), notice_days=30)
    told(world, item, Act.TERMS, product="better", **PRICE)
    item.refresh_from_db()
    assert item.revision == 2


def test_who_approves_work_can_do_without_it(world):
    item = sold(world, monthly("30.00"))
    listed(item, monthly("33.00"), notice_days=30)
    wish = Wish(item.pk, Act.TERMS, waive_notice=True, **PRICE)
    before = written()
    ordered = {"account_id": item.account_id, "wishes": [wish], "at": world.now}
    with pytest.raises(Refused) as no:
        change_services(**ordered, actor_id=a_user("sales").pk)
    assert no.value.code == "waiver_not_yours"
    assert written() == before
    change_services(**ordered, actor_id=a_user("order lead").pk)
    item.refresh_from_db()
    assert item.revision == 2
