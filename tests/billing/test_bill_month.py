"""manage.py bill_month: one command from open to final, and clear words where it cannot."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.models import BillRun, Invoice
from tests.billing.worlds import in_service
from tests.factories import a_product, a_user, an_entity, monthly

pytestmark = pytest.mark.django_db


def bill_month(*arguments: str) -> dict[str, Any]:
    said = StringIO()
    call_command("bill_month", *arguments, "--json", stdout=said, stderr=StringIO())
    told: dict[str, Any] = json.loads(said.getvalue())
    return told


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.management.commands.bill_month.answering", lambda: 0)


def test_a_second_call_bills_nothing(settings: Any) -> None:
    settings.O2B_APPROVER = a_user().username
    in_service([a_product(charges=[monthly("49.90")])], quantity="3")
    told = bill_month("2026-01", "--finalise")
    assert (told["invoices"], told["billed"], told["mismatches"]) == (1, "149.70", 0)
    assert (told["parked"], told["runs"]) == (0, 1)
    again = bill_month("2026-01", "--finalise")
    assert (again["invoices"], again["billed"], again["runs"]) == (0, "0.00", 1)
    assert Invoice.objects.count() == 1


def test_without_finalise_the_run_waits_for_a_person() -> None:
    in_service([a_product(charges=[monthly("49.90")])])
    told = bill_month("2026-01")
    assert (told["drafted"], told["to_bill"], told["invoices"]) == (1, "49.90", 0)
    assert BillRun.objects.get().state == BillRun.State.TO_APPROVE
    with pytest.raises(CommandError, match="is not finished"):
        bill_month("2026-01")


@pytest.mark.parametrize(
    ("approver", "arguments", "said"),
    [
        ("", ["2026-01", "--finalise"], "O2B_APPROVER is not set"),
        ("nobody", ["2026-01", "--finalise"], "there is no such user"),
        ("system", ["2026-01", "--finalise"], "name a person"),
        ("", ["2026-13"], "is no month"),
        ("", ["2026-01", "--legal-entity", "nowhere"], "no legal entity"),
    ],
)
def test_what_cannot_be_is_said(
    settings: Any, approver: str, arguments: list[str], said: str
) -> None:
    an_entity()
    a_user(username="system")
    settings.O2B_APPROVER = approver
    with pytest.raises(CommandError, match=said):
        bill_month(*arguments)
    assert BillRun.objects.count() == 0
