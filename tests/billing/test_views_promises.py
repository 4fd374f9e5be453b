"""The pages of promises: broken ones first, and the four stations of each line of an order."""

import pytest
from django.test import Client

from billing.models import Breach, Promise
from billing.promises.services import open_promises_of
from o2b import asks
from o2b.web.show import day_text
from tests.billing.build import AT
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.billing.worlds import finalised, in_service, ordered
from tests.factories import a_product, a_user, an_account, monthly

pytestmark = pytest.mark.django_db

PROMISES = "/billing/promises/"


def a_breach(promise: Promise, **given: object) -> Breach:
    fields = {
        "promise": promise,
        "account": promise.account,
        "field": "version",
        "promised": "1",
        "actual": "2",
        "stage": Breach.Stage.DELIVERY,
        "found_at": AT,
        "owner": a_user(first_name="Jonas", last_name="Weber"),
    } | given
    return Breach.objects.create(**fields)


def promise_of(account: object) -> Promise:
    return Promise.objects.get(account=account)


def opened(name: str) -> Promise:
    """A promise whose line is not delivered yet."""
    order = ordered([a_product(name=name)])
    open_promises_of(order_ids=[order.pk], at=AT)
    return promise_of(order.account)


def test_breaches_come_first_and_are_counted() -> None:
    kept, broken, mended = (in_service([a_product(name=name)]) for name in ("A", "B", "C"))
    waiting = opened("D")
    a_breach(promise_of(broken))
    a_breach(promise_of(mended), resolved_at=AT, resolution="version 1 was installed")
    client = client_of("finance")

    page = client.get(PROMISES)

    assert page.context["rows"][0].source.account_id == broken.pk
    assert [(f["title"], f["value"]) for f in page.context["figures"]] == [
        ("Open breaches", "1"),
        ("Kept", "2"),
        ("Not delivered yet", "1"),
    ]
    assert "version, promised 1, found 2" in text_of(page)
    for state, accounts in (
        ("breach", {broken.pk}),
        ("kept", {kept.pk, mended.pk}),
        ("open", {waiting.account_id}),
    ):
        rows = client.get(PROMISES, {"state": state}, **HTMX).context["rows"]
        assert {row.source.account_id for row in rows} == accounts, state


def stations(client: Client, order_id: int) -> list[tuple[str, str, str, bool]]:
    page = client.get(f"/billing/of-order/{order_id}/", **HTMX)
    assert page.status_code == 200
    return [
        (s.title, s.value, s.note, s.is_breach)
        for each in page.context["promises"]
        for s in each.stations
    ]


def test_a_kept_promise_has_four_equal_stations() -> None:
    account = in_service([a_product(name="Fibre 1 G", charges=[monthly("390.00")])], quantity="2")
    finalised()
    promise = promise_of(account)
    line = promise.order_line
    client = client_of("finance")

    assert stations(client, line.order_id) == [
        ("Quoted 1 Jan 2026", "2 × Fibre 1 G, v1 · €780.00", str(line.quote_line.quote), False),
        (
            "Ordered 2 Jan 2026",  # it was there already: `taken_over`
            "2 × Fibre 1 G, v1 · €780.00",
            f"same terms {line.terms}",
            False,
        ),
        (
            f"Delivered {day_text(line.delivered_on)}",
            "2 × Fibre 1 G, v1",
            f"evidence {line.evidence.get().pk}",
            False,
        ),
        ("Billed so far", "€780.00", "next on 1 Feb 2026", False),
    ]
    assert "kept" in text_of(client.get(f"/billing/of-order/{line.order_id}/"))


def test_a_breach_is_red_where_it_happened() -> None:
    account = in_service([a_product(name="Fibre 1 G")])
    promise = promise_of(account)
    a_breach(promise)
    client = client_of("finance")

    found = stations(client, promise.order_id)
    assert [is_breach for *_, is_breach in found] == [False, False, True, False]
    text = text_of(client.get(f"/billing/of-order/{promise.order_id}/"))
    assert "breach: version" in text
    assert "version: promised 1, found 2." in text


def test_before_delivery_nothing_is_billed() -> None:
    promise = opened("Fibre 1 G")

    found = stations(client_of("finance"), promise.order_id)

    assert [title for title, *_ in found][2:] == ["To be delivered", "To be billed"]
    assert found[3][1:] == ("not yet", "billing begins with service", False)


def test_doors_and_unknown_orders() -> None:
    promise = opened("Fibre")
    for url in (PROMISES, f"/billing/of-order/{promise.order_id}/"):
        assert Client().get(url).headers["Location"].startswith("/login/")
        assert client_of("order team").get(url).status_code == 403
        assert client_of("finance").get(url).status_code == 200
    assert client_of("finance").get(f"/billing/of-order/{10**15}/").status_code == 404


def test_pages_cost_the_same_whatever_they_show() -> None:
    client = client_of("finance")
    few = in_service([a_product()])
    a_breach(promise_of(few))
    order_id = promise_of(few).order_id
    before = queries(client, PROMISES), queries(client, f"/billing/of-order/{order_id}/")
    many = in_service([a_product() for _ in range(4)])
    promises = list(Promise.objects.filter(account=many))
    for promise in promises:
        a_breach(promise)
    assert (
        queries(client, PROMISES),
        queries(client, f"/billing/of-order/{promises[0].order_id}/"),
    ) == before


def test_the_order_page_is_offered_the_panel() -> None:
    order = ordered([a_product()], account=an_account())
    url = f"/billing/of-order/{order.pk}/"

    assert url in [p.url for p in asks.ask("order_panels", a_user("finance"), order.pk)]
    assert url not in [p.url for p in asks.ask("order_panels", a_user("sales"), order.pk)]
