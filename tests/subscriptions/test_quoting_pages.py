"""The editor of quotes of changes, the pages of such a quote, and the doors that lead there."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from quotes import links
from quotes.models import Quote
from subscriptions.models import Item, QuotedChange
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.factories import a_product, a_quote, monthly, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service, written

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]

NEW = "/subscriptions/quotes/new/"


its_life = a_line_in_service


@pytest.fixture
def item(world: World) -> Item:
    """30.00 a month, billed for February; it is 10 February. There is a Line 50 to change to."""
    a_product(code="line-50", name="Line 50", charges=[monthly("50.00"), setup_fee("7.00")])
    return Item.objects.get()


@pytest.fixture
def rep() -> Client:
    return client_of("sales")


def said(item: Item, *changes: dict[str, str], **header: str) -> dict[str, str]:
    """What the editor's fields hold."""
    fields = {"account": str(item.account_id), "lines": "0", "do": "save"}
    fields |= {"start_on": "2026-03-01", "valid_until": "2026-03-01", "title": ""} | header
    for index, change in enumerate(changes):
        change = {"item": str(item.pk), "action": "change", "price": "agreed"} | change
        fields |= {f"changes-{index}-{name}": value for name, value in change.items()}
    return fields


def drafted(rep: Client, item: Item, *changes: dict[str, str], **header: str) -> Quote:
    answer = rep.post(NEW, said(item, *changes, **header))
    assert answer.status_code == 302, faults(answer)
    return Quote.objects.latest("pk")


def faults(page: Any) -> dict[str, str]:
    """Every fault that the page shows, by the field beside which it stands."""
    editor = page.context["editor"]
    found = {name: " ".join(told) for name, told in editor.header.errors.items()}
    for index, form in enumerate(editor.services):
        found |= {f"{index}.{name}": " ".join(told) for name, told in form.errors.items()}
    for index, line in enumerate(editor.lines):
        found |= {f"line {index}.{name}": told for name, told in line.faults.items()}
    return found


UPGRADE = {"product": "line-50"}


def test_a_new_quote_begins_with_the_paid_period(rep: Client, item: Item) -> None:
    page = rep.get(f"{NEW}?account={item.account_id}&item={item.pk}")
    assert page.status_code == 200
    html = page.content.decode()
    assert html.count('value="2026-03-01"') == 2
    assert "Line 30, as now" in html
    text = text_of(page)
    assert "Name what becomes different." in text
    assert faults(page) == {}
    by_number = rep.get(f"{NEW}?account={item.account.reference}")
    assert 'value="2026-02-11"' in by_number.content.decode()
    assert "Add service" in text_of(by_number)
    assert " style=" not in html


def test_the_account_is_asked_for_where_none_is_named(rep: Client, item: Item) -> None:
    assert "Whose services are to change?" in text_of(rep.get(NEW))
    answer = rep.get(NEW, {"by": "name", "account": item.account.name})
    assert answer["Location"] == f"{NEW}?account={item.account_id}"
    wrong = rep.get(NEW, {"by": "name", "account": "nobody at all"})
    assert wrong.status_code == 422
    assert "No account has this number or name." in text_of(wrong)
    assert rep.get(f"{NEW}?item={item.pk}").context["account"] == item.account


def test_an_account_without_services(rep: Client, world: World) -> None:
    account = world.an_account()
    page = rep.get(f"{NEW}?account={account.pk}")
    assert "nothing in service" in text_of(page)
    assert f'href="/quotes/new/?account={account.pk}"' in page.content.decode()


def test_the_delta_follows_what_is_typed(rep: Client, item: Item) -> None:
    page = rep.post(
        NEW, said(item, UPGRADE, do=""), headers={"HX-Request": "true", "HX-Target": "brings"}
    )
    html = page.content.decode()
    assert html.lstrip().startswith('<section id="brings"')
    text = text_of(page)
    for part in (
        "A month €30.00 → €50.00 +€20.00",
        "First bill on 1 Mar 2026 €57.00",
        "36 months difference in all",
        "Line 30 → Line 50",
        "Line 50: Monthly 1 Mar 2026 – 31 Mar 2026 €50.00",
        "Net, without tax.",
    ):
        assert part in text, part
    assert 'id="id_changes-0-quantity_error"' in html or 'id="id_changes-0-quantity_error' in html
    before = written()
    wrong = rep.post(
        NEW,
        said(item, {"quantity": "0"}, do=""),
        headers={"HX-Request": "true", "HX-Target": "brings"},
    )
    assert "The quantity must be more than zero." in text_of(wrong)
    assert written() == before
    assert not Quote.objects.filter(kind="change").exists()


