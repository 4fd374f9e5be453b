"""The editor of a draft: with and without htmx, its lines, its totals, its errors."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from o2b import clock
from quotes.models import Quote
from quotes.services import send_quote
from tests.factories import a_product, a_quote, a_sent_quote, a_user, an_account

pytestmark = pytest.mark.django_db

SPEED = {"name": "speed", "label": "Speed", "type": "choice", "choices": ["100", "250"]}


@pytest.fixture
def rep() -> Client:
    client = Client()
    client.force_login(a_user("sales", username="rep"))
    an_account(reference="N-1", name="Northwind")
    a_product(code="fibre", name="Fibre", characteristics=[SPEED | {"required": True}])
    a_product(code="phone", name="Phone")
    return client


def fields(*lines: dict[str, str], **given: str) -> dict[str, str]:
    """What the browser sends."""
    until = clock.today() + timedelta(days=10)
    sent = {"account": "N-1", "valid_until": until.isoformat(), "lines": str(len(lines))} | given
    for i, line in enumerate(lines):
        told = {"product": "phone", "quantity": "1", "discount_percent": ""} | line
        sent |= {f"lines-{i}-{name}": value for name, value in told.items()}
    return sent


def live(client: Client, sent: dict[str, str]) -> str:
    headers = {"HX-Request": "true", "HX-Target": "totals"}
    answer = client.post("/quotes/new/", sent, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_new_quote_begins_for_the_account_whose_page_was_open(rep: Client) -> None:
    account = an_account(reference="A-9")
    page = rep.get(f"/quotes/new/?account={account.pk}").content.decode()
    assert 'value="A-9"' in page
    for odd in ("x", "0", "9" * 40, "%00"):
        assert rep.get(f"/quotes/new/?account={odd}").status_code == 200


def test_an_unknown_draft_is_not_there(rep: Client) -> None:
    for key in ("0", "9" * 30):
        assert rep.get(f"/quotes/{key}/edit/").status_code == 404
        assert rep.post(f"/quotes/{key}/edit/", fields({})).status_code == 404
    assert Quote.objects.count() == 0


def test_totals_follow_each_keystroke(rep: Client) -> None:
    part = live(rep, fields({"quantity": "2"}, {"discount_percent": "50"}))
    assert part.startswith('<section id="totals"')
    assert "€124.75" in part
    assert '<p class="wish-amounts" id="line-1-amounts" hx-swap-oob="true">' in part
    assert "€24.95" in part
    assert Quote.objects.count() == 0


def test_the_same_totals_without_javascript(rep: Client) -> None:
    page = rep.post("/quotes/new/", fields({"quantity": "2"}) | {"do": "recalculate"})
    assert page.status_code == 200
    assert "<!doctype html>" in page.content.decode()
    assert "€99.80" in page.content.decode()


def test_an_error_stands_beside_its_field_at_once(rep: Client) -> None:
    part = live(rep, fields({"quantity": "-1"}, {"discount_percent": "x"}))
    slot = '<div class="errorlist" id="lines-{}-{}-error" hx-swap-oob="true">{}</div>'
    assert slot.format(0, "quantity", "The quantity must be more than zero.") in part
    assert slot.format(1, "discount_percent", "The discount is a number.") in part
    assert slot.format(1, "quantity", "") in part
    assert "mend what is marked" in part


def test_a_line_without_a_product_yet_is_no_error(rep: Client) -> None:
    part = live(rep, fields({"product": ""}))
    assert "Choose a product, or" not in part
    page = rep.post("/quotes/new/", fields({"product": ""}) | {"do": "save"})
    assert page.status_code == 422
    assert "Choose a product, or" in page.content.decode()


@pytest.mark.parametrize(
    ("deed", "products"),
    [
        ("add", ["phone", "fibre", ""]),
        ("remove-0", ["fibre"]),
        ("up-1", ["fibre", "phone"]),
        ("down-0", ["fibre", "phone"]),
        ("up-0", ["phone", "fibre"]),
        ("down-1", ["phone", "fibre"]),
        ("remove-9", ["phone", "fibre"]),
        ("remove-x", ["phone", "fibre"]),
        ("remove-²", ["phone", "fibre"]),
        ("nonsense", ["phone", "fibre"]),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true", "HX-Target": "editor"}])
def test_lines_come_go_and_move(
    rep: Client, deed: str, products: list[str], headers: dict[str, str]
) -> None:
    sent = fields({}, {"product": "fibre", "c-speed": "250"}) | {"do": deed}
    answer = rep.post("/quotes/new/", sent, headers=headers)
    assert [line.product for line in answer.context["editor"].lines] == products
    assert ("<!doctype html>" in answer.content.decode()) is not bool(headers)


def test_a_product_asks_for_its_characteristics(rep: Client) -> None:
    page = rep.post("/quotes/new/", fields({"product": "fibre"}) | {"do": "recalculate"})
    assert 'name="lines-0-c-speed"' in page.content.decode()
    assert "Speed is missing." in page.content.decode()


def test_a_saved_draft_comes_back_as_it_was(rep: Client) -> None:
    sent = fields(
        {"product": "fibre", "quantity": "2", "discount_percent": "12.5", "c-speed": "250"},
        title="Head office",
        start_on="2026-03-01",
    )
    answer = rep.post("/quotes/new/", sent | {"do": "save"})
    quote = Quote.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/quotes/{quote.pk}/")
    assert (quote.title, quote.owner.username, quote.account.reference) == (
        "Head office",
        "rep",
        "N-1",
    )
    (line,) = quote.lines.all()
    assert (line.quantity, line.discount_percent) == (2, Decimal("12.5"))
    assert line.characteristics == {"speed": "250"}
    editor = rep.get(f"/quotes/{quote.pk}/edit/").context["editor"]
    (shown,) = editor.lines
    assert (shown.quantity, shown.discount_percent) == ("2", "12.5")
    assert shown.characteristics == {"speed": "250"}
    assert editor.header["start_on"].value().isoformat() == "2026-03-01"
    changed = fields({"product": "phone", "quantity": "3"}) | {"do": "save"}
    rep.post(f"/quotes/{quote.pk}/edit/", changed)
    assert [(x.product_version.product.code, x.quantity) for x in quote.lines.all()] == [
        ("phone", 3)
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"account": "nobody"}, "No account has this number or name."),
        ({"account": ""}, "This field is required."),
        ({"account": "a\0b"}, "Null characters are not allowed."),
        ({"account": "Shut"}, "This account is closed."),
        ({"account": "twin"}, "Several accounts match: T-1, T-2. Choose one."),
        ({"valid_until": "31.12.2026"}, "This is no day; write it as YYYY-MM-DD."),
        ({"valid_until": "2020-01-01"}, "The last day of the offer is already over."),
        ({"valid_until": ""}, "This field is required."),
        ({"start_on": "9999-12-31"}, "No service starts on such a day."),
        ({"start_on": "soon"}, "This is no day; write it as YYYY-MM-DD."),
        ({"title": "x" * 201}, "Ensure this value has at most 200 characters"),
        ({"lines": "0"}, "At least one line is needed."),
        ({"lines": "many"}, "At least one line is needed."),
        ({"lines": "99999999"}, "At least one line is needed."),
        ({"lines-0-quantity": "1e30"}, "The quantity is at most 1000000000."),
        ({"lines-0-quantity": "1.5"}, "Phone is sold in whole numbers."),
        ({"lines-0-product": "<b>x"}, "There is no product “&lt;b&gt;x”."),
    ],
)
def test_what_cannot_be_saved_is_said_and_not_saved(
    rep: Client, given: dict[str, str], words: str
) -> None:
    an_account(reference="S-1", name="Shut", state="closed")
    an_account(reference="T-1", name="Twin one")
    an_account(reference="T-2", name="Twin two")
    page = rep.post("/quotes/new/", fields({}) | given | {"do": "save"})
    assert page.status_code in {409, 422}
    assert words in page.content.decode()
    assert "<b>x" not in page.content.decode()
    assert Quote.objects.count() == 0


def test_a_sent_quote_is_not_edited(rep: Client) -> None:
    quote = a_sent_quote()
    assert rep.get(f"/quotes/{quote.pk}/edit/")["Location"] == f"/quotes/{quote.pk}/"
    answer = rep.post(f"/quotes/{quote.pk}/edit/", fields({}) | {"do": "save"})
    assert answer["Location"] == f"/quotes/{quote.pk}/"
    assert quote.lines.get().product_version.product.code != "phone"


def test_accounts_are_suggested_as_one_types(rep: Client) -> None:
    an_account(reference="S-1", name="Northshut", state="closed")
    page = rep.get("/quotes/accounts/", {"account": "north"}).content.decode()
    assert '<option value="N-1">Northwind</option>' in page
    assert "S-1" not in page


def test_totals_need_as_many_queries_for_many_lines(rep: Client) -> None:
    live(rep, fields({}))
    counts = []
    for lines in (1, 12):
        with CaptureQueriesContext(connection) as asked:
            live(rep, fields(*[{}] * lines))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 16


def test_an_editor_of_a_draft_whose_product_is_sold_no_more(rep: Client) -> None:
    quote = a_quote()
    version = quote.lines.get().product_version
    type(version).objects.filter(pk=version.pk).update(state="retired")
    page = rep.get(f"/quotes/{quote.pk}/edit/")
    assert page.status_code == 200
    assert "is retired, so it is not on sale" in page.content.decode()


def test_a_line_says_when_its_billing_starts(rep: Client) -> None:
    said = fields({"start_rule": "each_part"}, {}) | {"do": "save"}
    answer = rep.post("/quotes/new/", said)
    quote = Quote.objects.get()
    assert answer.status_code == 302
    assert list(quote.lines.values_list("start_rule", flat=True)) == ["each_part", ""]
    page = rep.get(f"/quotes/{quote.pk}/edit/").content.decode()
    assert '<option value="each_part" selected>' in page
    send_quote(quote_id=quote.pk, at=clock.now())
    assert [each.terms.start_rule for each in quote.lines.all()] == ["each_part", "on_delivery"]
    page = rep.get(quote.get_absolute_url()).content.decode()
    assert page.count("Billing starts with each part delivered") >= 1


def test_a_start_that_nobody_named_is_told_beside_the_line(rep: Client) -> None:
    part = live(rep, fields({"start_rule": "on_date"}))
    assert "Name the day from which it is billed." in part
    assert "Billing starts by one of" in live(rep, fields({"start_rule": "soon"}))
