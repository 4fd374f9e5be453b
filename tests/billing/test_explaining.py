"""Billed lines computed again from inputs alone: every kind of line, and what cannot be."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation

from billing.explaining.selectors import explain_line, explain_run, line_named
from billing.models import BillRun, Invoice, InvoiceLine
from billing.rules.basis import basis_text, read_basis
from o2b.charging import CallRates, Event, Slot, Window
from o2b.charging.basis import Basis, UsageBasis
from o2b.customers.models import LegalEntity
from o2b.periods import Period
from subscriptions.models import Act, Item
from tests.api.conftest import Person
from tests.billing import again
from tests.billing.pages import client_of, text_of
from tests.billing.worlds import finalised, in_service
from tests.factories import a_product, a_tax_rate, a_user, an_entity, monthly, setup_fee
from tests.o2b.charging.build import charge
from tests.scenarios.sold import GRADUATED, details
from tests.scenarios.world import World
from tests.subscriptions.serving import told
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance() -> Person:
    """Finance by REST."""
    return by_rest("finance")


def by_rest(*groups: str) -> Person:
    client = Person(raise_request_exception=True)
    client.default_format = "json"
    client.force_authenticate(a_user(*groups))
    return client


ONE = Decimal(1)
DAY_AND_NIGHT = [
    {"from_minute": 0, "slots": [[0, "0.05", 60, 60]]},
    {"from_minute": 480, "connect_fee": "0.1", "slots": [[0, "0.2", 60, 1]]},
]


def sold(
    world: World, *charges: dict[str, Any], on: str = "2026-01-10", quantity: str = "3"
) -> Item:
    before = set(Item.objects.values_list("pk", flat=True))
    product = a_product(charges=charges)
    world.on(on).sell(products=[product], quantity=quantity)
    return Item.objects.exclude(pk__in=before).get()


def billed(world: World, on: str) -> BillRun:
    run = world.on(on).bill(on)
    assert (run.state, world.parked()) == ("finalised", [])
    return run


def lines(**given: Any) -> list[InvoiceLine]:
    return list(InvoiceLine.objects.filter(**given).order_by("pk"))


def altered(line: InvoiceLine, **given: Any) -> None:
    """Behind every trigger's back."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        InvoiceLine.objects.filter(pk=line.pk).update(**given)
        cursor.execute("SET session_replication_role = DEFAULT")


def printed(*command: str) -> tuple[Any, str]:
    """What a command prints as JSON, and how it failed."""
    out = StringIO()
    try:
        call_command(*command, "--json", stdout=out)
    except CommandError as exc:
        return json.loads(out.getvalue() or "null"), str(exc)
    return json.loads(out.getvalue()), ""


def test_changes_in_the_middle_and_of_the_past_pauses_and_transfers(world: World) -> None:
    a_tax_rate()
    item = sold(
        world,
        monthly("31", **details(maximum="80", minimum="20")),
        monthly("7", key="ramped", **details(ramp=[[1, "9.99"]])),
        monthly("0", key="tiered", model="graduated", tiers=GRADUATED),
        setup_fee("99"),
    )
    billed(world, "2026-01-31")
    told(world, item, Act.QUANTITY, quantity="7", on=date(2026, 2, 11))
    told(world, item, Act.QUANTITY, quantity="5", on=date(2026, 2, 20))
    billed(world, "2026-02-28")
    told(world, item, Act.QUANTITY, quantity="2", on=date(2026, 1, 17))
    billed(world, "2026-03-01")
    told(world, item, Act.SUSPEND, billing="none", on=date(2026, 3, 5))
    billed(world, "2026-03-10")
    told(world, item, Act.RESUME, on=date(2026, 3, 20))
    billed(world, "2026-03-31")
    other = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    told(world, item, Act.TRANSFER, to_account_id=other.pk, on=date(2026, 3, 25))
    billed(world, "2026-04-01")
    kinds = {(each.segment > 1, each.revision > 1, each.basis is None) for each in lines()}
    assert (False, False, True) in kinds, "the simple case keeps nothing"
    assert {(True, False, False), (False, True, False), (True, True, False)} & kinds
    assert again.assert_re_executed() > 20