def test_only_the_fields_of_what_is_done(rep: Client, item: Item) -> None:
    def fields(action: str) -> set[str]:
        page = rep.post(NEW, said(item, {"action": action}, do="look"), **HTMX)
        assert page.content.decode().startswith("{#") is False
        (form,) = page.context["editor"].services
        return {field.name for field in form if not field.is_hidden}

    what = {"product", "quantity", "price", "discount_percent"}
    assert fields("change") == {"action", *what, "on"}
    term = {"months", "renewal", "uplift_percent", "notice_days"}
    assert fields("renew") == {"action", *what, *term, "on"}
    assert fields("co_term") == {"action", "to"}
    assert fields("end") == {"action", "on", "reason"}


def test_another_product_asks_for_what_describes_it(rep: Client, item: Item) -> None:
    a_product(
        code="line-70",
        name="Line 70",
        charges=[monthly("70.00")],
        characteristics=[
            {"name": "edition", "type": "choice", "choices": ["basic", "pro"], "required": True}
        ],
    )
    page = rep.post(NEW, said(item, {"product": "line-70"}, do="look"), **HTMX)
    assert 'name="changes-0-c-edition"' in page.content.decode()
    page = rep.post(NEW, said(item, {"product": "line-70"}))
    assert (page.status_code, list(faults(page))) == (422, ["0.c-edition"])
    quote = drafted(rep, item, {"product": "line-70", "c-edition": "pro"})
    assert QuotedChange.objects.get().asked["characteristics"] == {"edition": "pro"}
    page = rep.get(f"/subscriptions/quotes/{quote.pk}/edit/")
    assert '<option value="pro" selected>' in page.content.decode()


def test_services_and_products_come_and_go(rep: Client, item: Item) -> None:
    page = rep.post(NEW, said(item, do="serve", service=str(item.pk)), **HTMX)
    (form,) = page.context["editor"].services
    assert form.known.item == item
    assert page.context["editor"].others == []
    page = rep.post(NEW, said(item, UPGRADE, do="drop-0"), **HTMX)
    assert page.context["editor"].services == []
    page = rep.post(NEW, said(item, UPGRADE, do="add"), **HTMX)
    assert len(page.context["editor"].lines) == 1
    assert 'name="lines-0-product"' in page.content.decode()


def test_a_draft_is_saved_edited_sent_and_accepted(rep: Client, item: Item, world: World) -> None:
    a_product(code="box", name="Box", charges=[monthly("5.00"), setup_fee("9.00")])
    line = {"lines": "1", "lines-0-product": "box", "lines-0-quantity": "2"}
    quote = drafted(rep, item, {**UPGRADE, "discount_percent": "10"}, title="More of it", **line)
    assert (quote.kind, quote.title, quote.start_on) == ("change", "More of it", date(2026, 3, 1))
    page = rep.get(quote.get_absolute_url())
    text = text_of(page)
    for part in (
        "What it brings from 1 Mar 2026",
        "€30.00 → €55.00",
        "Line 30 → Line 50",
        "Counts from 1 Mar 2026",
        "a preview: prices are frozen when it is sent",
        "Month by month",
    ):
        assert part in text, part
    edit = reverse("subscriptions:quote-edit", args=[quote.pk])
    assert f'href="{edit}"' in page.content.decode()
    assert rep.get(f"/quotes/{quote.pk}/edit/")["Location"] == edit
    page = rep.get(edit)
    (form,) = page.context["editor"].services
    assert (form["product"].value(), form["discount_percent"].value()) == ("line-50", "10")
    assert page.context["editor"].lines[0].product == "box"
    answer = rep.post(edit, said(item, UPGRADE, title="Other", **line))
    assert answer["Location"] == quote.get_absolute_url()
    quote.refresh_from_db()
    assert quote.title == "Other"
    assert rep.post(f"/quotes/{quote.pk}/send/").status_code == 302
    assert rep.get(edit)["Location"] == quote.get_absolute_url()
    text = text_of(rep.get(quote.get_absolute_url()))
    assert "as offered on 10 Feb 2026" in text
    customer = Client()
    link = f"/orders/offer/{links.sign(quote.pk)}/"
    page = customer.get(link)
    text = text_of(page)
    for part in ("Offer", "Counts from 1 Mar 2026", "€30.00 → €60.00", "Net, without tax."):
        assert part in text, part
    assert "Total without tax" not in text
    assert " style=" not in page.content.decode()
    consent = {"answer": "accept", "name": "Dr. P. Hall", "consent": "on"}
    assert customer.post(link, consent).status_code == 302
    quote.refresh_from_db()
    assert quote.state == "accepted"


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"action": "renew", "months": "24", "uplift_percent": "", "notice_days": "60"}, "renew"),
        ({"action": "end", "reason": "moves away"}, "end"),
        ({"quantity": "4"}, "change"),
        ({"price": "current", "discount_percent": "5"}, "change"),
    ],
)
def test_every_action_is_kept_as_it_was_said(
    rep: Client, item: Item, change: dict[str, str], asked: str
) -> None:
    quote = drafted(rep, item, change)
    kept = QuotedChange.objects.get().asked
    assert kept["action"] == asked
    for name, value in change.items():
        assert str(kept[name] if kept[name] is not None else "") == value, name
    page = rep.get(f"/subscriptions/quotes/{quote.pk}/edit/")
    (form,) = page.context["editor"].services
    for name, value in change.items():
        assert str(form[name].value()) == value
    assert faults(page) == {}
    assert page.context["editor"].delta is not None


