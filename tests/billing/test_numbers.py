"""Numbers without a gap: by year, of credit notes apart, under concurrency; and the check of it."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from billing.models import BillRun, Invoice, NumberSeries
from billing.runs.selectors.numbers import faults_of_numbers
from billing.runs.services import (
    NotReversible,
    approve_run,
    finalise_run,
    finalise_shard,
    open_run,
    reverse_invoice,
)
from o2b import events
from o2b.customers.bookkeeping import BookkeepingInvalid, bookkeeping_of
from o2b.customers.models import LegalEntity
from o2b.customers.validators import validate_conventions
from tests.billing.test_reversal import reversed_
from tests.billing.worlds import AT, JANUARY, by_hand, drafted, finalised, in_service, numbers
from tests.factories import a_product, a_user, an_entity, monthly

pytestmark = pytest.mark.django_db


def keeps(**conventions: Any) -> None:
    """How the seller numbers its documents."""
    an_entity()
    validate_conventions(conventions)
    LegalEntity.objects.update(conventions=conventions)


def test_numbers_begin_anew_each_year_and_say_it() -> None:
    keeps(numbers_by_year=True, number_digits=5)
    in_service([a_product(charges=[monthly("10.00")])])
    for day in (date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28)):
        finalised(day)
    assert numbers() == ["INV-2026-00001", "INV-2027-00001", "INV-2026-00002", "INV-2027-00002"]
    assert faults_of_numbers() == []


def test_a_late_run_of_the_old_year_goes_on_with_its_series() -> None:
    keeps(numbers_by_year=True)
    first, second = (in_service([a_product(charges=[monthly("10.00")])]) for _ in range(2))
    finalised(date(2027, 1, 31), account_ids=[first.pk])
    finalised(date(2026, 12, 31), account_ids=[second.pk])
    told = Invoice.objects.order_by("pk").values_list("number", "issued_on")
    assert list(told) == [
        ("INV-2027-00000001", date(2027, 1, 31)),
        ("INV-2026-00000001", date(2026, 12, 31)),
    ]


def test_the_year_may_stand_where_the_prefix_says() -> None:
    an_entity()
    LegalEntity.objects.update(number_prefix="{year}/R", conventions={"numbers_by_year": True})
    in_service([a_product(charges=[monthly("10.00")])])
    finalised(JANUARY)
    assert numbers() == ["2026/R00000001"]


def test_credit_notes_have_a_series_of_their_own() -> None:
    keeps(credit_note_prefix="CN-")
    accounts = [in_service([a_product(charges=[monthly("10.00")])]) for _ in range(2)]
    finalised(JANUARY)
    for account in accounts:
        reversed_(Invoice.objects.get(account=account))
    finalised(JANUARY)
    told = Invoice.objects.order_by("pk").values_list("number", flat=True)
    assert list(told) == [
        "INV-00000001",
        "INV-00000002",
        "CN-00000001",
        "CN-00000002",
        "INV-00000003",
        "INV-00000004",
    ]
    assert faults_of_numbers() == []


def test_the_setting_may_change_between_approval_and_the_last_number() -> None:
    in_service([a_product(charges=[monthly("10.00")])])
    run = drafted()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    keeps(numbers_by_year=True, number_digits=4, credit_note_prefix="CN-")
    assert faults_of_numbers() == []  # what is on its way is no gap
    events.drain()
    assert numbers() == ["INV-00000001"]
    assert faults_of_numbers() == []


def test_a_gap_is_found() -> None:
    for _ in range(3):
        in_service([a_product(charges=[monthly("10.00")])])
    finalised()
    call_command("check_numbers", stdout=StringIO())
    by_hand("UPDATE billing_invoice SET serial = 9, number = 'INV-00000009' WHERE serial = %s", [2])
    assert [each.text for each in faults_of_numbers()] == [
        "nordlicht: INV- lacks 2",
        "nordlicht: INV- lacks 5 to 8",
    ]
    by_hand("UPDATE billing_invoice SET number = 'X-1' WHERE serial = %s", [9])
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("check_numbers", stdout=out)
    assert "X-1 is of no series" in out.getvalue()


def test_a_series_never_goes_back() -> None:
    in_service([a_product()])
    finalised()
    for statement in (
        "UPDATE billing_numberseries SET next_number = 1",
        "UPDATE billing_numberseries SET prefix = 'X'",
        "DELETE FROM billing_numberseries",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.parametrize(
    "said",
    [
        {"numbers_by_year": "yes"},
        {"number_digits": 3},
        {"number_digits": True},
        {"credit_note_prefix": "x" * 13},
        {"credit_note_prefix": "C\n"},
        {"defer_revenue": 1},
    ],
)
def test_what_a_setting_cannot_be(said: dict[str, Any]) -> None:
    with pytest.raises(BookkeepingInvalid):
        bookkeeping_of(said)
    with pytest.raises(ValidationError):
        validate_conventions(said)


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Each in a thread with a connection of its own, begun together; what went wrong."""
    faults: list[BaseException] = []
    ready = threading.Barrier(len(acts))

    def go(act: Callable[[], object]) -> None:
        try:
            ready.wait(20)
            act()
        except BaseException as fault:  # for the test to see
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@pytest.mark.django_db(transaction=True)
def test_runs_approved_and_made_final_at_once_leave_no_gap() -> None:
    keeps(numbers_by_year=True, credit_note_prefix="CN-")
    accounts = [in_service([a_product(charges=[monthly("10.00")])]) for _ in range(8)]
    first = [finalised(JANUARY, account_ids=[account.pk]) for account in accounts[:4]]
    assert len(first) == 4
    opener, approver = a_user(), a_user()
    at = datetime(2026, 2, 1, tzinfo=UTC)
    runs = [
        open_run(
            legal_entity_id=an_entity().pk,
            on=date(2026 + n % 2, 12, 31),
            opened_by_id=opener.pk,
            at=at,
            account_ids=[account.pk],
        )
        for n, account in enumerate(accounts[4:])
    ]
    events.drain()

    def carried(run: BillRun) -> None:
        approve_run(run_id=run.pk, user_id=approver.pk, at=at)
        finalise_run(run_id=run.pk, at=at)
        for shard in run.shards.all():
            finalise_shard(shard_id=shard.pk, at=at)

    assert at_once(*(lambda run=run: carried(run) for run in runs)) == []
    assert faults_of_numbers() == []
    by_year = {
        f"INV-{year}-0000000{n}"
        for year, most in ((2026, 6), (2027, 2))
        for n in range(1, most + 1)
    }
    assert set(numbers()) == by_year
    assert NumberSeries.objects.get(year=2026, kind="").next_number == 7


@pytest.mark.django_db(transaction=True)
def test_a_reversal_asked_twice_at_once_is_asked_once() -> None:
    in_service([a_product(charges=[monthly("10.00")])])
    finalised(JANUARY)
    invoice = Invoice.objects.get()
    people = [a_user().pk for _ in range(3)]
    faults = at_once(
        *(
            lambda user=user: reverse_invoice(
                invoice_id=invoice.pk, reason="x", opened_by_id=user, at=AT
            )
            for user in people
        )
    )
    assert [type(fault) for fault in faults] == [NotReversible] * 2
    events.drain()
    run = BillRun.objects.get(reverses_invoice=invoice)
    faults = at_once(
        *(lambda: approve_run(run_id=run.pk, user_id=a_user().pk, at=AT) for _ in range(2))
    )
    assert len(faults) == 1
    events.drain()
    assert numbers() == ["INV-00000001", "INV-00000002"]
