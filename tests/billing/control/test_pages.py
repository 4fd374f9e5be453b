"""The desk's pages: what they show, who may, and what they cost."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from billing.models import BillRun, BillWord, ParkedAccount, RunRules
from o2b import asks, events
from o2b.customers.models import Account, LegalEntity
from o2b.models import Event
from o2b.people.services import ensure_groups
from tests.billing.control.worlds import an_account_with, equation, more_for, rules
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.billing.worlds import FEBRUARY, drafted, finalised, parked
from tests.factories import an_entity

pytestmark = pytest.mark.django_db
RUNS = "/billing/runs/"


@pytest.fixture
def run() -> BillRun:
    """February: one grew, one stayed, one is new."""
    grew = an_account_with("100.00", name="Atlas Freight", reference="A-ATLAS")
    an_account_with("50.00", name="Kestrel Energy")
    finalised()
    more_for(grew, "100.00")
    an_account_with("20.00", name="Harbour Labs")
    return drafted(FEBRUARY)


def account_of(run: BillRun, name: str) -> int:

    return Account.objects.get(name=name, legal_entity=run.legal_entity).pk


def test_the_run_shows_how_it_compares(run: BillRun) -> None:
    text = text_of(client_of("finance").get(run.get_absolute_url()))
    for part in (
        "3 looked at = 3 drafted + 0 nothing due + 0 parked",
        "3 drafted = 3 to finalise + 0 set aside",
        "EUR +66.7 %",
        "within ±5 %",
        "1 first bill",
        "1 outlier",
        "Atlas Freight",
        "grew",
        "€100.00",
        "€200.00",
        "2 bills are not looked at yet; approval does not wait.",
        "0 of 1",
    ):
        assert part in text, part


def test_all_differences_are_sorted_filtered_and_exported(run: BillRun) -> None:
    client, url = client_of("finance"), f"{RUNS}{run.pk}/variance/"
    text = text_of(client.get(url))
    assert text.index("Atlas Freight") < text.index("Kestrel Energy")
    assert "+100 %" in text
    only = text_of(client.get(f"{url}?state=more"))
    assert "Atlas Freight" in only
    assert "Kestrel Energy" not in only
    assert "Set all of these aside" in only
    rising = text_of(client.get(f"{url}?sort=change"))
    assert rising.index("Kestrel Energy") < rising.index("Atlas Freight")
    for asked in ("?q=atlas", "?state=outliers", "?state=changed", "?sort=-percent", "?out=in"):
        assert "Atlas Freight" in text_of(client.get(url + asked)), asked
    body = b"".join(client.get(f"{url}?format=csv").streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(body)))
    assert [row[0] for row in rows][1] == "A-ATLAS"
    first = text_of(client.get(f"{RUNS}{run.pk}/first-bills/"))
    assert "Harbour Labs" in first
    assert "Atlas Freight" not in first


def test_an_outlier_is_set_aside_and_comes_back(run: BillRun) -> None:
    client, account = client_of("finance"), account_of(run, "Atlas Freight")
    url = f"{RUNS}{run.pk}/set-aside/"
    page = text_of(client.get(f"{url}?account={account}"))
    assert "Atlas Freight" in page
    refused = client.post(url, {"account": account, "reason": " "})
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["reason"]
    done = client.post(url, {"account": account, "reason": "Twice the usual."})
    assert done.headers["Location"] == run.get_absolute_url()
    assert parked(run) == {account: "set_aside"}
    text = text_of(client.get(run.get_absolute_url()))
    assert "3 drafted = 2 to finalise + 1 set aside" in text
    assert "Twice the usual." in text
    out = text_of(client.get(f"{RUNS}{run.pk}/variance/?out=out"))
    assert "set aside" in out
    for nobody in ("9" * 5000, "9" * 19, "²"):
        assert client.get(f"{url}?account={nobody}").status_code < 500
        for page in (url, f"{RUNS}{run.pk}/retry/"):
            answer = client.post(page, {"account": nobody, "reason": "Odd."})
            assert answer.status_code < 500, nobody
    again = client.post(url, {"account": account, "reason": "Again."})
    assert again.status_code == 422
    row = ParkedAccount.objects.get()
    assert "Twice the usual." in text_of(client.get(f"/billing/parked/{row.pk}/"))
    client.post(f"{RUNS}{run.pk}/retry/", {"account": account})
    assert "is being drafted again" in text_of(client.get(run.get_absolute_url(), **HTMX))
    events.drain()
    assert equation(run) == (3, 3, 0, 0, 3, 0)


def test_all_of_a_rule_are_set_aside_from_the_page(run: BillRun) -> None:
    client, url = client_of("finance"), f"{RUNS}{run.pk}/set-aside/"
    assert "marked: first bill" in text_of(client.get(f"{url}?rule=first"))
    client.post(url, {"rule": "first", "reason": "Wait."})
    assert list(parked(run).values()) == ["set_aside"]
    nothing = client.post(url, {"rule": "nonsense", "reason": "Wait."})
    assert nothing.status_code == 422


def test_an_owner_is_named_on_the_page(run: BillRun) -> None:
    client = client_of("finance", first_name="Ada", last_name="Reyes")
    me = client.get("/").wsgi_request.user.pk
    client.post(
        f"{RUNS}{run.pk}/set-aside/",
        {"account": account_of(run, "Harbour Labs"), "reason": "Odd."},
    )
    row = ParkedAccount.objects.get()
    assert client.post(f"/billing/parked/{row.pk}/assign/", {"owner": me}).status_code == 302
    assert client.post(f"/billing/parked/{row.pk}/assign/", {"owner": "9" * 9}).status_code == 422
    text = text_of(client.get(f"{RUNS}{run.pk}/parked/"))
    assert "Ada Reyes" in text
    for state in ("own", "set_aside", "veto", "fuse", "waiting"):
        assert client.get(f"{RUNS}{run.pk}/parked/?state={state}").status_code == 200


def test_an_advocate_sees_the_bills_with_their_lines_and_speaks(run: BillRun) -> None:
    account = account_of(run, "Harbour Labs")

    advocate = Account.objects.get(pk=account).advocate

    ensure_groups()
    advocate.groups.set(Group.objects.filter(name="sales"))
    client = Client()
    client.force_login(advocate)
    cards = {card.title: card.value for card in asks.ask("home_cards", advocate)}
    assert cards["Bills to look at"] == "1"
    assert "1 not looked at yet" in text_of(client.get("/billing/looks/"))
    text = text_of(client.get(f"{RUNS}{run.pk}/looks/"))
    for part in ("Harbour Labs", "first bill", "€20.00", "Stop it", "It is right"):
        assert part in text, part
    assert "Atlas Freight" not in text
    client.post(f"{RUNS}{run.pk}/looks/{account}/fine/")
    assert BillWord.objects.get().kind == "fine"
    assert "looked at" in text_of(client.get(f"{RUNS}{run.pk}/looks/"))
    other = account_of(run, "Atlas Freight")
    assert client.post(f"{RUNS}{run.pk}/looks/{other}/fine/").status_code == 409
    assert client.post(f"{RUNS}{run.pk}/looks/{account}/veto/", {"reason": ""}).status_code == 422
    client.post(f"{RUNS}{run.pk}/looks/{account}/veto/", {"reason": "Wrong plan."})
    assert parked(run) == {account: "veto"}
    assert "No bill of yours waits" in text_of(client.get("/billing/looks/"))
    finance = text_of(client_of("finance").get(f"{RUNS}{run.pk}/looks/?all=1"))
    assert "Atlas Freight" in finance


def test_fuses_and_rules_are_set_by_finance() -> None:
    entity = an_entity()
    client = client_of("finance")
    assert "The defaults hold." in text_of(client.get("/billing/run-rules/"))
    url = f"/billing/run-rules/{entity.pk}/"
    form = client.get(url).context["form"]
    told = {name: "" if form[name].initial is None else form[name].initial for name in form.fields}
    said: dict[str, Any] = {**told, "most_jump": "10", "most_amount": "50000", "marks_missing": ""}
    assert client.post(url, said).status_code == 302
    found = RunRules.objects.get()
    assert (found.most_jump, found.most_amount, found.marks_missing) == (10, 50000, False)
    changed = Event.objects.get(name="run_rules.set").facts["changed"]
    assert changed["most_jump"] == {"was": None, "is": "10"}
    assert "at most 10 times" in text_of(client.get("/billing/run-rules/"))
    for field, wrong in (("most_lines", "0"), ("most_jump", "0.5"), ("outlier_percent", "-1")):
        refused = client.post(url, {**said, field: wrong})
        assert refused.status_code == 422
        assert list(refused.context["form"].errors) == [field]


def test_a_rehearsal_is_opened_and_thrown_away_on_its_page() -> None:
    an_account_with("10.00")
    client = client_of("finance")
    entity = LegalEntity.objects.get()
    said = {"legal_entity": entity.pk, "on": "2026-03-31", "kind": "rehearsal"}
    url = client.post(f"{RUNS}new/", said).headers["Location"]
    events.drain()
    text = text_of(client.get(url))
    for part in (
        "Rehearsal 31 Mar 2026",
        "nobody is billed",
        "Would be billed, net €30.00",
        "2026-01 €10.00 2026-02 €10.00 2026-03 €10.00",
        "Throw it away",
    ):
        assert part in text, part
    assert "Approve" not in text
    client.post(f"{url}cancel/")
    assert BillRun.objects.get().state == "cancelled"
    assert client.get(url).status_code == 200


def test_a_cycle_is_opened_on_the_form() -> None:
    an_account_with("10.00", bill_day=15, bill_group="north")
    client, entity = client_of("finance"), an_entity()
    said = {"legal_entity": entity.pk, "on": "2026-03-31", "bill_day": "15", "bill_group": "north"}
    url = client.post(f"{RUNS}new/", said).headers["Location"]
    assert "bill day 15, group north" in text_of(client.get(url))
    wrong = client.post(f"{RUNS}new/", {**said, "bill_group": "south"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["bill_group"])
    wrong = client.post(f"{RUNS}new/", {**said, "bill_day": "32"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["bill_day"])


@pytest.mark.parametrize(
    ("path", "method", "allowed", "refused"),
    [
        ("runs/{pk}/variance/", "get", "finance", "sales"),
        ("runs/{pk}/first-bills/", "get", "finance", "sales"),
        ("runs/{pk}/parked/", "get", "finance", "sales"),
        ("runs/{pk}/set-aside/", "get", "finance", "sales"),
        ("runs/{pk}/set-aside/", "post", "finance", "order team"),
        ("runs/{pk}/retry/", "post", "finance", "sales"),
        ("runs/{pk}/looks/", "get", "sales", "order team"),
        ("runs/{pk}/looks/1/fine/", "post", "sales", "order team"),
        ("runs/{pk}/looks/1/veto/", "post", "sales", "order team"),
        ("looks/", "get", "sales", "order team"),
        ("run-rules/", "get", "finance", "sales"),
        ("run-rules/{entity}/", "post", "finance", "sales"),
    ],
)
def test_doors(run: BillRun, path: str, method: str, allowed: str, refused: str) -> None:
    url = f"/billing/{path.format(pk=run.pk, entity=run.legal_entity_id)}"
    assert getattr(Client(), method)(url).headers["Location"].startswith("/login/")
    assert getattr(client_of(refused), method)(url).status_code == 403
    response = getattr(client_of(allowed), method)(url)
    assert response.status_code in {200, 302, 404, 409, 422}
    assert client_of("finance").get(f"/billing/runs/{10**15}/variance/").status_code == 404


def test_lists_cost_the_same_whatever_they_show(run: BillRun) -> None:
    client = client_of("finance")
    urls = [
        run.get_absolute_url(),
        *(f"{RUNS}{run.pk}/{name}/" for name in ("variance", "first-bills", "parked")),
        f"{RUNS}{run.pk}/looks/?all=1",
    ]
    one = {"account": account_of(run, "Kestrel Energy"), "reason": "Odd."}
    client.post(f"{RUNS}{run.pk}/set-aside/", one)
    few = [queries(client, url) for url in urls]
    accounts = [an_account_with("60.00") for _ in range(4)]
    rules(most_amount=55)
    client.post(f"{run.get_absolute_url()}cancel/")
    bigger = drafted(FEBRUARY)
    assert len(parked(bigger)) == len(accounts) + 1
    more = [
        bigger.get_absolute_url(),
        *(f"{RUNS}{bigger.pk}/{name}/" for name in ("variance", "first-bills", "parked")),
        f"{RUNS}{bigger.pk}/looks/?all=1",
    ]
    assert [queries(client, url) for url in more] == few
