"""The wizard of changes: it asks, it shows what it brings, and orders exactly that."""

import re
from datetime import date
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import InvoiceLine
from o2b.catalog.services import publish_product_version
from orders.models import Order
from subscriptions.models import Act, Item, ItemChange, ItemVersion
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.factories import a_product, monthly, reprice, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service, billed_now, told, total_of, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]


its_life = a_line_in_service


@pytest.fixture
def item(world: World) -> Item:
    return Item.objects.get()


@pytest.fixture
def rep() -> Client:
    return client_of("sales")


def url(item: Item, slug: str) -> str:
    return reverse("subscriptions:change", args=[item.pk, slug])


def look(client: Client, item: Item, slug: str, **said: Any) -> Any:
    """What the page answers when somebody wants to see what it brings."""
    return client.post(url(item, slug), {"when": "now", "do": "preview"} | said)


def order(client: Client, page: Any) -> Any:
    """Press the button of a page that shows what a change brings."""
    html = page.content.decode().partition('class="body stack"')[2]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', html))
    assert hidden["seen"]
    return client.post(page.wsgi_request.path, hidden | {"do": "order"})


def errors(page: Any) -> dict[str, list[str]]:
    return {name: list(found) for name, found in page.context["form"].errors.items()}


def test_an_upgrade_is_shown_before_it_is_ordered(world: World, rep: Client, item: Item) -> None:
    a_product(code="line-50", name="Line 50", charges=[monthly("50.00"), setup_fee("7.00")])
    page = rep.get(url(item, "product"))
    assert "From today, 10 Feb 2026" in text_of(page)
    assert "When the running period ends, on 1 Mar 2026" in text_of(page)
    before = written()
    page = look(rep, item, "product", product="line-50", quantity="1")
    assert page.status_code == 200
    assert written() == before
    text = text_of(page)
    for part in (
        "Before",
        "Line 30",
        "€30.00",
        "From 10 Feb 2026",
        "Line 50",
        "+€20.00",
        "Line 30: Monthly corrects the bill for 1 Feb 2026 – 28 Feb 2026 ",
        "1 Feb 2026 – 9 Feb 2026 -€20.36",
        "Line 50: Monthly corrects the bill for 1 Feb 2026 – 28 Feb 2026 ",
        "10 Feb 2026 – 28 Feb 2026 €33.93",
        "Line 50: Setup 10 Feb 2026 €7.00",
        "Together €20.57",
        "The next bill of this service, 10 Feb 2026",
        "36 months",
        "€20.57 is charged because of this change. It holds from 10 Feb 2026.",
        "Order this change",
    ):
        assert part in text, part
    shown = page.context["preview"]
    assert (len(shown.months), shown.chart is not None) == (36, True)
    answer = order(rep, page)
    assert answer.headers["Location"] == f"{item.subscription.get_absolute_url()}#item-{item.pk}"
    placed = Order.objects.latest("pk")
    assert (placed.kind, placed.channel) == ("change", "screen")
    told_so = rep.get(answer.headers["Location"])
    assert f'<a href="{placed.get_absolute_url()}">' in told_so.content.decode()
    text = text_of(told_so)
    assert "Ordered: Upgrade or downgrade." in text
    assert "Line 30 → Line 50 from 10 Feb 2026" in text
    world.settle()
    amounts = billed_now(world)
    assert amounts == ["-20.36", "7.00", "33.93"]
    assert total_of(amounts) == shown.because_total.amount == shown.next_total.amount


def test_at_the_end_of_the_period(rep: Client, item: Item) -> None:
    a_product(code="line-20", name="Line 20", charges=[monthly("20.00")])
    page = look(rep, item, "product", product="line-20", when="period_end")
    text = text_of(page)
    assert "Nothing that was billed changes. It holds from 1 Mar 2026." in text
    assert "The next bill of this service, 1 Mar 2026" in text
    assert "1 Mar 2026 – 31 Mar 2026 €20.00" in text
    assert order(rep, page).status_code == 302
    assert ItemChange.objects.get().on == date(2026, 3, 1)
    text = text_of(rep.get(item.subscription.get_absolute_url()))
    assert "Line 30 → Line 20 from 1 Mar 2026 planned" in text