@pytest.mark.parametrize(
    ("changes", "header", "places"),
    [
        ([], {}, ["__all__"]),
        ([UPGRADE, {"action": "end"}], {}, ["1.__all__"]),
        ([UPGRADE], {"valid_until": "2026-03-02"}, ["valid_until"]),
        ([UPGRADE], {"start_on": "2026-02-01", "valid_until": "2026-02-01"}, ["valid_until"]),
        ([UPGRADE], {"start_on": "2026-02-09", "valid_until": "2026-02-10"}, ["start_on"]),
        ([UPGRADE], {"start_on": "tomorrow"}, ["start_on"]),
        ([UPGRADE], {"start_on": ""}, ["start_on"]),
        ([{"quantity": "0"}], {}, ["0.quantity"]),
        ([{"quantity": "many"}], {}, ["0.quantity"]),
        ([{}], {}, ["0.product"]),
        ([{"product": "no-such"}], {}, ["0.product"]),
        ([{"product": "old"}], {}, ["0.product"]),
        ([UPGRADE | {"discount_percent": "101"}], {}, ["0.discount_percent"]),
        ([UPGRADE | {"discount_percent": "abc"}], {}, ["0.discount_percent"]),
        ([UPGRADE | {"on": "2026-02-20"}], {}, ["0.on"]),
        ([UPGRADE | {"on": "never"}], {}, ["0.on"]),
        ([UPGRADE | {"price": "mine"}], {}, ["0.price"]),
        ([{"action": "destroy"}], {}, ["0.action"]),
        ([{"action": "renew", "months": "0"}], {}, ["0.months"]),
        ([{"action": "renew", "months": "1.5"}], {}, ["0.months"]),
        ([{"action": "renew", "months": "12", "renewal": "uplift"}], {}, ["0.uplift_percent"]),
        ([{"action": "co_term"}], {}, ["0.to"]),
        ([{"action": "co_term", "to": "2027-01-01"}], {}, ["0.__all__"]),
        ([{"action": "end", "reason": "x" * 501}], {}, ["0.reason"]),
        ([UPGRADE], {"lines": "1", "lines-0-product": "no-such"}, ["line 0.product"]),
        ([UPGRADE], {"title": "x" * 201}, ["title"]),
    ],
)
def test_bad_input_stands_beside_its_field(
    rep: Client,
    item: Item,
    changes: list[dict[str, str]],
    header: dict[str, str],
    places: list[str],
) -> None:
    old = a_product(code="old", charges=[monthly("9.00")])
    old.__class__.objects.filter(pk=old.pk).update(state="retired")
    before = written()
    page = rep.post(NEW, said(item, *changes, **header))
    assert page.status_code in (409, 422)
    assert list(faults(page)) == places
    assert not Quote.objects.filter(kind="change").exists()
    assert written() == before
    text = text_of(page)
    for told in faults(page).values():
        assert told.split("“")[0].split("'")[0].split("’")[0] in text