def test_usage_by_tiers_events_bounds_and_shares_of_days(world: World) -> None:
    a_meter()
    a_meter("paid", aggregation="each", unit="EUR", timed=True)
    a_meter("calls", aggregation="each", unit="s", timed=True)
    event = {"fee": "0.25", "free_events": 1, "free_amount": "10"}
    charges = [
        by_meter(
            "minutes",
            "0",
            model="graduated",
            tiers=GRADUATED,
            **details(allowance={"units": "10", "rollover": "5", "prorated": True}, minimum="9"),
        ),
        by_meter("paid", "2.5", model="percentage", **details(event=event, maximum="3")),
        by_meter("calls", "0", model="rated", **details(call=DAY_AND_NIGHT)),
    ]
    item = a_metered_service(world, *charges, since="2026-01-15")
    taken(
        an_event(item, "3", "2026-01-20T12:00:00Z"),
        an_event(item, "40.000000000001", "2026-02-01T12:00:00Z"),
        an_event(item, "80", "2026-01-21T12:00:00Z", meter="paid"),
        an_event(item, "80", "2026-01-22T12:00:00Z", meter="paid"),
        an_event(item, "17.77", "2026-02-02T12:00:00Z", meter="paid"),
        an_event(item, "95", "2026-01-20T12:00:00Z", meter="calls"),
        an_event(item, "95", "2026-01-20T12:00:00Z", meter="calls"),
        an_event(item, "95", "2026-01-20T06:59:00Z", meter="calls"),
    )
    billed(world, "2026-02-10")
    taken(an_event(item, "9", "2026-01-30T12:00:00Z"), now=world.now.isoformat())
    billed(world, "2026-03-01")
    told(world, item, Act.QUANTITY, quantity="2", on=date(2026, 2, 11))
    billed(world, "2026-04-01")
    assert {each.cause for each in lines()} >= {"period", "late_usage"}
    assert again.assert_re_executed() >= 5


def test_what_a_line_says_was_billed_is_told_from_what_it_should_be(world: World) -> None:
    sold(world, monthly("31"))
    run = billed(world, "2026-01-31")
    (line,) = lines()
    found, failed = printed("reexecute_run", str(run.pk))
    assert (found["equal"], found["different"], failed) == (1, 0, "")
    altered(line, amount=line.amount + Decimal("0.01"))
    (one,) = explain_run(run_id=run.pk)
    assert one.equal is False
    found, failed = printed("explain", str(line.pk))
    assert (found["equal"], found["amount"], found["billed"]) == (False, "66.00", "66.01")
    assert "not what its inputs give" in failed
    found, failed = printed("reexecute_run", run.number)
    assert (found["lines"], found["different"]) == (1, 1)
    assert found["differing"][0]["code"] == "different"
    assert "1 lines are not" in failed


def three_lines() -> BillRun:
    """0.95 each by themselves; 2.84 if they are rounded together."""
    a_tax_rate()
    in_service([a_product(charges=[monthly("4.99")]) for _ in range(3)])
    return finalised(date(2026, 1, 31))


def test_a_tax_that_another_rounding_would_give_is_different() -> None:
    run = three_lines()
    assert printed("reexecute_run", str(run.pk))[0]["equal"] == 3
    line = lines()[2]
    altered(line, tax=Decimal("0.94"))
    for kept in (run.tax_rounding, ""):
        BillRun.objects.update(tax_rounding=kept)
        found, failed = printed("reexecute_run", str(run.pk))
        assert (found["equal"], found["different"]) == (2, 1)
        assert (found["documents"], found["documents_different"]) == (1, 1)
        assert "1 lines are not" in failed
        assert found["differing"][-1] | {"document": 0, "invoice": ""} == {
            **{"document": 0, "invoice": "", "code": "not_the_sum"},
            **{"billed": "14.97", "amount": "14.97", "tax_billed": "2.85", "tax": "2.84"},
        }


@pytest.mark.parametrize("before", ["line", "rate"])
def test_a_run_keeps_its_rounding_when_the_setting_changes(before: str) -> None:
    an_entity(conventions={"tax_rounding": before})
    run = three_lines()
    tax = {"line": "2.85", "rate": "2.84"}[before]
    assert run.tax_rounding == before
    assert f"{Invoice.objects.get().tax:.2f}" == tax
    for told_, kept in (("invoice", before), ("rate", ""), ("line", "")):
        LegalEntity.objects.update(conventions={"tax_rounding": told_})
        BillRun.objects.update(tax_rounding=kept)
        found, failed = printed("reexecute_run", str(run.pk))
        assert (found["equal"], found["documents_different"], failed) == (3, 0, "")


@pytest.mark.parametrize("name", ["net", "tax"])
def test_a_document_that_says_a_cent_more_is_found(world: World, name: str) -> None:
    a_tax_rate()
    sold(world, monthly("4.99"))
    run = billed(world, "2026-01-31")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"UPDATE billing_invoice SET {name} = {name} + 0.01, total = total + 0.01")
        cursor.execute("SET session_replication_role = DEFAULT")
    found, failed = printed("reexecute_run", str(run.pk))
    assert (found["equal"], found["documents_different"]) == (1, 1)
    assert failed == "1 documents are not the sum of their lines."