def test_a_backdated_change_warns_and_names_what_comes_after(
    world: World, rep: Client, item: Item
) -> None:
    told(world, item, Act.QUANTITY, quantity="4", on=date(2026, 3, 10))
    page = look(rep, item, "quantity", quantity="2", when="on", on="2026-01-20")
    text = text_of(page)
    assert "It holds from 20 Jan 2026, 21 days ago" in text
    assert "1 change from a later day stays as it is: another quantity, 10 Mar 2026." in text
    # 12 of 31 days of January and all of February: 30 × 12 ÷ 31 + 30.
    assert "€41.61 is charged because of this change." in text
    assert order(rep, page).status_code == 302
    world.settle()
    assert total_of(billed_now(world)) == page.context["preview"].because_total.amount


@pytest.mark.parametrize(
    ("slug", "said", "kind", "words"),
    [
        ("quantity", {"quantity": "4"}, "change", "Quantity 1 → 4 from 10 Feb 2026"),
        ("suspend", {"billing": "none"}, "suspend", "Suspended from 10 Feb 2026, billed: not"),
        ("suspend", {"billing": "fee", "fee_product": "holding"}, "suspend", "a holding fee"),
        ("price", {}, "price_change", "Another price from 10 Feb 2026"),
        ("version", {"version": "2"}, "change", "Line 30 version 1 → 2 from 10 Feb 2026"),
        ("move", {"c-address": "Graben 21"}, "move", "Moved to another address from"),
        ("transfer", {"to_account": "A-2"}, "transfer", "Passed on to Other"),
        ("end", {"when": "on", "on": "2026-02-20"}, "cancel", "Out of service from 20 Feb 2026"),
    ],
)
def test_every_act(
    world: World, rep: Client, item: Item, slug: str, said: dict[str, str], kind: str, words: str
) -> None:
    a_product(code="holding", charges=[monthly("5.00")])
    world.an_account(reference="A-2", name="Other")
    newer = item.product_version.product.versions.create(number=2, characteristics=[])
    if slug == "version":
        publish_product_version(version_id=newer.pk, at=world.now)
    if slug == "price":
        reprice(item.product_version, charges=[monthly("33.00")])
    assert rep.get(url(item, slug)).status_code == 200
    page = look(rep, item, slug, **said)
    assert page.status_code == 200, errors(page)
    assert order(rep, page).status_code == 302
    placed = Order.objects.latest("pk")
    assert placed.kind == kind
    world.settle()
    assert total_of(billed_now(world)) == page.context["preview"].because_total.amount
    assert words in text_of(rep.get(item.subscription.get_absolute_url()))
    text = text_of(rep.get(placed.get_absolute_url()))
    assert "carried out at once, without delivery" in text
    assert item.number in text
    assert "0 of 0 steps" not in text


def test_resume(world: World, rep: Client, item: Item) -> None:
    told(world, item, Act.SUSPEND, billing="none")
    text = text_of(rep.get(item.subscription.get_absolute_url()))
    assert "Resume" in text
    world.on("2026-02-20")
    page = look(rep, item, "resume")
    assert order(rep, page).status_code == 302
    item.refresh_from_db()
    assert item.state == "active"


