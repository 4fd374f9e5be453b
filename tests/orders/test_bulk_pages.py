"""The pages of bulk orders: the form, the sheet with its rows, the refused ones taken home."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.models import BulkOrder, Order
from tests.factories import a_user
from tests.orders.build import a_product, an_account, logged_in, team, unread, written
from tests.orders.build_bulk import sheet, taken

pytestmark = pytest.mark.django_db

LIST = reverse("orders:bulk-list")


@pytest.fixture
def client() -> Client:
    an_account(reference="N-1"), a_product(code="fibre"), a_product(code="router")
    return team()


def send(client: Client, body: bytes, name: str = "orders.csv") -> Any:
    return client.post(LIST, {"file": SimpleUploadedFile(name, body, "text/csv")})


def shown(client: Client, url: str, **query: str) -> list[int]:
    """The numbers of the rows that the page shows."""
    page = client.get(url, query).text
    return [int(n) for n in re.findall(r'role="rowheader"[^>]*>(\d+)<', page)]


def test_tried_then_placed(client):
    answer = send(client, sheet("A,N-1,fibre,1", "B,N-1,fibre,0"))
    bulk = BulkOrder.objects.get()
    assert answer.url == bulk.get_absolute_url()
    page = client.get(answer.url).text
    for words in ("Place 1 order", "nothing is ordered yet", "refused", "fibre", "quantity"):
        assert words in page, words
    assert shown(client, answer.url, state="refused") == [3]
    assert shown(client, answer.url, q="N-1 order=B") == [3]
    assert shown(client, answer.url, q="zero") == [3]
    assert shown(client, answer.url) == [2, 3]
    assert client.post(reverse("orders:bulk-place", args=[bulk.pk])).status_code == 302
    order = Order.objects.get()
    page = client.get(answer.url).text
    assert order.get_absolute_url() in page
    assert "Place 1 order" not in page
    assert "orders.csv" in client.get(LIST).text
    rest: Any = client.get(reverse("orders:bulk-refused", args=[bulk.pk]))
    assert b"".join(rest.streaming_content).decode("utf-8-sig").splitlines() == [
        "order,account,product,quantity",
        "B,N-1,fibre,0",
    ]
    table: Any = client.get(answer.url, {"format": "csv"})
    assert b"B,N-1,fibre" in b"".join(table.streaming_content)


def test_all_fit_needs_no_word_of_refused_rows(client):
    bulk = taken(sheet("A,N-1,fibre,1"))
    page = client.get(bulk.get_absolute_url()).text
    assert "Place 1 order" in page
    assert "stays out" not in page


def test_bad_files_show_the_form_again(client):
    before = written()
    for body, words in (
        (b"a,b\r\n1,2", "The header lacks: account"),
        (b"", "empty"),
        (b"\0", "header"),
        (sheet('A,N-1,"fibre,1'), "Quotes do not match"),
    ):
        page = send(client, body)
        assert (page.status_code, words in page.text) == (422, True), page.text[-3000:]
    assert client.post(LIST).status_code == 422
    assert client.post(LIST, {"file": "no file"}).status_code == 422
    assert send(client, sheet("A,N-1,fibre,1"), name="x" * 300 + "\0.csv").status_code in (302, 422)
    assert written() == before


def test_the_same_file_again_names_where_it_was_placed(client):
    body = sheet("A,N-1,fibre,1")
    taken(body, dry_run=False)
    page = send(client, body)
    assert (page.status_code, "nothing is ordered twice" in page.text) == (422, True)


def test_progress_is_asked_for_until_it_is_over(client):
    rows = [f"P{n},N-1,fibre,1" for n in range(101)]
    bulk_page = send(client, sheet(*rows)).url
    assert "0 of 101 rows" in client.get(bulk_page).text
    bulk = BulkOrder.objects.get()
    url = reverse("orders:bulk-progress", args=[bulk.pk])
    part = client.get(url, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith("<section")
    assert client.get(url).url == bulk_page
    BulkOrder.objects.filter(pk=bulk.pk).update(lines_placed=101)
    assert client.get(url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_queries_do_not_grow_with_rows(client):
    def count(bulk: BulkOrder) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(bulk.get_absolute_url())
        return len(queries)

    one = taken(sheet("A,N-1,fibre,1"), dry_run=False)
    many = taken(sheet(*(f"M{n},N-1,fibre,1" for n in range(30))), dry_run=False)
    count(one)
    assert count(many) == count(one)


def test_who_may_and_junk(client):
    bulk = taken(sheet("A,N-1,fibre,1"))
    finance = logged_in(a_user("finance"))
    gets = ("bulk", "bulk-progress", "bulk-refused")
    for name in gets:
        assert client.get(reverse(f"orders:{name}", args=[10**9])).status_code == 404
        assert finance.get(reverse(f"orders:{name}", args=[bulk.pk])).status_code == 403
        stranger = Client().get(reverse(f"orders:{name}", args=[bulk.pk]))
        assert (stranger.status_code, "/login/" in stranger.url) == (302, True)
    assert client.post(reverse("orders:bulk-place", args=[10**9])).status_code == 404
    assert finance.post(reverse("orders:bulk-place", args=[bulk.pk])).status_code == 403
    assert client.get(reverse("orders:bulk-place", args=[bulk.pk])).status_code == 405
    assert finance.get(LIST).status_code == 403
    example: Any = client.get(reverse("orders:bulk-example"))
    assert b"order,account,product,quantity" in b"".join(example.streaming_content)
    for query in ({"q": "\0"}, {"state": "lost"}, {"sort": "-x"}, {"page": "9" * 30}):
        assert client.get(bulk.get_absolute_url(), query).status_code == 200


def test_a_gigabyte_is_refused_before_it_is_read():
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_user("order team"))
    answer = unread(client, LIST)
    assert (answer.status_code, "larger than 10 MB" in answer.text) == (413, True)
    assert client.post(LIST).status_code == 403  # its token is asked for
    assert unread(Client(), LIST)["Location"].startswith("/login/")
    client.force_login(a_user("finance"))
    assert unread(client, LIST).status_code == 403
    assert not BulkOrder.objects.exists()