def test_the_tax_and_the_inputs_count_too(world: World) -> None:
    a_tax_rate()
    item = sold(world, monthly("31"))
    billed(world, "2026-01-31")
    told(world, item, Act.QUANTITY, quantity="4", on=date(2026, 1, 21))
    billed(world, "2026-02-01")
    again.assert_re_executed()
    for line, wrong in [
        (lines()[0], {"tax": Decimal("12.53")}),
        (lines()[0], {"quantity": Decimal(2)}),
        (lines(segment=2)[0], {"quantity": Decimal(9)}),
        (lines(segment=2)[0], {"served_from": date(2026, 1, 22)}),
    ]:
        altered(line, **wrong)
        assert explain_line(line_named(str(line.pk))).equal is False, wrong
        altered(line, **{name: getattr(line, name) for name in wrong})
    again.assert_re_executed()


def test_a_line_from_before_is_said_to_be_one_and_never_guessed(
    world: World, finance: Person
) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(), monthly("31"))
    taken(an_event(item, "7", "2026-01-20T12:00:00Z"))
    run = billed(world, "2026-02-10")
    (line,) = lines(charge__terms_charge__kind="usage")
    for basis in (None, {"v": 9}, {"v": 1, "usage": {"quantity": "x"}}, [], {"v": 1, "pieces": 3}):
        altered(line, basis=basis)
        with translation.override("en"):
            found = explain_line(line_named(str(line.pk)))
            assert (found.again, found.equal) == (None, None)
            assert found.trouble.startswith("Not re-executable"), basis
            page = client_of("finance").get(line.invoice.get_absolute_url())
            assert "Not re-executable" in text_of(page)
        told_, failed = printed("explain", str(line.pk))
        assert told_["equal"] is None
        assert "Not re-executable" in failed
        found_, failed = printed("reexecute_run", str(run.pk))
        assert (found_["not_re_executable"], found_["different"]) == (1, 0)
        assert failed == "1 lines cannot be computed again."
        url = f"/api/v1/invoices/{line.invoice_id}/lines/{line.position}/explanation"
        assert finance.get(url).json()["equal"] is None
    assert {each.basis for each in lines(charge__terms_charge__kind="recurring")} == {None}


def test_the_page_the_api_and_the_command_show_the_same_arithmetic(
    world: World, finance: Person
) -> None:
    a_tax_rate()
    item = sold(world, monthly("31"))
    billed(world, "2026-01-31")
    told(world, item, Act.QUANTITY, quantity="4", on=date(2026, 1, 21))
    billed(world, "2026-02-01")
    line = lines(period_start=date(2026, 1, 1), segment=2)[0]
    named = f"{line.invoice.number}/{line.position}"
    page = text_of(client_of("finance").get(line.invoice.get_absolute_url()))
    assert "equal to the cent" in page
    alone = f"/billing/invoices/{line.invoice_id}/lines/{line.position}/"
    assert "equal to the cent" in text_of(client_of("finance").get(alone))
    assert client_of("finance").get(f"{alone[:-2]}99/").status_code == 404
    url = f"/api/v1/invoices/{line.invoice_id}/lines/{line.position}/explanation"
    body = finance.get(url).json()
    assert (body["equal"], body["amount"], body["tax"]) == (True, "44.00", "8.36")
    days = [step["arithmetic"] for step in body["steps"] if step["label"] == "days"]
    assert days == ["93 × 11 / 31", "124 × 11 / 31"]
    assert finance.get(url.replace("/lines/", "/lines/9")).status_code == 404
    assert by_rest("order team").get(url).status_code == 403
    found, failed = printed("explain", named)
    assert ({**found}, failed) == (body, "")
    out = StringIO()
    call_command("explain", named, stdout=out)
    assert "net: 44.00 = 44.00 EUR billed" in out.getvalue()
    assert "tax: 8.36 = 8.36 EUR billed" in out.getvalue()


@pytest.mark.parametrize(
    "named", ["0", "x", "", "INV-1/2", "INV-1/x", "/", "²", "9" * 20, "9" * 5000]
)
def test_there_is_no_such_line(named: str) -> None:
    with pytest.raises(CommandError, match="There is no invoice line"):
        call_command("explain", named)
    with pytest.raises(CommandError, match="There is no bill run"):
        call_command("reexecute_run", named)


def test_a_basis_comes_back_as_it_was_and_counts_equal_events() -> None:
    terms = charge(
        kind="usage",
        timing="arrears",
        model="rated",
        call=CallRates((Window(0, (Slot(0, ONE, 60, 1),)),)),
    )
    call = Event(Decimal(60))
    events = (call, Event(Decimal(61)), call, Event(Decimal(60), covered=Decimal(30)))
    pieces = ((Decimal(1), Period(date(2026, 1, 1), date(2026, 2, 1))),)
    basis = Basis(pieces, Decimal("1.50"), UsageBasis(Decimal(241), events, prepaid=Decimal(30)))
    stored = read_basis(json.loads(basis_text(basis, terms)))
    assert sorted(stored.events) == sorted([(2, call), (1, events[1]), (1, events[3])])
    assert sorted(stored.basis.usage.events) == sorted(events)  # type: ignore[union-attr]
    assert stored.basis._replace(usage=None) == basis._replace(usage=None)