def test_a_planned_change_is_taken_back(world: World, rep: Client, item: Item) -> None:
    told(world, item, Act.QUANTITY, quantity="4", on=date(2026, 3, 10))
    html = rep.get(item.subscription.get_absolute_url()).content.decode()
    link = f"{url(item, 'take-back')}?withdraws=2"
    assert f'href="{link}"' in html
    page = rep.get(link)
    text = text_of(page)
    assert "“another quantity” from 10 Mar 2026 is taken back." in text
    assert "Nothing that was billed changes." in text
    assert order(rep, page).status_code == 302
    believed = ItemVersion.objects.filter(item=item, recorded__endswith=None)
    assert [int(v.quantity) for v in believed] == [1]
    text = text_of(rep.get(item.subscription.get_absolute_url()))
    assert "Taken back: “another quantity” from 10 Mar 2026" in text
    assert "planned" not in text.partition("Versions")[0].partition("Changes")[2]


def test_a_transfer_links_both_sides(world: World, rep: Client, item: Item) -> None:
    other = world.an_account(reference="A-2", name="Other")
    told(world, item, Act.TRANSFER, to_account_id=other.pk, on=date(2026, 2, 20))
    following = Item.objects.exclude(pk=item.pk).get()
    page = rep.get(item.subscription.get_absolute_url())
    assert f"Passed on to {other} on 20 Feb 2026: {following}" in text_of(page)
    (row,) = page.context["chart"].rows
    marks = [(sign.mark.kind, sign.mark.url) for sign in row.signs]
    assert marks == [("transfer", reverse("subscriptions:of-item", args=[following.pk]))]
    text = text_of(rep.get(following.subscription.get_absolute_url()))
    assert f"Taken over from {item.account} on 20 Feb 2026: {item}" in text
    assert "Change quantity" in text
    # Until then it is changed here; what another account has is changed there.
    assert rep.get(url(item, "end")).status_code == 200
    world.on("2026-02-20")
    assert rep.get(url(item, "end")).headers["Location"] == url(following, "end")
    assert rep.get(marks[0][1]).status_code == 302


def test_each_account_sees_what_changes_while_it_has_the_service(
    world: World, rep: Client, item: Item
) -> None:
    other = world.an_account(reference="A-2", name="Other")
    told(world, item, Act.QUANTITY, quantity="2", on=date(2026, 2, 15))
    told(world, item, Act.TRANSFER, to_account_id=other.pk, on=date(2026, 2, 20))
    told(world, Item.objects.exclude(pk=item.pk).get(), Act.END, on=date(2026, 6, 1))

    def ahead(account_id: int) -> list[str]:
        url = reverse("subscriptions:of-account", args=[account_id])
        (service,) = rep.get(url).context["services"]
        return list(service.ahead)

    assert ahead(item.account_id) == [
        "Quantity 1 → 2 from 15 Feb 2026",
        f"Passed on to {other} from 20 Feb 2026",
    ]
    assert ahead(other.pk) == ["Out of service from 1 Jun 2026"]


def test_a_bill_of_today_says_what_was_due_before(world: World, rep: Client, item: Item) -> None:
    told(world, item, Act.QUANTITY, quantity="2", on=date(2026, 1, 20))
    page = look(rep, item, "quantity", quantity="3", when="on", on="2026-02-15")
    shown = page.context["preview"]
    # 12 of 31 days of January and all of February for one more; 14 of 28 days for another one.
    assert f"{shown.because_total.amount:.2f} {shown.besides.amount:.2f}" == "15.00 41.61"
    assert "€41.61 of it was due before this change." in text_of(page)


