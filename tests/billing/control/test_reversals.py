"""What takes back is no bill: nobody is compared with it, and no control stops it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billing.models import BillRun, Invoice, NumberSeries, Posting
from billing.runs.selectors.looking import unlooked
from billing.runs.services import (
    NotReversible,
    RunIncomplete,
    RunNotReady,
    approve_run,
    ask_retry,
    open_run,
    reverse_run,
    set_aside,
)
from billing.runs.services.telling import tell_advocates
from o2b import events
from tests.billing.control.worlds import (
    an_account_with,
    approved,
    equation,
    more_for,
    rules,
    variances,
)
from tests.billing.pages import client_of, text_of
from tests.billing.test_reversal import asked, reversed_
from tests.billing.worlds import AT, FEBRUARY, JANUARY, MARCH, by_hand, drafted, finalised
from tests.factories import a_user, an_entity

pytestmark = pytest.mark.django_db

IN_MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_the_last_bill_is_one_that_stands() -> None:
    account = an_account_with("100.00")
    finalised(JANUARY)
    more_for(account, "20.00")
    taken_back = Invoice.objects.get(run=finalised(FEBRUARY))
    reversed_(taken_back, at=IN_MARCH)
    run = drafted(MARCH)
    # February, which is due again, and March: 120 twice, beside January's.
    assert variances(run) == {account.pk: ("100.00", "240.00", "more")}


def test_whose_only_bill_was_taken_back_gets_a_first_one() -> None:
    account = an_account_with("100.00")
    finalised(JANUARY)
    reversed_(Invoice.objects.get())
    run = drafted(FEBRUARY)
    assert variances(run) == {}
    assert unlooked(run_id=run.pk) == 1
    assert account.pk


def test_no_fuse_and_no_advocate_stands_in_its_way() -> None:
    an_account_with("100.00")
    finalised(JANUARY)
    rules(
        most_amount=Decimal(1),
        most_lines=1,
        most_jump=Decimal(2),
        marks_credits=True,
        advocate_hours=48,
    )
    invoice = Invoice.objects.get()
    reversal = asked(invoice)
    assert equation(reversal) == (1, 1, 0, 0, 1, 0)
    assert variances(reversal) == {}
    assert (unlooked(run_id=reversal.pk), tell_advocates(run_id=reversal.pk)) == (0, 0)
    assert approved(reversal).state == BillRun.State.FINALISED
    assert Invoice.objects.get(reverses=invoice).net == -invoice.net


def test_nobody_leaves_it() -> None:
    account = an_account_with("100.00")
    finalised(JANUARY)
    reversal = asked(Invoice.objects.get())
    by = a_user().pk
    with pytest.raises(RunNotReady):
        set_aside(run_id=reversal.pk, reason="no", by=by, at=AT, account_ids=[account.pk])
    with pytest.raises(RunNotReady):
        ask_retry(run_id=reversal.pk, at=AT)
    assert equation(reversal) == (1, 1, 0, 0, 1, 0)
    text = text_of(client_of("finance").get(reversal.get_absolute_url()))
    for part in ("first bill", "outlier", "Set aside", "not looked at", "Retry"):
        assert part not in text, part


def test_accounts_are_counted_and_documents_too() -> None:
    an_account_with("100.00")
    an_account_with("50.00")
    run = finalised(JANUARY)
    reversal = reverse_run(run_id=run.pk, reason="month", opened_by_id=a_user().pk, at=AT)
    events.drain()
    reversal.refresh_from_db()
    assert equation(reversal) == (2, 2, 0, 0, 2, 0)
    by_hand("DELETE FROM billing_draftinvoice WHERE net = -50", [])
    with pytest.raises(RunIncomplete):
        approve_run(run_id=reversal.pk, user_id=a_user().pk, at=AT)
    assert Invoice.objects.filter(reverses__isnull=False).count() == 0


def test_a_rehearsal_numbers_and_posts_nothing_and_waits_for_nobody() -> None:
    an_account_with("100.00")
    finalised(JANUARY)
    series = list(NumberSeries.objects.values("pk", "next_number"))
    postings = Posting.objects.count()
    rehearsal = open_run(
        legal_entity_id=an_entity().pk,
        on=FEBRUARY,
        opened_by_id=a_user().pk,
        at=AT,
        kind=BillRun.Kind.REHEARSAL,
    )
    events.drain()
    rehearsal.refresh_from_db()
    assert rehearsal.state == BillRun.State.REHEARSED
    assert list(NumberSeries.objects.values("pk", "next_number")) == series
    assert (Posting.objects.count(), Invoice.objects.count()) == (postings, 1)
    with pytest.raises(NotReversible):
        reverse_run(run_id=rehearsal.pk, reason="x", opened_by_id=a_user().pk, at=AT)
    # One is no hindrance to taking back what stands.
    note = reversed_(Invoice.objects.get())
    assert note.issued_on == date(2026, 2, 10)
