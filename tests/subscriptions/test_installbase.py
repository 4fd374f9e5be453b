"""The install base: who has what, where, since when, on any day; one item with all it is."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.customers.models import Account, Customer
from o2b.models import TestClock
from o2b.web.columns import read
from orders.models import LicenceKey, Order, Task
from subscriptions.installbase import selectors, shown
from subscriptions.models import Equipment, Item
from tests.billing.pages import HTMX, client_of, text_of
from tests.factories import a_product, an_account
from tests.subscriptions.build import an_order
from tests.subscriptions.having import Days, an_item

pytestmark = pytest.mark.django_db

JAN, FEB, MAR, FAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1), date(2126, 1, 1)
NOW = datetime(2026, 2, 15, 12, tzinfo=UTC)
URL = "/subscriptions/install-base/"


@pytest.fixture
def sales() -> Client:
    return client_of("sales")


def numbers(client: Client, **asked: object) -> list[str]:
    """The items that the list shows, in its order."""
    answer = client.get(URL, asked)
    assert answer.status_code == 200
    return [row.source.number for row in answer.context["rows"]]


def cells(client: Client, **asked: object) -> dict[str, str]:
    """What the only row shows, by column."""
    answer = client.get(URL, asked).context
    (row,) = answer["rows"]
    columns = [head.column for head in answer["heads"]]
    found = {column.name: str(column.shown(row.source)) for column in columns}
    notes = {c.name: read(row.source, c.note) for c in columns if c.note}
    return found | {f"{name}_note": str(note) for name, note in notes.items() if note}


def key_of(item: Item, key: str, state: str = "issued") -> LicenceKey:
    line = item.order_line
    task = Task.objects.create(
        order=line.order, line=line, account_id=line.account_id, key=key[:9], kind="automatic"
    )
    return LicenceKey.objects.create(
        key=key, state=state, task=task, line=line, issued_at=datetime(2026, 1, 2, tzinfo=UTC)
    )


def piece_of(item: Item, serial: str) -> Equipment:
    return Equipment.objects.create(
        item=item,
        account_id=item.account_id,
        product_version=item.product_version,
        serial=serial,
        installed_on=JAN,
    )


def test_a_row_says_what_where_since_when_and_under_which_promise(sales: Client) -> None:
    account = an_account(name="Acme Wien", reference="A-4711")
    item = an_item(
        account,
        a_product(code="fibre", name="Fibre"),
        Days(JAN, FAR, "2"),
        characteristics={"site": "Graben 21, Wien"},
    )
    for serial in ("SN-1", "SN-2", "SN-3"):
        piece_of(item, serial)
    assert cells(sales) == {
        "product": "Fibre",
        "product_note": f"{item.number} · version 1",
        "quantity": "2",
        "account": "Acme Wien",
        "account_note": "A-4711",
        "place": "Graben 21, Wien",
        "serials": "SN-1, SN-2 +1",
        "serials_note": "equipment",
        "state": '<span class="badge good">active</span>',
        "since": "1 Jan 2026",
        "until": "1 Jan 2126",
        "promise": str(item.order_line.terms),
        "promise_note": str(item.order_line),
    }


def test_without_a_site_it_stands_where_the_account_is(sales: Client) -> None:
    an_item(an_account(address="Markt 1\n1010 Wien"), a_product(), Days(JAN))
    assert cells(sales)["place"] == "Markt 1, 1010 Wien"


def test_the_day_turns_the_page_back_and_forth(sales: Client) -> None:
    basic, pro = a_product(name="Basic"), a_product(name="Pro")
    item = an_item(
        an_account(),
        basic,
        Days(JAN, FEB, "1"),
        Days(FEB, MAR, "3", standing="suspended"),
        Days(MAR, FAR, "5", version=pro),
    )
    seen = [
        tuple(cells(sales, on=on)[name] for name in ("product", "quantity", "state"))
        for on in ("2025-12-31", "2026-01-31", "2026-02-01", "2026-03-01", "2126-01-01")
    ]
    badges = ["pending", "active", "suspended", "active", "ended"]
    assert [(name, quantity) for name, quantity, state in seen] == [
        ("Basic", "—"),
        ("Basic", "1"),
        ("Basic", "3"),
        ("Pro", "5"),
        ("Pro", "—"),
    ]
    assert all(f">{word}<" in state for word, (*_, state) in zip(badges, seen, strict=True))
    for on, state in (
        ("2025-12-31", "pending"),
        ("2026-01-31", "active"),
        ("2026-02-01", "suspended"),
        ("2026-03-01", "active"),
        ("2126-01-01", "ended"),
    ):
        found = {
            each: numbers(sales, on=on, state=each)
            for each in ("pending", "active", "suspended", "ended")
        }
        assert found == {
            each: [item.number] if each == state else []
            for each in ("pending", "active", "suspended", "ended")
        }, on
    assert numbers(sales, on="2026-01-31", product="Pro") == []
    assert numbers(sales, on="2026-03-01", product="Pro") == [item.number]
    assert numbers(sales, on="2126-01-01", product="Pro") == [item.number]


def test_today_is_each_accounts_own() -> None:
    product = a_product()
    clocked = an_account(
        test_clock=TestClock.objects.create(name="later", now=datetime(2026, 3, 1, tzinfo=UTC))
    )
    early, late = an_account(time_zone="Asia/Tokyo"), an_account(time_zone="America/New_York")
    for account in (clocked, early, late):
        an_item(account, product, Days(JAN, FEB, "1"), Days(FEB, MAR, "2"))
    at = datetime(2026, 1, 31, 20, tzinfo=UTC)
    rows = selectors.items_for_list(on=None, machine_now=at)
    told = {row.account_id: (row.day, shown.quantity_of(row)) for row in rows}
    assert told == {
        clocked.pk: (date(2026, 3, 1), None),
        early.pk: (FEB, 2),
        late.pk: (date(2026, 1, 31), 1),
    }


@pytest.fixture
def several() -> dict[str, str]:
    """Four items that differ in everything."""
    wien = Customer.objects.create(name="Acme Wien", country="AT")
    one = an_account(customer=wien, name="Acme", reference="A-1")
    two = an_account(name="Bluebird", reference="B-2")
    fibre, seat = a_product(code="fibre", name="Fibre"), a_product(code="seat", name="Voice seat")
    made = {
        "fibre": an_item(one, fibre, Days(JAN), serial="TOP-9"),
        "halted": an_item(one, fibre, Days(JAN, FEB), Days(FEB, standing="suspended")),
        "seat": an_item(two, seat, Days(MAR)),
        "gone": an_item(two, seat, Days(JAN, FEB)),
    }
    piece_of(made["halted"], "SN-0815")
    piece_of(made["seat"], "…EEEEE")
    key_of(made["seat"], "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    return {name: item.number for name, item in made.items()}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "fibre halted seat gone"),
        ({"state": "active"}, "fibre seat"),
        ({"state": "suspended"}, "halted"),
        ({"state": "ended"}, "gone"),
        ({"state": "pending"}, ""),
        ({"product": "fibre"}, "fibre halted"),
        ({"product": "voice"}, "seat gone"),
        ({"version": "1"}, "fibre halted seat gone"),
        ({"version": "v2"}, ""),
        ({"version": "two"}, ""),
        ({"account": "b-2"}, "seat gone"),
        ({"account": "acm"}, "fibre halted"),
        ({"customer": "wien"}, "fibre halted"),
        ({"country": "AT"}, "fibre halted"),
        ({"country": "XX"}, "fibre halted seat gone"),
        ({"serial": "0815"}, "halted"),
        ({"serial": "top"}, "fibre"),
        ({"serial": "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE"}, "seat"),
        ({"serial": "AAAAA-BBBBB"}, ""),
        ({"serial": "EEEEE"}, "seat"),
        ({"kind": "equipment"}, "halted"),
        ({"kind": "licence"}, "seat"),
        ({"kind": "neither"}, "fibre gone"),
        ({"kind": "equipment", "account": "B-2"}, ""),
        ({"q": "fibre acme"}, "fibre halted"),
        ({"q": "SN-0815"}, "halted"),
        ({"q": "nothing like it"}, ""),
    ],
)
@pytest.mark.parametrize("on", ["2026-03-15", ""])
def test_filters(
    sales: Client, several: dict[str, str], asked: dict[str, str], expected: str, on: str
) -> None:
    """Today and on that day it is the same: nothing has turned since."""
    wanted = {several[name] for name in expected.split()}
    assert set(numbers(sales, **asked | {"on": on})) == wanted


def test_by_number(sales: Client, several: dict[str, str]) -> None:
    item = several["seat"]
    assert numbers(sales, q=item) == [item]
    assert numbers(sales, q=item.partition(".")[0].lower()) == [item]


JUNK = ["\0", "9" * 30, "-1", "%", "' OR 1=1", "2026-02-30", "S-" + "9" * 40, "S-1.2.3", "½", "S-²"]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_breaks_nothing(sales: Client, several: dict[str, str], junk: str) -> None:
    names = "q state sort page on product version account customer serial kind country"
    for name in names.split():
        answer = sales.get(URL, {name: junk})
        assert answer.status_code == 200, name
    item = Item.objects.first()
    assert item is not None
    assert sales.get(reverse("subscriptions:item", args=[item.pk]), {"on": junk}).status_code == 200


def test_no_such_item(sales: Client) -> None:
    for pk in (0, 1, 10**30):
        assert sales.get(f"/subscriptions/install-base/{pk}/").status_code == 404


def test_sorts_and_pages(sales: Client, several: dict[str, str]) -> None:
    for name in ("product", "account", "state", "since", "until"):
        there = numbers(sales, sort=name)
        assert len(there) == 4
        assert set(numbers(sales, sort=f"-{name}")) == set(there)
    assert numbers(sales, sort="account")[:2] == [several["fibre"], several["halted"]]


def test_the_file_holds_what_the_list_holds(sales: Client, several: dict[str, str]) -> None:
    answer = sales.get(URL, {"format": "csv", "state": "suspended", "on": "2026-03-15"})
    head, row, end = b"".join(answer.streaming_content).decode().split("\r\n")
    assert head.startswith("Item,Product,Name,Version,Quantity,Customer,Country,Account,")
    assert row.split(",")[:8] == [
        several["halted"],
        "fibre",
        "Fibre",
        "1",
        "1",
        "Acme Wien",
        "AT",
        "Acme",
    ]
    assert row.endswith(",2026-03-15")
    assert end == ""


def test_nothing_yet_and_nothing_found(sales: Client) -> None:
    assert "Nothing is in service yet" in text_of(sales.get(URL))
    an_item(an_account(), a_product(), Days(JAN))
    assert "Nothing matches" in text_of(sales.get(URL, {"q": "zzz"}))
    assert text_of(sales.get(URL, **HTMX)).startswith("1 row")


def test_only_who_may_see_services() -> None:
    item = an_item(an_account(), a_product(), Days(JAN))
    page = reverse("subscriptions:item", args=[item.pk])
    for url in (URL, page, f"{URL}?format=csv"):
        assert client_of().get(url).status_code == 403
        assert Client().get(url).status_code == 302
        assert client_of("sales").post(url).status_code == 405


def _fill(account: Account, n: int) -> Item:
    order = an_order(account)
    head = an_item(account, a_product(), Days(JAN, FEB), Days(FEB), order=order)
    for k in range(n):
        part = an_item(
            account, a_product(), Days(JAN), order=order, parent=head.order_line, serial=f"P-{k}"
        )
        piece_of(part, f"SN-{part.pk}")
        piece_of(head, f"SN-{head.pk}-{k}")
        key_of(head, f"KEY-{k}-{head.pk}")
    return head


@pytest.mark.parametrize("path", ["list", "csv", "item"])
def test_the_number_of_questions_does_not_grow(sales: Client, path: str) -> None:
    counts = []
    for n in (1, 8):
        head = _fill(an_account(), n)
        url = {
            "list": URL,
            "csv": f"{URL}?format=csv",
            "item": reverse("subscriptions:item", args=[head.pk]),
        }[path]
        sales.get(URL)
        with CaptureQueriesContext(connection) as captured:
            answer = sales.get(url)
            if answer.streaming:
                b"".join(answer.streaming_content)
        assert answer.status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[0] < 30


# one item


def page_of(client: Client, item: Item, **asked: object) -> str:
    answer = client.get(reverse("subscriptions:item", args=[item.pk]), asked)
    assert answer.status_code == 200
    return text_of(answer)


def test_an_item_with_all_it_is(sales: Client) -> None:
    account = an_account(name="Acme Wien")
    order = an_order(account)
    suite = an_item(
        account,
        a_product(name="Suite"),
        Days(JAN, FEB, "1"),
        Days(FEB, FAR, "3"),
        order=order,
        characteristics={"edition": "pro", "site": "Graben 21"},
    )
    part = an_item(account, a_product(name="Team"), Days(JAN), order=order, parent=suite.order_line)
    piece_of(suite, "SN-1")
    key_of(suite, "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE")
    text = page_of(sales, suite, on="2026-02-15")
    for words in (
        "Suite",
        suite.number,
        "Acme Wien",
        "Graben 21",
        "Edition pro",
        "SN-1",
        "…EEEEE",
        "issued",
        f"Team {part.number} part of the bundle",
        f"Terms {suite.order_line.terms}",
        "€149.70",
        "1 Jan 2126",
        str(suite.order_line),
    ):
        assert words in text, (words, text)
    assert "AAAAA" not in text
    assert f"Suite {suite.number} the bundle that it is part of" in page_of(sales, part)
    assert "€49.90" in page_of(sales, suite, on="2026-01-15")


def test_its_versions_say_what_is_not_believed_any_more(sales: Client) -> None:
    item = an_item(
        an_account(),
        a_product(),
        Days(JAN, quantity="9", until_known=NOW),
        Days(JAN, quantity="2", known=NOW),
    )
    text = page_of(sales, item)
    assert "believed until 15 Feb 2026, 12:00" in text


def test_an_item_that_was_passed_on_names_both(sales: Client) -> None:
    product = a_product()
    first = an_item(an_account(name="Old Ltd"), product, Days(JAN, FEB))
    second = an_item(an_account(name="New Ltd"), product, Days(FEB), root=first)
    piece_of(first, "SN-1")
    for item in (first, second):
        text = page_of(sales, item)
        assert ("Old Ltd" in text, "New Ltd" in text, "SN-1" in text) == (True, True, True)
    assert set(numbers(sales, serial="SN-1")) == {first.number, second.number}


def test_it_links_where_one_may_go(sales: Client) -> None:
    item = an_item(an_account(), a_product(), Days(JAN))
    url = reverse("subscriptions:item", args=[item.pk])
    bills = reverse("billing:of-subscription", args=[item.subscription_id])
    promise = reverse("billing:of-order", args=[item.order_line.order_id])
    line = reverse("orders:line", args=[item.order_line_id])
    html = sales.get(url).content.decode()
    assert (line in html, bills in html, promise in html) == (True, True, False)
    assert promise in client_of("finance").get(url).content.decode()
    assert Order.objects.count() == 1


def test_a_fee_for_leaving_is_nothing_that_anybody_has(sales: Client) -> None:
    product = a_product()
    gone = an_item(an_account(), product, Days(JAN, FEB))
    fee = an_item(
        gone.account,
        product,
        Days(FEB, date(2026, 2, 2), standing="suspended"),
        in_service={"item_id": gone.pk},
    )
    assert numbers(sales) == numbers(sales, on="2026-02-01") == [gone.number]
    assert fee.number in page_of(sales, fee)


def test_an_item_of_which_nothing_came(sales: Client) -> None:
    item = an_item(an_account(), a_product(name="Fibre"), Days(JAN, until_known=NOW))
    assert "No days of it" not in page_of(sales, item)
    assert numbers(sales, state="ended") == [item.number]
    assert cells(sales)["product"] == "Fibre"
