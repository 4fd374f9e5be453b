"""The pages of usage: the desk, what waits, what was refused, events, live usage."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from subscriptions.models import Item, UsageEvent, UsagePending, UsageRejected
from subscriptions.usage import selectors
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.scenarios.world import World
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    by_meter,
    taken,
    totals,
)

pytestmark = pytest.mark.django_db
HERE = "/subscriptions/usage/"


@pytest.fixture
def finance() -> Client:
    return client_of("finance")


@pytest.fixture
def sales() -> Client:
    return client_of("sales")


@pytest.fixture
def item(world: World) -> Item:
    a_meter(dimensions=[{"name": "zone"}])
    return a_metered_service(world)


def sources(client: Client, url: str, **asked: str) -> list[Any]:
    answer = client.get(url, asked)
    assert answer.status_code == 200
    return [row.source for row in answer.context["rows"]]


def csv_of(client: Client, url: str, **asked: str) -> list[str]:
    answer: Any = client.get(url, asked | {"format": "csv"})
    text: str = answer.getvalue().decode()
    return text.splitlines()


def test_the_desk_says_whether_the_equation_holds(sales: Client, item: Item) -> None:
    taken(an_event(item), an_event("S-nobody"), an_event(item, "-1"), an_event(item, source="x"))
    text = text_of(sales.get(HERE))
    assert "Received 3: rated 2, pending 1" in text
    assert "rejected, beside it" in text
    assert "Usage" in text
    one = text_of(sales.get(HERE, {"source": "x"}))
    assert "Received 1: rated 1, pending 0" in one
    assert "Nothing came in on this day." in text_of(sales.get(HERE, {"on": "2001-01-01"}))
    assert sales.get(HERE, {"on": "no day", "source": "\0"}).status_code == 200
    UsagePending.objects.all().delete()
    broken = text_of(sales.get(HERE))
    assert "does not hold" in broken
    assert "1 event was received and stands nowhere." in broken


def test_the_days_of_two_weeks(sales: Client, item: Item) -> None:
    taken(an_event(item), an_event(item, source="x"))
    page = sales.get(f"{HERE}days/")
    assert text_of(page).count("holds") == 2
    part = sales.get(f"{HERE}days/", **HTMX)
    assert "<html" not in part.content.decode()
    assert [(each.source, each.received) for each in part.context["equations"]] == [
        ("pbx", 1),
        ("x", 1),
    ]


def test_who_may(item: Item) -> None:
    nobody, sales = client_of(), client_of("sales")
    taken(an_event("S-nobody"), an_event(item, "-1"), an_event(item))
    row, refused = UsagePending.objects.get(), UsageRejected.objects.get()
    event = UsageEvent.objects.get()
    for name in (
        "",
        "days/",
        "unpriced/",
        "pending/",
        "rejected/",
        "events/",
        f"services/{item.pk}/",
    ):
        assert nobody.get(f"{HERE}{name}").status_code == 403, name
        assert sales.get(f"{HERE}{name}").status_code == 200, name
    for name, told in (
        (f"pending/{row.pk}/dismiss/", {"reason": "x"}),
        ("rejected/retry/", {"row": refused.pk}),
        ("rejected/settle/", {"row": refused.pk}),
        (f"events/{event.pk}/correct/", {"deed": "retract", "reason": "x", "confirmed": "1"}),
    ):
        assert sales.post(f"{HERE}{name}", told).status_code == 403, name
    assert "Dismiss" not in text_of(sales.get(f"{HERE}pending/"))
    assert "Settle" not in text_of(sales.get(f"{HERE}rejected/")).replace("Settled", "")
    assert (UsagePending.objects.count(), totals()) == (1, [("2026-02-09", "", "1", 1)])
    assert UsageRejected.objects.filter(settled_at=None).count() == 1


def test_german_tells_the_two_meanings_apart(finance: Client, item: Item) -> None:
    """To close a message is not to give an event up; one that waits is no pending service."""
    taken(an_event("S-none"))
    german = {"headers": {"accept-language": "de"}}
    page = finance.get(f"{HERE}pending/", **german).content.decode()
    assert ">Verwerfen</" in page
    assert "<span>wartend</span>" in finance.get(HERE, **german).content.decode()


def test_what_waits(finance: Client, item: Item) -> None:
    waits, gone = an_event("S-none", "2.5"), an_event("", id="gone", value="0", retracts="x")
    gone.meter, gone.value = "", None
    taken(waits, gone)
    url = f"{HERE}pending/"
    assert {row.key for row in sources(finance, url)} == {waits.id, "gone"}
    for asked, found in (
        ({"state": "unknown_event"}, ["gone"]),
        ({"q": "s-none"}, [waits.id]),
        ({"q": "gone"}, ["gone"]),
        ({"source": "other"}, []),
        ({"meter": "minutes"}, [waits.id]),
        ({"until": "2001-01-01"}, []),
        ({"from": "9999-12-31", "until": "9999-12-31"}, []),
        ({"from": "2001-01-01"}, [waits.id, "gone"]),
    ):
        assert [row.key for row in sources(finance, url, **asked)] == found, asked
    head, line, *_ = csv_of(finance, url, sort="recorded_at")
    assert head.startswith("Source,Id,Reason,Subject")
    assert line.startswith(f"pbx,{waits.id},unknown_subject,S-none,,minutes")
    row = UsagePending.objects.get(key=waits.id)
    page = finance.post(f"{url}{row.pk}/dismiss/", {"reason": ""}, follow=True)
    assert "Say why." in text_of(page)
    assert UsagePending.objects.count() == 2
    page = finance.post(f"{url}{row.pk}/dismiss/", {"reason": "Test line"}, follow=True)
    assert f"{waits.id} is dismissed" in text_of(page)
    assert finance.post(f"{url}{row.pk}/dismiss/", {"reason": "x"}).status_code == 404
    assert "Test line" in text_of(finance.get(f"{HERE}rejected/", {"state": "dismissed"}))
    page = finance.get(f"{HERE}events/", {"source": "pbx", "id": waits.id})
    assert "waited and was dismissed: Test line" in text_of(page)


def test_try_again_now(sales: Client, item: Item) -> None:
    taken(an_event("S-none"))
    url = f"{HERE}pending/release/"
    said = text_of(sales.post(url, follow=True))
    assert "Nothing of what waits can be counted yet." in said
    UsagePending.objects.update(subject=item.number)
    page = sales.post(url, {"next": HERE}, follow=True)
    assert page.request["PATH_INFO"] == HERE
    assert "1 event is counted now." in text_of(page)


def test_what_was_refused(finance: Client, item: Item) -> None:
    wrong, unknown = an_event(item, "-1"), an_event(item, meter="none", source="b")
    taken(wrong, unknown, an_event(item, "-2", id="third"))
    url = f"{HERE}rejected/"
    assert {row.key for row in sources(finance, url)} == {wrong.id, unknown.id, "third"}
    assert "&quot;value&quot;:&quot;-1&quot;" in finance.get(url).content.decode()
    for asked, found in (
        ({"code": "unknown_meter"}, [unknown.id]),
        ({"field": "meter"}, [unknown.id]),
        ({"source": "b"}, [unknown.id]),
        ({"q": "third"}, ["third"]),
        ({"state": "settled"}, []),
        ({"until": "2001-01-01"}, []),
        ({"from": "9999-12-31", "until": "9999-12-31"}, []),
    ):
        assert [row.key for row in sources(finance, url, **asked)] == found, asked
    assert "out_of_range" in "".join(csv_of(finance, url, code="out_of_range"))
    taken(an_event(item, "1", id=wrong.id))
    assert {row.key for row in sources(finance, url)} == {unknown.id, "third"}
    assert [row.key for row in sources(finance, url, state="settled")] == [wrong.id]
    assert "came well since" in text_of(finance.get(url, {"state": "all"}))
    row = UsageRejected.objects.get(key="third")
    page = finance.post(f"{url}settle/", {"row": row.pk}, follow=True)
    assert "1 refused event is settled." in text_of(page)
    assert [row.key for row in sources(finance, url)] == [unknown.id]


def test_all_that_a_list_shows_is_retried(finance: Client, world: World) -> None:
    item = a_metered_service(world)
    taken(*(an_event(item, meter=code) for code in ("minutes", "minutes", "data")))
    a_meter()
    a_meter("data", unit="GB")
    url = f"{HERE}rejected/"
    assert "Retry all 3" in text_of(finance.get(url))
    page = finance.post(f"{url}retry/?q=minutes", follow=True)
    assert "2 events count now." in text_of(page)
    assert len(sources(finance, url)) == 1
    page = finance.post(f"{url}retry/", follow=True)
    assert "1 waits now." in text_of(page)
    page = finance.post(f"{url}retry/", follow=True)
    assert "Nothing of this is open any more." in text_of(page)
    assert finance.post(f"{url}retry/", {"row": "x"}, follow=True).status_code == 200


def test_at_most_a_thousand_at_once(finance: Client, item: Item) -> None:
    rows = [
        UsageRejected(code="unreadable", message="No", told="{", source="a") for _ in range(1_001)
    ]
    UsageRejected.objects.bulk_create(rows)
    text = text_of(finance.get(f"{HERE}rejected/"))
    assert "The oldest 1,000 of 1,001 events that this list shows." in text
    finance.post(f"{HERE}rejected/settle/?source=a")
    assert UsageRejected.objects.filter(settled_at=None).count() == 1


def test_events_are_found(sales: Client, item: Item) -> None:
    first = an_event(item, "2.5", properties={"zone": "mobile", "call": "7"})
    other = an_event(item, "1", "2026-02-08T12:00:00Z")
    taken(first, other, an_event("S-none", id="waits"))
    url = f"{HERE}events/"
    assert "Name an event or a service above." in text_of(sales.get(url))
    for asked, found in (
        ({"source": "pbx", "id": first.id}, [first.id]),
        ({"source": "other", "id": first.id}, []),
        ({"id": first.id}, []),
        ({"service": item.number, "until": "2026-02-10"}, [first.id, other.id]),
        ({"service": item.number.lower(), "until": "2026-02-08"}, [other.id]),
        ({"service": f"S-{item.subscription_id}", "from": "2026-02-09"}, [first.id]),
        ({"service": "S-x", "until": "2026-02-10"}, []),
        ({"service": item.number, "until": "0001-01-01"}, []),
        (
            {"service": item.number, "from": "2026-02-01", "until": "9999-12-31"},
            [first.id, other.id],
        ),
        ({"service": item.number, "from": "2026-01-01", "source": "z"}, []),
    ):
        assert [row.key for row in sources(sales, url, **asked)] == found, asked
    assert "waits: nobody has this subject" in text_of(
        sales.get(url, {"source": "pbx", "id": "waits"})
    )
    line = csv_of(sales, url, source="pbx", id=first.id)[1]
    assert line.split(",")[:4] == ["pbx", first.id, "minutes", item.number]
    event = UsageEvent.objects.get(key=first.id)
    text = text_of(sales.get(f"{url}{event.pk}/"))
    for said in ("2.5 min", "zone mobile", "call 7", str(item), "9 Feb 2026"):
        assert said in text, said
    assert "Replace its value" not in text
    assert sales.get(f"{url}1/").status_code == 404


def test_an_event_is_corrected_after_a_look(finance: Client, item: Item) -> None:
    first = an_event(item, "2")
    taken(first, an_event(item, "5"))
    event = UsageEvent.objects.get(key=first.id)
    url = f"{HERE}events/{event.pk}/"
    assert finance.post(f"{url}correct/", {"deed": "replace", "value": "3"}).status_code == 422
    refused = finance.post(f"{url}correct/", {"deed": "replace", "value": "-3", "reason": "x"})
    assert refused.status_code == 422
    assert "The meter takes values of" in text_of(refused)
    told = {"deed": "replace", "value": "3.5", "reason": "Read wrong"}
    look = text_of(finance.post(f"{url}correct/", told))
    for said in ("2 → 3.5", "7 → 8.5", f"{first.id}~r1", "Read wrong"):
        assert said in look, said
    assert totals() == [("2026-02-09", "", "7", 2)]
    page = finance.post(f"{url}correct/", told | {"confirmed": "1"}, follow=True)
    assert f"{first.id}~r1 is sent and counts." in text_of(page)
    assert "Replace its value" not in text_of(page)
    assert totals() == [("2026-02-09", "", "8.5", 2)]
    again = finance.post(f"{url}correct/", told | {"confirmed": "1"})
    assert again.status_code == 409
    assert "corrected already" in text_of(again)
    second = UsageEvent.objects.get(key=f"{first.id}~r1")
    take = {"deed": "retract", "reason": "A test", "confirmed": "1"}
    finance.post(f"{HERE}events/{second.pk}/correct/", take)
    assert totals() == [("2026-02-09", "", "5", 1)]
    chain = text_of(finance.get(url))
    assert f"corrected by {first.id}~r1" in chain
    assert f"retracts {first.id}~r1" in chain


def test_live_usage_of_a_service(sales: Client, world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(details={"allowance": {"units": "20"}}))
    taken(an_event(item, "7", "2026-01-31T12:00:00Z"), an_event(item, "14"))
    today = selectors.live_usage([item], today=date(2026, 2, 10))[0].running
    assert today is not None
    assert today.left == Decimal(6)
    answer = sales.get(f"{HERE}services/{item.pk}/")
    text = text_of(answer)
    assert "Used so far" in text
    assert "Forecast to the end" in text
    assert "style=" not in answer.content.decode()


def test_the_panel_of_a_subscription(sales: Client, world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(an_event(item, "14"))
    page = sales.get(item.subscription.get_absolute_url()).content.decode()
    (url,) = re.findall(r'hx-get="(/subscriptions/usage/of-subscription/\d+/)"', page)
    part = sales.get(url, **HTMX)
    assert "<html" not in part.content.decode()
    assert item.number in text_of(part)
    assert "Usage" in text_of(sales.get(url))
    world.on("2026-02-10").sell()
    plain = Item.objects.exclude(pk=item.pk).get()
    page = sales.get(plain.subscription.get_absolute_url()).content.decode()
    assert "usage/of-subscription" not in page
    assert "Nothing of this service is sold by a meter." in text_of(
        sales.get(f"{HERE}services/{plain.pk}/")
    )


def test_queries_do_not_grow_with_rows(finance: Client, item: Item) -> None:
    def cost() -> list[int]:
        urls = (
            HERE,
            f"{HERE}days/",
            f"{HERE}unpriced/",
            f"{HERE}pending/",
            f"{HERE}rejected/",
            f"{HERE}events/?service={item.number}&from=2026-01-01",
            f"{HERE}services/{item.pk}/",
        )
        return [queries(finance, url) for url in urls]

    taken(an_event(item), an_event("S-no"), *(an_event(item, "-1") for _ in range(2)))
    few = cost()
    for source in ("a", "b", "c"):
        taken(
            *(an_event(item, source=source) for _ in range(4)),
            *(an_event("S-no", source=source) for _ in range(4)),
            *(an_event(item, "-1", source=source) for _ in range(4)),
        )
    assert cost() == few
