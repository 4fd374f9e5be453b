"""Fuses park an account and never the run; a person may lift them for one account."""

from decimal import Decimal

import pytest

from billing.models import ParkedAccount
from billing.runs.services import ask_retry
from o2b import events
from o2b.models import Event
from tests.billing.control.worlds import (
    an_account_with,
    approved,
    equation,
    more_for,
    net_of,
    reasons,
    rules,
)
from tests.billing.pages import client_of, text_of
from tests.billing.worlds import AT, FEBRUARY, MARCH, bills, drafted, finalised, parked
from tests.factories import a_user

pytestmark = pytest.mark.django_db


def test_without_rules_nothing_is_stopped() -> None:
    an_account_with("9999999.00")
    run = drafted(MARCH)
    assert (parked(run), equation(run)) == ({}, (1, 1, 0, 0, 1, 0))


def test_too_many_lines_of_one_charge_stop_the_account_alone() -> None:
    late = an_account_with("10.00")
    finalised(FEBRUARY)
    other = an_account_with("20.00")  # three months at once
    rules(most_lines_a_charge=2)
    run = drafted(MARCH)
    assert parked(run) == {other.pk: "fuse"}
    assert reasons(run)[other.pk] == "One charge gives 3 lines; the fuse blows at 2."
    assert equation(run) == (2, 1, 0, 1, 1, 0)
    approved(run)
    assert len(bills(late)) == 3
    assert bills(other) == []


def test_too_many_lines_of_an_account_stop_it() -> None:
    account = an_account_with("10.00")
    for _ in range(2):
        more_for(account, "5.00")
    rules(most_lines=2)
    run = drafted(FEBRUARY)
    assert reasons(run) == {account.pk: "4 lines for the account; the fuse blows at 2."}


def test_a_large_document_stops_its_account() -> None:
    large, small = an_account_with("1000.01"), an_account_with("1000.00")
    rules(most_amount=Decimal(1000))
    run = drafted()
    assert reasons(run) == {large.pk: "A document of €1,000.01; the fuse blows at €1,000.00."}
    assert approved(run).invoices.get().account == small


def test_a_jump_stops_its_account_and_a_small_one_may_grow() -> None:
    jumps, small = an_account_with("50.00"), an_account_with("1.00")
    finalised()
    more_for(jumps, "450.01")
    more_for(small, "99.00")
    rules(most_jump=10)
    run = drafted(FEBRUARY)
    assert reasons(run) == {
        jumps.pk: "€500.01 is 10 times the last bill of €50.00; the fuse blows at 10."
    }
    event = Event.objects.get(name="account.parked")
    assert event.facts["code"] == "fuse"


def test_a_lifted_fuse_lets_the_account_join_the_same_run() -> None:
    account = an_account_with("1000.01")
    rules(most_amount=Decimal(1000))
    run, finance = drafted(), a_user("finance")
    ask_retry(run_id=run.pk, account_ids=[account.pk], at=AT, actor_id=finance.pk)
    events.drain()
    assert parked(run) == {account.pk: "fuse"}  # nothing was mended
    ask_retry(run_id=run.pk, account_ids=[account.pk], lift=True, at=AT, actor_id=finance.pk)
    events.drain()
    assert (parked(run), equation(run)) == ({}, (1, 1, 0, 0, 1, 0))
    assert net_of(run) == Decimal("1000.01")
    approved(run)
    assert [amount for *_, amount in bills(account)] == ["1000.01"]
    assert not ParkedAccount.objects.exists()


GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de"}


def test_a_reader_reads_the_reason_in_the_readers_language() -> None:
    grew, large = an_account_with("50.00"), an_account_with("1000.01")
    finalised()
    more_for(grew, "450.01")
    rules(most_amount=Decimal(1000), most_jump=10)
    run = drafted(FEBRUARY)
    client = client_of("finance")
    english, german = reasons(run), text_of(client.get(run.get_absolute_url(), **GERMAN))
    assert english[large.pk] == "A document of €1,000.01; the fuse blows at €1,000.00."
    assert "Ein Dokument über 1.000,01 €; die Sicherung löst bei 1.000,00 € aus." in german
    assert "500,01 € ist das 10fache der letzten Rechnung über 50,00 €" in german
    assert "Sicherung · zuständig:" in german
    for row in ParkedAccount.objects.filter(run=run):
        page = client.get(f"/billing/parked/{row.pk}/", **GERMAN)
        assert "Sicherung löst bei" in text_of(page)
    sheet = client.get(f"/billing/runs/{run.pk}/parked/?format=csv", **GERMAN)
    told = b"".join(sheet.streaming_content).decode()
    assert "Ein Dokument über" in told


def test_a_reason_that_was_stored_as_words_alone_stays_readable() -> None:
    large = an_account_with("1000.01")
    rules(most_amount=Decimal(1000))
    run = drafted()
    row = ParkedAccount.objects.get(account=large)
    row.facts, row.code, row.reason = (
        {"fuse": "amount", "total": "1000.01"},
        "odd_one",
        "As it was.",
    )
    row.save()
    text = text_of(client_of("finance").get(run.get_absolute_url(), **GERMAN))
    assert "As it was. odd one ·" in text
