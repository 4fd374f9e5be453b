"""The pages of test clocks: who sees them, what they say, and the badge wherever an account is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.clocks import services
from o2b.clocks.models import ClockStep
from o2b.models import Event, TestClock
from orders.models import OrderLine, Task
from subscriptions.models import Subscription
from tests.factories import NOON, a_product, a_sent_quote, an_account
from tests.o2b.clocks.build import a_clock, a_clocked_account, written
from tests.orders.build import entered, team

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return team("administrator")


def page(of: str, *args: Any) -> str:
    return reverse(f"clocks:{of}", args=[getattr(arg, "pk", arg) for arg in args])


def test_the_list_with_search_chips_and_csv(admin):
    done, still = a_clock(name="A year"), a_clock(name="Leap day")
    an_account(test_clock=done)
    services.step(clock_id=done.pk, days=1)
    text = admin.get(page("list")).text
    assert "1 Feb 2026, 12:00" in text
    assert "Leap day" in text
    assert still.get_absolute_url() in text
    found = admin.get(page("list"), {"q": "leap"}).text
    assert ("Leap day" in found, "A year" in found) == (True, False)
    found = admin.get(page("list"), {"state": "done"}).text
    assert ("Leap day" in found, "A year" in found) == (False, True)
    csv = b"".join(admin.get(page("list"), {"format": "csv"}).streaming_content).decode()
    assert "A year,2026-02-01T12:00:00+00:00,1,done," in csv
    for sort in ("name", "-now", "accounts", "-step", "created_by", "-created_at", "junk"):
        assert admin.get(page("list"), {"sort": sort, "page": "x"}).status_code == 200


def test_a_list_costs_the_same_with_many_rows(admin):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            admin.get(page("list"))
        return len(queries)

    services.step(clock_id=a_clocked_account().test_clock_id, days=1)
    one = cost()
    for _each in range(6):
        services.step(clock_id=a_clocked_account().test_clock_id, days=1)
    assert cost() == one


def test_a_clock_is_opened(admin):
    assert "empty" in admin.get(page("list")).text
    assert admin.get(page("new")).status_code == 200
    said = {"name": "A year", "day": "2026-01-31", "at": "08:30"}
    answer = admin.post(page("new"), said)
    clock = TestClock.objects.get()
    assert answer["Location"] == clock.get_absolute_url()
    assert f"{clock.now:%Y-%m-%d %H:%M}" == "2026-01-31 08:30"
    shown = admin.get(clock.get_absolute_url()).text
    for words in ("31 Jan 2026", "08:30 UTC", "No account lives by this clock yet"):
        assert words in shown, words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "taken"}, "There is a clock of this name already."),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"name": "a\0b"}, "Null characters are not allowed."),
        ({"day": "2026-02-30"}, "This is no day"),
        ({"day": "1999-12-31"}, "of the years 2000 to 2199"),
        ({"at": "25:00"}, "This is no time of day"),
        ({"at": "noon"}, "This is no time of day"),
    ],
)
def test_a_clock_that_cannot_be_opened(admin, changes, words):
    a_clock(name="taken")
    before = written()
    said = {"name": "new", "day": "2026-01-31", "at": "12:00"} | changes
    answer = admin.post(page("new"), said)
    assert answer.status_code == 422
    assert words in answer.text
    assert written() == before


@pytest.mark.parametrize(
    ("said", "until"),
    [
        ({"by": "day"}, "2026-02-01T12:00"),
        ({"by": "week"}, "2026-02-07T12:00"),
        ({"by": "month"}, "2026-02-28T12:00"),
        ({"to": "2027-03-28"}, "2027-03-28T12:00"),
    ],
)
def test_days_pass_and_the_page_follows(admin, drain, said, until):
    account = a_clocked_account()
    clock = account.test_clock
    entered(account, a_product())
    answer = admin.post(page("advance", clock), said)
    assert answer["Location"] == clock.get_absolute_url()
    step = ClockStep.objects.get()
    assert f"{step.until:%Y-%m-%dT%H:%M}" == until
    shown = admin.get(clock.get_absolute_url()).text
    assert 'hx-trigger="every 1s"' in shown
    assert f"0 of {step.days} day" in shown
    assert "Let days pass" not in shown
    services.live(step_id=step.pk, seconds=0)
    services.stop_step(clock_id=clock.pk)
    shown = admin.get(clock.get_absolute_url(), headers={"HX-Request": "true"}).text
    assert shown.lstrip().startswith('<div id="clock"')
    assert "every 1s" not in shown
    assert f"{account.reference}: order line completed" in shown


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "Say how far the clock goes"),
        ({"by": "year"}, "Say how far the clock goes"),
        ({"by": "day", "to": "2026-03-01"}, "Say how far the clock goes"),
        ({"to": "soon"}, "This is no day"),
        ({"to": "2026-01-31"}, "A clock goes forward only; this one stands at 2026-01-31 12:00"),
        ({"to": "0001-01-01"}, "A clock goes forward only"),
        ({"to": "9999-12-31"}, "A step has 1100 days at most"),
        ({"to": "2026-03-01\0"}, "This is no day"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_move_that_is_none_says_so_beside_the_field(admin, said, words, headers):
    clock = a_clock()
    before = written()
    answer = admin.post(page("advance", clock), said, headers=headers)
    assert answer.status_code == 422
    field = answer.text.split('class="field wrong"')[1].split("</div>\n")[0]
    assert words in field
    assert written() == before


def test_a_second_step_is_refused_in_words(admin):
    clock = a_clock()
    admin.post(page("advance", clock), {"by": "day"})
    before = written()
    answer = admin.post(page("advance", clock), {"by": "day"}, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "The clock is moving" in answer.text
    assert written() == before


def test_a_day_that_failed_is_told_and_tried_again(admin):
    clock = a_clock()
    step = ClockStep.objects.create(
        clock=clock,
        begun_at=NOON,
        until=NOON + timedelta(days=2),
        state="failed",
        error="orders.advance_order(7) failed 5 times: <b>",
    )
    shown = admin.get(clock.get_absolute_url()).text
    assert "The work of 31 Jan 2026 could not be ended" in shown
    assert "failed 5 times: &lt;b&gt;" in shown
    assert "every 1s" not in shown
    admin.post(page("go-on", clock))
    step.refresh_from_db()
    assert step.state == "running"
    admin.post(page("stop", clock))
    step.refresh_from_db()
    assert step.state == "stopped"


def test_a_step_that_nobody_carries_on_may_be_called_for_again(admin):
    clock = a_clock()
    services.ask_step(clock_id=clock.pk, days=2)
    ClockStep.objects.update(touched_at=NOON - timedelta(days=900))
    shown = admin.get(clock.get_absolute_url()).text
    assert "Are workers running?" in shown
    assert page("go-on", clock) in shown


def test_a_blank_account_is_found_confirmed_and_put(admin):
    clock, account = a_clock(), an_account(name="Sunrise Clinics")
    put = page("put", clock)
    assert admin.get(put).status_code == 200
    shown = admin.get(put, {"account": "sunrise"}).text
    assert f"Type {account.reference} to confirm." in shown
    wrong = admin.post(f"{put}?account={account.reference}", {"confirm": "yes"})
    assert wrong.status_code == 422
    assert f"Type {account.reference} to confirm." in wrong.text.split("errorlist")[1]
    answer = admin.post(f"{put}?account={account.reference}", {"confirm": account.reference})
    assert answer["Location"] == clock.get_absolute_url()
    account.refresh_from_db()
    assert account.test_clock == clock
    assert "Sunrise Clinics" in admin.get(clock.get_absolute_url()).text
    admin.post(page("take-off", clock, account))
    account.refresh_from_db()
    assert account.test_clock is None


def test_a_real_account_cannot_even_be_confirmed(admin):
    clock, account = a_clock(), an_account()
    a_sent_quote(account=account)
    before = written()
    address = f"{page('put', clock)}?account={account.reference}"
    shown = admin.get(address).text
    assert "1 quote was sent" in shown
    assert 'name="confirm"' not in shown
    answer = admin.post(address, {"confirm": account.reference})
    assert answer.status_code == 422
    assert written() == before


def test_which_account_is_meant(admin):
    clock = a_clock()
    an_account(name="Alpha One"), an_account(name="Alpha Two")
    put = page("put", clock)
    shown = admin.get(put, {"account": "alpha"}).text
    assert ("Alpha One" in shown, "Alpha Two" in shown) == (True, True)
    nobody = admin.get(put, {"account": "nobody\0"})
    assert nobody.status_code == 422
    for junk in ("zzz", "x" * 300, "%", "\ud800".encode("utf-8", "surrogatepass").decode("latin1")):
        assert admin.get(put, {"account": junk}).status_code == 422
    before = written()
    assert admin.post(put, {"confirm": "A-1"}).status_code == 200
    assert written() == before


def test_what_stays_says_why(admin):
    account = a_clocked_account()
    entered(account, a_product())
    off = page("take-off", account.test_clock, account)
    answer = admin.post(off, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "its days would be mixed: 1 order was placed" in answer.text


def test_what_happened_is_paged(admin):
    account = a_clocked_account()
    clock = account.test_clock
    Event.objects.bulk_create(
        Event(
            name="order.commented",
            subject_type="orders.order",
            subject_id=n,
            account_id=account.pk,
            at=NOON,
        )
        for n in range(70)
    )
    assert "1–30 of 70" in admin.get(clock.get_absolute_url()).text
    assert "61–70 of 70" in admin.get(clock.get_absolute_url(), {"page": "3"}).text
    for junk in ("0", "-1", "x", "9" * 40):
        assert admin.get(clock.get_absolute_url(), {"page": junk}).status_code == 200


def test_a_clocks_page_costs_the_same_with_many_rows(admin):
    account = a_clocked_account()
    clock = account.test_clock

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            admin.get(clock.get_absolute_url())
        return len(queries)

    entered(account, a_product())
    one = cost()
    for _each in range(5):
        entered(an_account(test_clock=clock), a_product())
    assert cost() == one


@pytest.mark.parametrize("group", ["sales", "order team", "finance", "product"])
def test_only_administrators_have_clocks(group):
    account, client = a_clocked_account(), team(group)
    clock = account.test_clock
    before = written()
    for of in ("list", "new"):
        assert client.get(page(of)).status_code == 403
    assert client.get(clock.get_absolute_url()).status_code == 403
    for of in ("advance", "go-on", "stop", "put"):
        assert client.post(page(of, clock), {"by": "day"}).status_code == 403
    assert client.post(page("take-off", clock, account)).status_code == 403
    assert written() == before
    assert "Test clocks" not in client.get("/").text


def test_what_is_not_there(admin):
    for of in ("detail", "put"):
        assert admin.get(page(of, 10**12)).status_code == 404
    for of in ("advance", "go-on", "stop"):
        assert admin.post(page(of, 10**12), {"by": "day"}).status_code == 404
    clock = a_clock()
    assert admin.post(page("take-off", clock, 10**12)).status_code == 404
    assert admin.get("/clocks/99999999999999999999999/").status_code == 404


def test_the_badge_stands_wherever_the_account_does(world):
    client, seller = team("administrator"), team("sales")
    world.on("2026-01-16").sell(price="31.00")
    world.bill("2026-01-31")
    line, task = OrderLine.objects.get(), Task.objects.get()
    pages = [
        world.account.get_absolute_url(),
        line.order.quote.get_absolute_url(),
        line.order.get_absolute_url(),
        reverse("orders:line", args=[line.pk]),
        reverse("orders:task", args=[task.pk]),
        Subscription.objects.get().get_absolute_url(),
        world.invoices()[0].get_absolute_url(),
    ]
    for address in pages:
        text = client.get(address).text
        assert "test clock: world, 16 Jan 2026" in text, address
        assert f'<a class="badge warn" href="{world.clock.get_absolute_url()}"' in text, address
    assert '<span class="badge warn">test clock: world' in seller.get(pages[0]).text
    real = a_sent_quote().get_absolute_url()
    assert "test clock" not in client.get(real).text.split("<main")[1]