def test_a_product_asks_what_it_needs_and_keeps_what_is_known(
    world: World, rep: Client, item: Item
) -> None:
    specs = [
        {"name": "edition", "type": "choice", "choices": ["basic", "pro"], "required": True},
        {"name": "site", "type": "text"},
    ]
    a_product(code="seat", name="Seat", charges=[monthly("9.00")], characteristics=specs)
    asked = rep.post(url(item, "product"), {"product": "seat", "do": "look"}, **HTMX)
    assert asked.content.decode().lstrip().startswith('<div id="change"')
    assert 'name="c-edition"' in asked.content.decode()
    assert not asked.context["form"].errors
    page = look(rep, item, "product", product="seat")
    assert page.status_code == 422
    assert list(errors(page)) == ["c-edition"]
    page = look(rep, item, "product", product="seat", **{"c-edition": "pro", "c-site": "Graben"})
    assert order(rep, page).status_code == 302
    line = ItemChange.objects.get().order_line
    assert line.characteristics == {"edition": "pro", "site": "Graben"}
    # The address is another one; the edition stays.
    html = rep.get(url(item, "move")).content.decode()
    assert 'value="Graben"' in html
    page = look(rep, item, "move", **{"c-edition": "pro", "c-site": "Ring 1"})
    assert order(rep, page).status_code == 302
    moved = ItemChange.objects.latest("pk").order_line
    assert moved.characteristics == {"edition": "pro", "site": "Ring 1"}
    # Another price asks nothing again.
    reprice(line.product_version, charges=[monthly("8.00")])
    page = look(rep, item, "price", when="on", on="2026-03-01")
    assert page.status_code == 200, errors(page)


@pytest.mark.parametrize(
    ("slug", "said", "field"),
    [
        ("quantity", {"quantity": "0"}, "quantity"),
        ("quantity", {"quantity": "x"}, "quantity"),
        ("quantity", {"quantity": "NaN"}, "quantity"),
        ("quantity", {"quantity": "1e400"}, "quantity"),
        ("quantity", {"quantity": ""}, "quantity"),
        ("quantity", {"quantity": "1"}, "quantity"),
        ("quantity", {"quantity": "9" * 500}, "quantity"),
        ("quantity", {"quantity": "2\0"}, "quantity"),
        ("quantity", {"quantity": "2", "when": "on"}, "on"),
        ("quantity", {"quantity": "2", "when": "on", "on": "2025-12-31"}, "on"),
        ("quantity", {"quantity": "2", "when": "on", "on": "0001-01-01"}, "on"),
        ("quantity", {"quantity": "2", "when": "on", "on": "2026-02-30"}, "on"),
        ("quantity", {"quantity": "2", "when": "now", "on": "2026-03-01"}, "on"),
        ("quantity", {"quantity": "2", "when": "then"}, "when"),
        ("quantity", {"quantity": "2", "reason": "x" * 501}, "reason"),
        ("quantity", {"quantity": "2", "reason": "a\0b"}, "reason"),
        ("product", {"product": "nowhere"}, "product"),
        ("product", {"product": ""}, "product"),
        ("product", {"product": "line-30"}, "product"),
        ("product", {"product": "old"}, "product"),
        ("price", {}, "__all__"),
        ("version", {"version": "9"}, "version"),
        ("version", {"version": ""}, "version"),
        ("suspend", {"billing": "half"}, "billing"),
        ("suspend", {"billing": "fee"}, "fee_product"),
        ("resume", {}, "on"),
        ("move", {}, "c-address"),
        ("move", {"c-address": "\0"}, "c-address"),
        ("transfer", {"to_account": "nobody"}, "to_account"),
        ("transfer", {"to_account": "\0"}, "to_account"),
        ("transfer", {"to_account": "A-USD"}, "to_account"),
        ("end", {"when": "period_end", "on": "junk"}, "on"),
        ("take-back", {"withdraws": "7"}, "__all__"),
        ("take-back", {"withdraws": "x"}, "__all__"),
        ("take-back", {"withdraws": "9" * 9}, "__all__"),
        ("take-back", {}, "__all__"),
    ],
)
def test_refused_beside_the_field(
    world: World, rep: Client, item: Item, slug: str, said: dict[str, str], field: str
) -> None:
    world.an_account(reference="A-USD", currency="USD")
    old = a_product(code="old", charges=[monthly("1.00")])
    old.product.versions.update(state="retired")
    before = written()
    for do in ("preview", "order"):
        page = look(rep, item, slug, **said | {"do": do})
        assert page.status_code == 422
        assert list(errors(page)) == [field]
        assert page.context["preview"] is None
        assert errors(page)[field][0] in unescape(text_of(page))
    assert written() == before


