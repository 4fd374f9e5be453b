"""A run of ten thousand invoices: one account is poisoned, and every line is computed again.

The accounts are a mix: flat, tiered usage, changed in mid-period, due once, nothing due. The whole
number is billed in CI and by `make test-faults`, a twentieth elsewhere (O2B_TEN_THOUSAND=whole:
all).
"""

import json
import os
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.models import BillRun, Invoice, InvoiceLine, ParkedAccount
from billing.runs.bench import world
from billing.runs.selectors import counts_of
from billing.runs.services import approve_run, open_run
from o2b import clock, events
from tests.factories import a_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.workers]

ASKED = {os.environ.get("O2B_TEN_THOUSAND"), os.environ.get("O2B_FAULTS")}
WHOLE = bool(os.environ.get("CI")) or "whole" in ASKED
ACCOUNTS = 11_120 if WHOLE else 560
NOTHING_DUE = ACCOUNTS // 10


def test_every_line_is_re_executed_and_one_poisoned_account_stops_nobody() -> None:
    entity = world.build(accounts=ACCOUNTS, lines=2, faults=1, mix="realistic")
    run = open_run(legal_entity_id=entity.pk, on=world.ON, opened_by_id=a_user().pk, at=clock.now())
    events.drain()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=clock.now())
    events.drain()
    run.refresh_from_db()
    assert run.state == BillRun.State.FINALISED
    counts = counts_of(run_id=run.pk)
    assert (counts.nothing_due, counts.parked) == (NOTHING_DUE, 1)
    assert counts.invoices == Invoice.objects.count() == ACCOUNTS - NOTHING_DUE - 1
    assert counts.invoices > 10_000 or not WHOLE
    assert ParkedAccount.objects.get().code == "product"

    told = again(run)
    assert told["equal"] == told["lines"] == InvoiceLine.objects.count() == counts.lines
    assert told["differing"] == []

    line = InvoiceLine.objects.exclude(basis=None).order_by("pk")[0]
    alter(line)
    told = again(run)
    assert (told["different"], told["equal"]) == (1, counts.lines - 1)
    (its_line, its_document) = told["differing"]
    assert (its_line["line"], its_document["document"]) == (line.pk, line.invoice_id)


def again(run: BillRun) -> dict[str, Any]:
    """What `manage.py reexecute_run` says of a run; it fails if a line differs."""
    said = StringIO()
    try:
        call_command("reexecute_run", str(run.pk), json=True, stdout=said)
    except CommandError as exc:
        assert "1 lines are not what their inputs give" in str(exc)  # noqa: PT017
    told: dict[str, Any] = json.loads(said.getvalue())
    return told


def alter(line: InvoiceLine) -> None:
    """A cent more, behind every trigger's back."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE billing_invoiceline SET amount = amount + %s WHERE id = %s",
            [Decimal("0.01"), line.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
