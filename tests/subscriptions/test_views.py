"""The pages of subscriptions: what they show, to whom, and at what cost."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from psycopg2.extras import DateRange

from o2b import asks, clock
from subscriptions import selectors
from subscriptions.changes.services import change_services
from subscriptions.changes.wishes import When, Wish
from subscriptions.models import Act, Item, ItemVersion, Subscription
from subscriptions.services import start_items
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.factories import a_contract, a_product, a_user, an_account, monthly, setup_fee
from tests.subscriptions.build import AT, a_line, an_order
from tests.subscriptions.having import Days, an_item

pytestmark = pytest.mark.django_db


def a_subscription(*, lines: int = 1, **line: object) -> Subscription:
    order = an_order(line.pop("account", None))  # type: ignore[arg-type]
    for _ in range(lines):
        product = a_product(name="Voice seat", charges=[monthly("11.00"), setup_fee("20.00")])
        a_line(order, product, **line)  # type: ignore[arg-type]
    subscription = start_items(order_id=order.pk, at=AT)
    assert subscription is not None
    return subscription


def test_the_page_shows_items_terms_and_where_it_comes_from() -> None:
    account = an_account(name="Northwind Clinics")
    a_contract(account, discounts=[("percent", "10")])
    subscription = a_subscription(account=account, quantity="12", serials=["SN-8841"])

    text = text_of(client_of("sales").get(subscription.get_absolute_url()))

    for part in (
        f"Subscription {subscription.number}",
        "Northwind Clinics",
        subscription.order.number,
        "Voice seat",
        "version 1",
        "SN-8841",
        "10 Feb 2026",
        "€118.80",
        "€240.00",
        "in advance, by the day",
        "a month",
        "when service starts",
        "11 × 12",
        "132 − 10 %",
        "billing starts on delivery",
    ):
        assert part in text, part


def test_a_changed_item_shows_all_its_versions() -> None:
    subscription = a_subscription()
    first = ItemVersion.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subscriptions_itemversion"
            " SET recorded = tstzrange(lower(recorded), clock_timestamp())"
        )
    for valid, quantity in (
        (DateRange(date(2026, 2, 10), date(2026, 3, 1)), 1),
        (DateRange(date(2026, 3, 1), None), 7),
    ):
        ItemVersion.objects.create(
            item=first.item,
            product_version=first.product_version,
            terms=first.terms,
            quantity=quantity,
            valid=valid,
            recorded=_open_from(first),
        )

    text = text_of(client_of("sales").get(subscription.get_absolute_url()))

    assert "€77.00" in text
    assert "1 Mar 2026" in text
    days = {date(2026, 2, 9): [], date(2026, 2, 10): [1], date(2026, 3, 1): [7]}
    for day, quantities in days.items():
        found = selectors.in_service(on=day, account_id=subscription.account_id)
        assert [version.quantity for version in found] == quantities


def _open_from(first: ItemVersion) -> object:
    first.refresh_from_db()
    return type(first.recorded)(first.recorded.upper, None)


def test_a_suspended_item_is_not_in_service() -> None:
    subscription = a_subscription()
    assert selectors.in_service(on=AT.date(), subscription_id=subscription.pk).count() == 1
    suspend = Wish(Item.objects.get().pk, Act.SUSPEND, When.ON, date(2026, 3, 1), billing="none")
    change_services(account_id=subscription.account_id, wishes=[suspend], at=AT, actor_id=None)
    on = {day: selectors.in_service(on=day).count() for day in (AT.date(), date(2026, 3, 1))}
    assert on == {AT.date(): 1, date(2026, 3, 1): 0}


@pytest.mark.parametrize("name", ["S-{pk}", "{pk}", "SN-88", "northwind"])
def test_the_list_finds_by_number_serial_and_name(name: str) -> None:
    wanted = a_subscription(account=an_account(name="Northwind"), serials=["SN-8841"])
    other = a_subscription(serials=["ZZ-1"])

    page = client_of("sales").get("/subscriptions/", {"q": name.format(pk=wanted.pk)})

    assert [row.source for row in page.context["rows"]] == [wanted]
    assert other.number not in text_of(page)


def test_the_list_filters_and_exports() -> None:
    subscription = a_subscription(lines=2)
    client = client_of("finance")

    assert [row.source.items_active for row in client.get("/subscriptions/").context["rows"]] == [2]
    assert client.get("/subscriptions/?state=ended").context["total"] == 0
    csv = b"".join(client.get("/subscriptions/?format=csv").streaming_content).decode()
    account = subscription.account
    assert csv.splitlines()[0].startswith("Number,Account,Account number,")
    assert csv.splitlines()[1].startswith(
        f"{subscription.number},{account.name},{account.reference},2"
    )


@pytest.mark.parametrize("path", ["of-account/{account}/", "of-order/{order}/"])
def test_panels_for_pages_that_span_stages(path: str) -> None:
    subscription = a_subscription()
    a_subscription()
    ids = {"account": subscription.account_id, "order": subscription.order_id}
    url = f"/subscriptions/{path.format(**ids)}"
    client = client_of("order team")

    part = client.get(url, **HTMX)
    assert part.content.decode().lstrip().startswith('<section class="card"')
    page = client.get(url)
    assert "<html" in page.content.decode()
    for response in (part, page):
        told = response.context
        if "services" in told:
            assert [s.item.subscription_id for s in told["services"]] == [subscription.pk]
        else:
            assert [s.pk for s in told["subscriptions"]] == [subscription.pk]


@pytest.mark.parametrize("path", ["", "{pk}/", "of-account/{account}/", "of-order/{order}/"])
def test_doors(path: str) -> None:
    subscription = a_subscription()
    ids = {
        "pk": subscription.pk,
        "account": subscription.account_id,
        "order": subscription.order_id,
    }
    url = f"/subscriptions/{path.format(**ids)}"

    assert Client().get(url).headers["Location"].startswith("/login/")
    assert client_of().get(url).status_code == 403
    assert client_of("sales").get(url).status_code == 200


@pytest.mark.parametrize("path", ["{n}/", "of-account/{n}/", "of-order/{n}/"])
def test_an_unknown_id_is_not_there(path: str) -> None:
    for n in (10**15, 10**30):
        response = client_of("sales").get(f"/subscriptions/{path.format(n=n)}")
        assert response.status_code == 404, n


def test_pages_cost_the_same_whatever_they_show() -> None:
    client = client_of("finance")
    one = a_subscription()
    few = queries(client, "/subscriptions/"), queries(client, one.get_absolute_url())
    many = a_subscription(lines=6)
    for _ in range(4):
        a_subscription()
    assert (
        queries(client, "/subscriptions/"),
        queries(client, many.get_absolute_url()),
    ) == few


def test_what_it_answers_when_asked() -> None:
    subscription = a_subscription(serials=["SN-8841"])
    user, stranger = a_user("sales"), a_user()

    cards = [c for c in asks.ask("home_cards", user) if "/subscriptions/" in c.url]
    assert [(c.title, c.value) for c in cards][0] == ("Active subscriptions", "1")
    for words in (subscription.number, subscription.number.lower(), "8841"):
        found = [f for f in asks.ask("search", user, words) if f.kind == "Subscription"]
        assert [(f.title, f.url) for f in found] == [
            (subscription.number, subscription.get_absolute_url())
        ]
    account, order = subscription.account_id, subscription.order_id
    urls = [p.url for p in asks.ask("account_panels", user, account)]
    assert f"/subscriptions/of-account/{account}/" in urls
    urls = [p.url for p in asks.ask("order_panels", user, order)]
    assert f"/subscriptions/of-order/{order}/" in urls
    for question, given in (
        ("home_cards", ()),
        ("search", (subscription.number,)),
        ("account_panels", (account,)),
        ("order_panels", (order,)),
    ):
        answers = asks.ask(question, stranger, *given)
        assert not [a for a in answers if "/subscriptions/" in a.url]


# The timeline, as of any day and as known on any day.

JAN, FEB, MAR, APR = (date(2026, n, 1) for n in (1, 2, 3, 4))


def seen(client: Client, subscription: Subscription, **look: object) -> Any:
    return client.get(subscription.get_absolute_url(), look)


def a_history() -> Item:
    """One until March, seven from then on; until 15 January 2026 one believed in three."""
    known = datetime(2026, 1, 15, 9, tzinfo=UTC)
    return an_item(
        an_account(),
        a_product(name="Voice seat", charges=[monthly("11.00"), setup_fee("20.00")]),
        Days(JAN, None, "3", until_known=known),
        Days(JAN, MAR, "1", known=known),
        Days(MAR, APR, "7", known=known),
        Days(APR, None, "7", standing="suspended", known=known),
    )


@pytest.mark.parametrize(
    ("look", "state", "quantity", "monthly"),
    [
        ({"as_of": "2026-01-10"}, "active", 1, "€11.00"),
        ({"as_of": "2026-03-01"}, "active", 7, "€77.00"),
        ({"as_of": "2026-04-01"}, "suspended", 7, "€77.00"),
        ({"as_of": "2025-12-31"}, "pending", None, "€0.00"),
        ({"as_of": "2026-03-01", "known_on": "2026-01-14"}, "active", 3, "€33.00"),
        ({"as_of": "2026-03-01", "known_on": "2026-01-15"}, "active", 7, "€77.00"),
        ({"as_of": "2026-03-01", "known_on": "2025-12-31"}, "", None, "€0.00"),
        ({"as_of": "2026-03-01", "known_on": "2190-01-01"}, "active", 7, "€77.00"),
    ],
)
def test_as_of_a_day_as_known_on_another(
    look: dict[str, str], state: str, quantity: int | None, monthly: str
) -> None:
    subscription = a_history().subscription
    page = seen(client_of("order team"), subscription, **look)
    (shown,) = page.context["items"]
    now = shown.now
    assert (shown.state, now.version.quantity if now else None) == (state, quantity)
    assert page.context["figures"][0]["value"] == monthly
    text = text_of(page)
    assert "Back to today" in text
    assert "Change quantity" not in text
    assert ("not known then" in text) is (state == "")


@pytest.mark.parametrize(
    "junk",
    ["", "yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "2026-1-1", "\0", "x" * 5000],
)
def test_a_day_that_is_none_is_today(junk: str) -> None:
    subscription = a_history().subscription
    page = seen(client_of("sales"), subscription, as_of=junk, known_on=junk)
    assert page.status_code == 200
    assert page.context["look"].is_now
    assert "Back to today" not in text_of(page)


def test_the_timeline_has_a_bar_a_version_and_says_how_a_pause_is_billed() -> None:
    item = a_history()
    page = seen(client_of("sales"), item.subscription)
    (row,) = page.context["chart"].rows
    assert [(bar.stretch.tone, bar.is_open) for bar in row.bars] == [
        ("use", False),
        ("use", False),
        ("paused", True),
    ]
    html = page.content.decode()
    assert html.count('class="bar use') == 2
    assert 'fill="url(#paused)"' in html
    assert "1 Mar 2026 – 1 Apr 2026: Voice seat version 1, quantity 7, in use, €77.00" in html
    assert "style=" not in html.split("<main")[1]


def test_the_account_sees_what_changes_on_which_day() -> None:
    subscription = a_subscription(quantity="3")
    item = Item.objects.get()
    for wish in (
        Wish(item.pk, Act.QUANTITY, When.ON, date(2126, 3, 1), quantity="5"),
        Wish(item.pk, Act.END, When.ON, date(2127, 1, 1)),
    ):
        change_services(account_id=item.account_id, wishes=[wish], at=AT, actor_id=None)
    panel = client_of("sales").get(f"/subscriptions/of-account/{item.account_id}/", **HTMX)
    text = text_of(panel)
    assert "Quantity 3 → 5 from 1 Mar 2126 Out of service from 1 Jan 2127" in text
    assert (panel.context["services"][0].version.quantity, panel.context["more"]) == (3, 0)
    page = text_of(seen(client_of("order team"), subscription))
    assert page.count("planned") >= 2


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"product": "voice seat"}, 1),
        ({"product": "nothing"}, 0),
        ({"from": "2026-02-10"}, 1),
        ({"from": "2026-02-11"}, 0),
        ({"until": "2026-02-10"}, 1),
        ({"ends": "2127-01-01"}, 1),
        ({"ends": "2126-12-31"}, 0),
        ({"suspended": "yes"}, 0),
        ({"suspended": "no"}, 1),
        ({"changed": "2020-01-01"}, 1),
        ({"changed": "2190-01-01"}, 0),
        ({"changed": "junk", "suspended": "junk", "ends": "9"}, 1),
        ({"customer": "\0", "product": "\0"}, 1),
    ],
)
def test_the_list_is_narrowed_by_its_address(asked: dict[str, str], found: int) -> None:
    subscription = a_subscription()
    end = Wish(Item.objects.get().pk, Act.END, When.ON, date(2127, 1, 1))
    change_services(account_id=subscription.account_id, wishes=[end], at=AT, actor_id=None)
    page = client_of("sales").get("/subscriptions/", asked)
    assert page.context["total"] == found
    if found:
        assert "€11.00" in text_of(page)


def test_what_is_planned_and_what_ends() -> None:
    item = Item.objects.get(subscription=a_subscription(quantity="3"))
    client = client_of("sales")
    for url in ("/subscriptions/planned/", "/subscriptions/ending/"):
        assert client.get(url).context["total"] == 0
    far = clock.today() + timedelta(days=20)
    for act, on, given in (
        (Act.QUANTITY, far, {"quantity": "5"}),
        (Act.END, far + timedelta(days=20), {}),
        (Act.QUANTITY, date(2026, 2, 20), {"quantity": "2"}),
    ):
        wish = Wish(item.pk, act, When.ON, on, **given)
        change_services(account_id=item.account_id, wishes=[wish], at=clock.now(), actor_id=None)
    planned = client.get("/subscriptions/planned/")
    assert [row.source.act for row in planned.context["rows"]] == ["quantity", "end"]
    ending = client.get("/subscriptions/ending/")
    assert [row.source.pk for row in ending.context["rows"]] == [item.pk]
    for url, days, n in (
        ("planned", 30, 1),
        ("planned", 60, 2),
        ("ending", 30, 0),
        ("ending", 60, 1),
        ("ending", "junk", 1),
    ):
        assert client.get(f"/subscriptions/{url}/?within={days}").context["total"] == n
    few = [queries(client, f"/subscriptions/{url}/") for url in ("planned", "ending")]
    for _ in range(3):
        more = Item.objects.get(subscription=a_subscription())
        end = Wish(more.pk, Act.END, When.ON, far)
        change_services(account_id=more.account_id, wishes=[end], at=clock.now(), actor_id=None)
    assert [queries(client, f"/subscriptions/{url}/") for url in ("planned", "ending")] == few
    for name in ("planned", "ending"):
        csv = b"".join(client.get(f"/subscriptions/{name}/?format=csv").streaming_content)
        assert csv.count(b"\r\n") == {"planned": 6, "ending": 5}[name]