def test_what_was_not_looked_at_is_not_ordered(world: World, rep: Client, item: Item) -> None:
    page = look(rep, item, "quantity", quantity="4")
    told(world, item, Act.QUANTITY, quantity="2", on=date(2026, 3, 10))
    before = written()
    answer = order(rep, page)
    assert answer.status_code == 409
    assert "It is not what you looked at any more" in text_of(answer)
    assert written() == before
    assert order(rep, answer).status_code == 302
    # Neither is what nobody looked at.
    before = written()
    for seen in ("", "x" * 999):
        answer = look(rep, item, "quantity", quantity="7", when="on", on="2026-02-15", seen=seen)
        assert answer.status_code == 200
        answer = look(
            rep, item, "quantity", quantity="7", when="on", on="2026-02-15", seen=seen, do="order"
        )
        assert answer.status_code == 409
    assert written() == before


def test_the_day_that_was_shown_is_the_day_that_is_ordered(
    world: World, rep: Client, item: Item
) -> None:
    page = look(rep, item, "quantity", quantity="4")
    world.on("2026-02-11")
    answer = order(rep, page)
    assert answer.status_code == 409
    assert not ItemChange.objects.exists()
    assert order(rep, answer).status_code == 302
    assert ItemChange.objects.get().on == date(2026, 2, 11)


def test_doors(world: World, item: Item) -> None:
    for group, status in (("sales", 200), ("order team", 200), ("finance", 403), ("product", 403)):
        client = client_of(group)
        assert client.get(url(item, "end")).status_code == status
        assert client.get(reverse("subscriptions:change-choose", args=[item.pk])).status_code == (
            status
        )
        assert look(client, item, "quantity", quantity="3").status_code == status
        page = text_of(client.get(item.subscription.get_absolute_url()))
        assert ("Change quantity" in page) is (status == 200)
    assert Client().get(url(item, "end")).headers["Location"].startswith("/login/")
    rep = client_of("sales")
    assert rep.get(url(item, "no-such-act")).status_code == 404
    for pk in (10**15, 10**30):
        for name in ("change-choose", "of-item"):
            assert rep.get(reverse(f"subscriptions:{name}", args=[pk])).status_code == 404
        assert rep.post(reverse("subscriptions:change", args=[pk, "end"])).status_code == 404
    assert not ItemChange.objects.exists()


def test_what_has_ended_offers_nothing(world: World, rep: Client, item: Item) -> None:
    told(world, item, Act.END, on=date(2026, 2, 1))
    assert "Change quantity" not in text_of(rep.get(item.subscription.get_absolute_url()))
    page = rep.get(reverse("subscriptions:change-choose", args=[item.pk]))
    assert "It is out of service; order it anew." in text_of(page)
    assert list(errors(look(rep, item, "quantity", quantity="3"))) == ["on"]


def test_the_page_costs_the_same_whatever_it_shows(world: World, rep: Client, item: Item) -> None:
    page = item.subscription.get_absolute_url()
    panel = reverse("subscriptions:of-account", args=[item.account_id])
    told(world, item, Act.QUANTITY, quantity="2", on=date(2026, 2, 20))
    few = queries(rep, page), queries(rep, panel), queries(rep, url(item, "quantity"))
    for n in range(3, 8):
        told(world, item, Act.QUANTITY, quantity=f"{n}", on=date(2026, 3, n))
    world.sell(products=[a_product(), a_product()])
    many = queries(rep, page), queries(rep, panel), queries(rep, url(item, "quantity"))
    assert many == few


def test_the_bills_stand_below(world: World, item: Item) -> None:
    page = client_of("finance").get(item.subscription.get_absolute_url())
    panel = reverse("billing:of-subscription", args=[item.subscription_id])
    assert f'hx-get="{panel}"' in page.content.decode()
    assert InvoiceLine.objects.exists()
