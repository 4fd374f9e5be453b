"""A pool at the desk: units are given, it is shared, the bar and the statement say so."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from o2b.customers.models import Account
from o2b.people.models import User
from subscriptions.models import Item, Pool, PoolMember
from subscriptions.pools.services import grant_units, set_refill
from subscriptions.usage.services import take_usage
from tests.browser.people import PASSWORD, Staff, Visit, beside
from tests.factories import a_product, a_user
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_plan, a_top_up, sold
from tests.subscriptions.usage.build import a_meter, an_event

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("O2B_TEST_SHOTS", "")  # a folder for pictures of what is tested
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1440, "height": 900}
HERE = "/subscriptions/pools/"
LONG = "Zweckverband Wasserversorgung Donau-Iller-Bodenseevorland"


@pytest.fixture
def person(staff: Staff) -> User:
    """Somebody who may see every page."""
    return a_user("administrator", username="ines", first_name="Inès", password=PASSWORD)


@pytest.fixture
def rows(person: User, world: World) -> tuple[Item, Account, str]:
    """A pool that two services drew from for some days, and an account that could share it."""
    a_meter()
    sold(world, a_plan("500", rollover="50"))
    a_product(code="minutes-500", name="500 minutes more", charges=[a_top_up("500")])
    item, other = a_drawer(world), a_drawer(world)
    guest = world.an_account(
        name=LONG, legal_entity=world.account.legal_entity, currency="EUR", reference="A-GUEST"
    )
    world.on("2026-02-14")
    take_usage(
        [
            an_event(each, f"{9 + n * 17 % 31}", f"2026-02-{1 + n % 14:02}T0{n % 9}:00:00Z")
            for n in range(28)
            for each in (item, other)[n % 3 == 0 :][:1]
        ],
        at=world.now,
    )
    pool = Pool.objects.get()
    grant_units(
        pool_id=pool.pk,
        units=Decimal(25),
        reason="An outage on 3 February",
        at=world.now,
        by=person.pk,
    )
    set_refill(
        pool_id=pool.pk,
        below=Decimal(50),
        product="minutes-500",
        quantity=Decimal(1),
        most_a_month=2,
        at=world.now,
        by=person.pk,
    )
    found = Item.objects.select_related("subscription", "account").get(pk=item.pk)
    return found, guest, pool.get_absolute_url()


def test_a_pool_at_the_desk(person: User, rows: tuple[Item, Account, str], visit: Visit) -> None:
    page = visit(person, viewport=WIDE)
    page.goto("/")
    page.get_by_role("link", name="Pools", exact=True).click()
    page.locator("#list tbody tr").get_by_role("link").first.click()
    main = page.get_by_role("main")
    expect(main).to_contain_text("An outage on 3 February")
    assert page.locator("svg.bars rect:not(.beyond)").count() > 10
    assert page.locator("svg.bars rect.beyond").count() > 0
    _give(page)
    _share(page)
    page.locator("summary", has_text="Make it a hard limit").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("is refused when it is sent")
    dialog.get_by_role("button", name="Make it hard").click()
    expect(page.locator("h1")).to_contain_text("hard limit")
    page.get_by_label("Search in Statement").fill("outage")
    expect(page.locator("#list tbody tr")).to_have_count(1)


def _give(page: Page) -> None:
    page.get_by_role("link", name="Give units").click()
    page.get_by_label("Units").fill("-1")
    page.get_by_label("Why").fill("New Year")
    page.get_by_role("button", name="Give them").click()
    expect(page.locator(".field.wrong")).to_contain_text("above zero")
    page.get_by_label("Units").fill("300")
    page.get_by_label("Good for so many days").fill("30")
    page.get_by_role("button", name="Give them").click()
    expect(page.locator(".toast")).to_contain_text("The units are in the pool.")
    expect(page.get_by_role("region", name="What it holds")).to_contain_text("New Year")


def _share(page: Page) -> None:
    page.get_by_role("link", name="Share", exact=True).click()
    page.get_by_label("Account").press_sequentially("donau")
    expect(page.locator("#account-options option")).to_have_count(1)
    page.get_by_label("Account").fill("A-GUEST")
    page.get_by_role("button", name="Share it").click()
    shared = page.get_by_role("region", name="Shared with")
    expect(shared).to_contain_text(LONG)
    beside(lambda: PoolMember.objects.get())


def test_on_a_phone_nothing_scrolls_sideways(
    person: User, rows: tuple[Item, Account, str], visit: Visit
) -> None:
    item, guest, here = rows
    beside(lambda: _shared(guest, person))
    names = {
        "pools": HERE,
        "pool": here,
        "drawers": f"{here}drawers/",
        "lots": f"{here}lots/",
        "members": f"{here}members/",
        "share": f"{here}share/",
        "give": f"{here}give/",
        "refill": f"{here}refill/",
        "new": f"{HERE}new/",
        "service": f"/subscriptions/usage/services/{item.pk}/",
        "subscription": item.subscription.get_absolute_url(),
        "account": item.account.get_absolute_url(),
    }
    page = visit(person, viewport=PHONE)
    wide = [
        (name, width) for name, url in names.items() if (width := _width(page, name, url)) > 390
    ]
    assert wide == []
    if SHOTS:
        page = visit(person, viewport=WIDE)
        for name, url in names.items():
            _width(page, f"{name}-wide", url)


def _shared(guest: Account, person: User) -> None:
    pool = Pool.objects.get()
    PoolMember.objects.create(
        pool=pool, meter=pool.meter, account=guest, begins_on="2026-02-01", added_by=person
    )


def _width(page: Page, name: str, url: str) -> int:
    answer = page.goto(url, wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200, url
    widest = 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        widest = max(widest, page.evaluate("document.documentElement.scrollWidth"))
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
    return widest
