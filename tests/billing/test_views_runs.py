"""The pages of bill runs: opened, watched, approved by a second person, or thrown away."""

from datetime import date

import pytest
from django.test import Client

from billing.models import BillRun, Invoice, ParkedAccount, Shard
from o2b import asks
from o2b.customers.models import LegalEntity
from tests.billing.build import a_run
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.billing.worlds import drafted, finalised, in_service
from tests.factories import a_product, a_user, an_account, an_entity, monthly

pytestmark = pytest.mark.django_db

RUNS = "/billing/runs/"


def test_a_run_is_opened_for_a_day() -> None:
    entity = an_entity()
    client = client_of("finance")
    assert "Open a bill run" in text_of(client.get(f"{RUNS}new/"))

    response = client.post(f"{RUNS}new/", {"legal_entity": entity.pk, "on": "2026-01-31"})

    run = BillRun.objects.get()
    assert response.headers["Location"] == run.get_absolute_url() == f"{RUNS}{run.pk}/"
    assert (run.legal_entity, run.on, run.state) == (entity, date(2026, 1, 31), "open")
    assert run.opened_by.username == client.get("/").wsgi_request.user.username


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"on": ""}, "on"),
        ({"on": "31.01.2026"}, "on"),
        ({"on": "2026-02-30"}, "on"),
        ({"legal_entity": ""}, "legal_entity"),
        ({"legal_entity": "999999999"}, "legal_entity"),
        ({"legal_entity": "x"}, "legal_entity"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(said: dict[str, str], field: str) -> None:
    given = {"legal_entity": str(an_entity().pk), "on": "2026-01-31"} | said

    response = client_of("finance").post(f"{RUNS}new/", given)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert f'aria-describedby="id_{field}' in response.content.decode()
    assert not BillRun.objects.exists()


def test_an_overlapping_run_is_refused_on_the_form() -> None:
    account = an_account()
    a_run(account=account, state=BillRun.State.DRAFTING)
    said = {"legal_entity": account.legal_entity_id, "on": "2026-01-31"}

    response = client_of("finance").post(f"{RUNS}new/", said)

    assert response.status_code == 422
    assert "is not finished; it bills the same accounts." in text_of(response)
    assert BillRun.objects.count() == 1


def test_a_drafted_run_shows_what_it_would_bill() -> None:
    in_service([a_product(charges=[monthly("49.90")])], account=an_account(name="Harbour Labs"))
    in_service([a_product(charges=[monthly("10.00")])])
    run = drafted()

    text = text_of(client_of("finance").get(run.get_absolute_url()))

    for part in (
        "Bill run 31 Jan 2026",
        "to approve",
        "2 of 2 accounts",
        "accounts/s",
        "the equation holds",
        "2 looked at = 2 drafted + 0 nothing due + 0 parked",
        "To be billed, net €59.90",
        "Promises kept 2 / 2",
        "Harbour Labs",
        "No account is out of this run.",
    ):
        assert part in text, part


def test_the_pace_of_finalising_counts_the_accounts_that_are_final() -> None:
    """One part of four, a thousand accounts each, in half a second."""
    account = an_account()
    run = a_run(account=account, state=BillRun.State.FINALISING)
    for n in range(1, 5):
        Shard.objects.create(
            run=run,
            n=n,
            first_account=n,
            last_account=n,
            planned_accounts=1000,
            planned_lines=1000,
            worker="one",
            draft_seconds=0.25,
            state=Shard.State.FINALISED if n == 1 else Shard.State.DRAFTED,
            final_seconds=0.5 if n == 1 else 0,
        )
    text = text_of(client_of("finance").get(run.get_absolute_url()))
    assert "1 of 4 parts are final" in text
    assert "2,000 accounts/s" in text
    assert "8,000 accounts/s" not in text


def test_parked_accounts_stand_there_with_reason_and_owner() -> None:
    account = in_service([a_product()], account=an_account(name="Solveig Marine"))
    run = drafted()
    ParkedAccount.objects.create(
        run=run,
        shard=run.shards.get(),
        account=account,
        code="version",
        reason="version: promised 1, delivered 2",
        owner=a_user(first_name="Jonas", last_name="Weber"),
        parked_at=run.opened_at,
    )

    text = text_of(client_of("finance").get(run.get_absolute_url()))

    assert "Solveig Marine : version: promised 1, delivered 2 another version · owner: " in text


def test_a_run_that_moves_asks_for_itself_and_a_final_one_does_not() -> None:
    account = an_account()
    moving = a_run(account=account, state=BillRun.State.DRAFTING)
    client = client_of("finance")

    part = client.get(moving.get_absolute_url(), **HTMX).content.decode()
    asks_again = f'hx-get="{moving.get_absolute_url()}" hx-trigger="every 1s"'
    assert part.lstrip().startswith(f'<div id="run" class="stack wide" {asks_again}')
    still = a_run(account=account, state=BillRun.State.TO_APPROVE)
    assert "every 1s" not in client.get(still.get_absolute_url()).content.decode()


def test_somebody_else_approves_and_the_invoices_appear() -> None:
    in_service([a_product(charges=[monthly("49.90")])])
    run = drafted()
    client = client_of("finance")
    assert f"{RUNS}{run.pk}/approve/" in client.get(run.get_absolute_url()).content.decode()

    response = client.post(f"{RUNS}{run.pk}/approve/")

    assert response.headers["Location"] == run.get_absolute_url()
    run.refresh_from_db()
    assert run.state == BillRun.State.APPROVED


def test_ones_own_run_has_no_button_and_is_refused() -> None:
    account = in_service([a_product()])
    client = client_of("finance")
    client.post(f"{RUNS}new/", {"legal_entity": account.legal_entity_id, "on": "2026-01-31"})
    run = BillRun.objects.get()
    BillRun.objects.update(state=BillRun.State.TO_APPROVE)

    page = client.get(run.get_absolute_url())
    assert "You opened this run, so somebody else has to approve it." in text_of(page)
    assert f"{RUNS}{run.pk}/approve/" not in page.content.decode()

    refused = client.post(f"{RUNS}{run.pk}/approve/", **HTMX)
    assert refused.status_code == 409
    assert "A run is approved by somebody else than who opened it." in text_of(refused)
    plain = client.post(f"{RUNS}{run.pk}/approve/")
    assert plain.status_code == 409
    run.refresh_from_db()
    assert (run.state, run.approved_by) == ("to_approve", None)


def test_a_run_is_cancelled_and_bills_nothing() -> None:
    in_service([a_product()])
    run = drafted()
    client = client_of("finance")

    client.post(f"{RUNS}{run.pk}/cancel/")

    run.refresh_from_db()
    assert run.state == BillRun.State.CANCELLED
    assert not Invoice.objects.exists()
    assert client.post(f"{RUNS}{run.pk}/cancel/", **HTMX).status_code == 409


def test_a_run_is_paused_and_goes_on() -> None:
    run = a_run(account=an_account(), state=BillRun.State.DRAFTING)
    client = client_of("finance")

    paused = client.post(f"{RUNS}{run.pk}/pause/", **HTMX)
    assert "Resume" in text_of(paused)
    run.refresh_from_db()
    assert run.state == BillRun.State.PAUSED
    assert client.post(f"{RUNS}{run.pk}/pause/", **HTMX).status_code == 409
    client.post(f"{RUNS}{run.pk}/resume/")
    run.refresh_from_db()
    assert run.state != BillRun.State.PAUSED


def test_a_final_run_lists_its_invoices() -> None:
    in_service([a_product(charges=[monthly("49.90")])])
    run = finalised()
    invoice = Invoice.objects.get()

    text = text_of(client_of("finance").get(run.get_absolute_url()))

    for part in (invoice.number, "€49.90", "Billed, net", "1 of 1 parts are final", "finalised"):
        assert part in text, part


@pytest.mark.parametrize(
    ("path", "method", "allowed", "refused"),
    [
        ("", "get", "finance", "sales"),
        ("new/", "get", "finance", "sales"),
        ("new/", "post", "finance", "order team"),
        ("{pk}/", "get", "finance", "sales"),
        ("{pk}/approve/", "post", "finance", "sales"),
        ("{pk}/cancel/", "post", "finance", "order team"),
        ("{pk}/pause/", "post", "finance", "sales"),
        ("{pk}/resume/", "post", "finance", "sales"),
    ],
)
def test_doors(path: str, method: str, allowed: str, refused: str) -> None:
    run = a_run(account=an_account(), state=BillRun.State.DRAFTING)
    url = f"{RUNS}{path.format(pk=run.pk)}"

    assert getattr(Client(), method)(url).headers["Location"].startswith("/login/")
    assert getattr(client_of(refused), method)(url).status_code == 403
    assert getattr(client_of(allowed), method)(url).status_code in {200, 302, 409, 422}


def test_steps_are_posted_and_unknown_runs_are_not_there() -> None:
    client = client_of("finance")
    run = a_run(account=an_account())
    for step in ("approve", "cancel", "pause", "resume"):
        assert client.get(f"{RUNS}{run.pk}/{step}/").status_code == 405
        assert client.post(f"{RUNS}{10**15}/{step}/").status_code == 404
    for n in (10**15, 10**30):
        assert client.get(f"{RUNS}{n}/").status_code == 404


def test_the_list_costs_the_same_whatever_it_shows() -> None:
    account = an_account()
    client = client_of("finance")
    a_run(account=account)
    few = queries(client, RUNS)
    for _ in range(5):
        a_run(account=account)
    assert queries(client, RUNS) == few


def test_the_home_of_finance_shows_what_waits() -> None:
    a_run(account=an_account(), state=BillRun.State.TO_APPROVE)
    LegalEntity.objects.update(currency="EUR")

    cards = {c.title: c.value for c in asks.ask("home_cards", a_user("finance"))}
    assert cards["Runs to approve"] == "1"
    assert cards["Parked accounts"] == "0"
    assert "Runs to approve" not in {c.title for c in asks.ask("home_cards", a_user("sales"))}