def test_a_term_is_not_made_shorter(rep: Client, item: Item) -> None:
    quote = drafted(rep, item, {"action": "renew", "months": "24"})
    rep.post(f"/quotes/{quote.pk}/send/")
    Client().post(
        f"/orders/offer/{links.sign(quote.pk)}/",
        {"answer": "accept", "name": "Dr. P. Hall", "consent": "on"},
    )
    page = rep.post(NEW, said(item, {"action": "co_term", "to": "2026-06-01"}))
    assert (page.status_code, list(faults(page))) == (409, ["0.to"])
    assert "cannot be made shorter" in faults(page)["0.to"]


def test_what_another_account_has(rep: Client, item: Item, world: World) -> None:
    other = world.an_account(reference="A-2", name="Other")
    assert rep.get(f"{NEW}?account={other.pk}&item={item.pk}").status_code == 404
    page = rep.post(NEW, said(item, UPGRADE, account=str(other.pk)))
    assert (page.status_code, list(faults(page))) == (422, ["0.__all__"])
    assert "Line 30" not in text_of(page)
    quote = drafted(rep, item, UPGRADE)
    elsewhere = a_quote(account=other, at=world.now, valid_until=date(2026, 3, 1))
    edit = f"/subscriptions/quotes/{elsewhere.pk}/edit/"
    assert rep.get(edit)["Location"] == f"/quotes/{elsewhere.pk}/edit/"
    assert quote.account_id == item.account_id


@pytest.mark.parametrize(
    "query", ["?item=x", "?item=0", "?account=0", "?account=%00", "?item=" + "9" * 30]
)
def test_addresses_that_name_nothing(rep: Client, item: Item, query: str) -> None:
    assert rep.get(NEW + query).status_code == 404


@pytest.mark.parametrize("path", [NEW, "/subscriptions/quotes/1/edit/"])
def test_who_may(client: Client, path: str) -> None:
    assert client.get(path)["Location"].startswith("/login/")
    assert client_of("finance").get(path).status_code == 403
    assert client_of("finance").post(path, {"do": "save"}).status_code == 403


def test_a_quote_that_is_not_there(rep: Client) -> None:
    assert rep.get("/subscriptions/quotes/99/edit/").status_code == 404


@pytest.mark.parametrize(
    "mangled",
    [
        {"changes-0-item": "x"},
        {"changes-9999-action": "end"},
        {"changes-0-c-": "\0"},
        {"lines": "-1", "do": "drop-x"},
        {"do": "serve", "service": "99999999999999999999"},
        {"changes-0-quantity": "1e99"},
        {"changes-0-product": "\0"},
    ],
)
def test_mangled_forms_are_answered(rep: Client, item: Item, mangled: dict[str, str]) -> None:
    for do in ("save", "look"):
        page = rep.post(NEW, said(item, {}, do=do) | mangled)
        assert page.status_code in (200, 409, 422)


@pytest.mark.parametrize("lines", [1, 6])
def test_a_sent_quote_reads_as_often_for_many_lines(rep: Client, item: Item, lines: int) -> None:
    a_product(code="box", name="Box", charges=[monthly("5.00")])
    given = {"lines": f"{lines}"}
    for n in range(lines):
        given |= {f"lines-{n}-product": "box", f"lines-{n}-quantity": "1"}
    quote = drafted(rep, item, UPGRADE, **given)
    assert rep.post(f"/quotes/{quote.pk}/send/").status_code == 302
    assert queries(rep, quote.get_absolute_url()) == 12
    assert queries(Client(), f"/orders/offer/{links.sign(quote.pk)}/") == 5


def test_the_list_says_what_kind_a_quote_is(rep: Client, item: Item) -> None:
    quote = drafted(rep, item, UPGRADE)
    page = rep.get("/quotes/?kind=change")
    assert [row.source for row in page.context["rows"]] == [quote]
    assert f'href="{NEW}"' in page.content.decode()
    assert quote not in [row.source for row in rep.get("/quotes/?kind=new").context["rows"]]
    lines = b"".join(rep.get("/quotes/?kind=change&format=csv").streaming_content).decode()
    assert "Kind" in lines.splitlines()[0]
    assert ",change," in lines.splitlines()[1]


def test_the_doors(rep: Client, item: Item) -> None:
    address = f"{NEW}?account={item.account_id}"
    panel = reverse("subscriptions:of-account", args=[item.account_id])
    service = f"{address}&amp;item={item.pk}"
    assert f'href="{address}"' in rep.get(panel).content.decode()
    assert f'href="{service}"' in rep.get(item.subscription.get_absolute_url()).content.decode()
    clerk = client_of("order team")
    for page in (panel, item.subscription.get_absolute_url(), "/quotes/"):
        assert NEW not in clerk.get(page).content.decode()
