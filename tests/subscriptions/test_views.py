"""The pages of subscriptions: what they show, to whom, and at what cost."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from psycopg2.extras import DateRange

from o2b import asks
from subscriptions import selectors
from subscriptions.models import Item, ItemVersion, Subscription
from subscriptions.services import start_items
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.factories import a_contract, a_product, a_user, an_account, monthly, setup_fee
from tests.subscriptions.build import AT, a_line, an_order

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
    item = Item.objects.get()
    assert selectors.in_service(on=AT.date(), subscription_id=subscription.pk).count() == 1
    item.suspend(at=AT)
    item.save()
    assert selectors.in_service(on=AT.date(), subscription_id=subscription.pk).count() == 0


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
        assert [s.pk for s in response.context["subscriptions"]] == [subscription.pk]


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
