"""Every kind of work keeps to the contract of handlers, and the contract finds who does not."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from orders.checks import handlers_are_there
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Job, Waiting
from orders.kinds.contract import HandlerContract, breaches, job_of, sample_job
from orders.models import Evidence, LicenceKey, PurchaseOrder, WaitsFor
from tests.orders import example_handler
from tests.orders.build import NOON, a_placed_order
from tests.orders.kinds_build import a_contact, first, step

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


class OfATask(HandlerContract):
    """A kind that needs rows: a task of its own that is ready."""

    parameters: dict[str, Any] = {}

    @pytest.fixture(autouse=True)
    def _task(self):
        order = a_placed_order(tasks=[step(self.handler, parameters=self.parameters)])
        a_contact(order)
        self.task_id = first(order).pk

    def job(self) -> Job:
        return job_of(self.task_id, at=NOON)


class TestActivation(OfATask):
    handler = "activation"


class TestLicenceKey(OfATask):
    handler = "licence_key"
    parameters = {"mail": True, "per_unit": False}


class TestEmail(OfATask):
    handler = "email"
    parameters = {"to": "contact", "subject": "{order} is on its way", "text": "Hello {customer}"}


class TestVendorOrder(OfATask):
    handler = "vendor_order"
    parameters = {"vendor": "Cisco", "item": "Router", "unit_cost": "99.5", "lead_days": 5} | {
        "vendor_email": "orders@cisco.example",
        "quantity": 1,
        "note": "soon",
    }


class TestVendorCancel(OfATask):
    handler = "vendor_cancel"


class TestAppointment(OfATask):
    handler = "appointment"
    parameters = {"minutes": 90, "place": "Mill Lane 1"}


class TestWaitForDays(OfATask):
    handler = "wait"
    parameters = {"days": 3}


class TestWaitForWorkingDays(OfATask):
    handler = "wait"
    parameters = {"working_days": 3}


class TestWaitUntil(OfATask):
    handler = "wait"
    parameters = {"until": "2026-03-01"}


class TestWaitForAnEvent(OfATask):
    handler = "wait"
    parameters = {"event": "payment.received"}


class TestDeposit(OfATask):
    handler = "payment"
    parameters = {"what": "deposit", "percent": 10}


class TestFirstBill(OfATask):
    handler = "payment"
    parameters = {"what": "first_bill"}


class TestCreditCheck(OfATask):
    handler = "credit_check"
    parameters = {"limit": 10, "overdue_allowed": "5.50", "on_bad": "wait"}


class TestApproval(OfATask):
    handler = "approval"
    parameters = {"reason": "Is the mast allowed?", "of_whom": "advocate"}


class TestTheExample(HandlerContract):
    """The handler of docs/handlers.md, with its registry played."""

    handler = "number_plate"

    @pytest.fixture(autouse=True)
    def _registry(self, monkeypatch):
        monkeypatch.setitem(handlers.HANDLERS, "number_plate", example_handler.NUMBER_PLATE)
        said = httpx.Response(200, json={"plate": "HH-O 28"})
        monkeypatch.setattr(httpx, "post", lambda *_, **__: said)

    def job(self) -> Job:
        return sample_job("number_plate", {"district": "HH"})


def test_the_example_is_the_one_that_is_documented():
    text = (ROOT / "docs" / "handlers.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.S)
    assert (ROOT / "tests/orders/example_handler.py").read_text() in code


def _sound(job):
    return Done()


class Counter:
    """Says something else each time."""

    def __init__(self) -> None:
        self.n = 0

    def __call__(self, job: Job) -> Done:
        self.n += 1
        return Done(serial=f"S-{self.n}")


def _raises(job):
    raise KeyError("x")


def _opens(job):
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT s")
    connection.savepoint_ids.append("s")
    return Done()


def _calls(job):
    httpx.get("http://127.0.0.1:9", timeout=0.2)
    return Done()


@pytest.mark.parametrize(
    ("handler", "breach"),
    [
        (Handler(run=_sound), ""),
        (Handler(run=lambda job: cast(Any, None)), "it answers None, which is no outcome"),
        (Handler(run=_raises), "it raises KeyError"),
        (Handler(run=Counter()), "run twice for one task it says"),
        (Handler(run=_sound, faults=lambda p: ["never"]), "faults() holds against sound"),
        (Handler(run=_sound, faults=lambda p: p["a"]), "faults() raises KeyError"),
        (Handler(run=_sound, faults=lambda p: cast(Any, None)), "which is no list of sentences"),
        (Handler(run=_sound, run_many=lambda jobs: {}), "run_many does not answer exactly"),
        (
            Handler(
                run=_sound, run_many=lambda jobs: {j.task_id: Waiting(WaitsFor.DATE) for j in jobs}
            ),
            "run_many says ('Waiting'",
        ),
        (Handler(run=_calls, instant=True), "asks the outside, but says that it is instant"),
    ],
)
def test_who_breaks_the_contract_is_found(monkeypatch, handler, breach):
    monkeypatch.setitem(handlers.HANDLERS, "mine", handler)
    found = "\n".join(breaches("mine", sample_job("mine", {"a": 1}, at=NOON)))
    assert breach in found if breach else found == ""


def test_a_transaction_left_open_is_found(monkeypatch):
    monkeypatch.setitem(handlers.HANDLERS, "mine", Handler(run=_opens))
    found = breaches("mine", sample_job("mine", at=NOON))
    connection.savepoint_ids.clear()
    assert "it leaves a transaction open" in found


def test_a_name_that_nobody_registered():
    assert breaches("nobody", sample_job("nobody", at=NOON)) == [
        "no handler is called 'nobody'; O2B_TASK_HANDLERS names them"
    ]


def check(*args: str) -> str:
    said = StringIO()
    call_command("check_handler", *args, stdout=said)
    return said.getvalue()


def test_the_command_checks_and_leaves_nothing():
    order = a_placed_order(
        tasks=[step("vendor_order", parameters={"vendor": "Cisco", "item": "Router"})]
    )
    told = check("vendor_order", "--task", str(first(order).pk))
    assert told == "vendor_order keeps to the contract.\n"
    assert not PurchaseOrder.objects.exists()
    assert check("wait", "--parameters", json.dumps({"event": "order.placed"})).startswith("wait")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nobody"], "No handler is called 'nobody'"),
        (["wait", "--parameters", "{"], "--parameters is no JSON"),
        (["wait", "--parameters", "[]"], "an object"),
        (["wait", "--task", "999999999"], "There is no task 999999999."),
        (["email"], "email breaks the contract in"),
    ],
)
def test_what_the_command_refuses(args, said):
    with pytest.raises(CommandError, match=re.escape(said)):
        check(*args)
    assert not Evidence.objects.exists()
    assert not LicenceKey.objects.exists()


def test_every_name_in_the_settings_is_a_handler(settings):
    assert handlers_are_there(None) == []
    settings.O2B_TASK_HANDLERS = {
        "gone": "orders.kinds.gone.GONE",
        "text": "orders.kinds.letters.WORDS",
    }
    gone, no_handler = (str(error.msg) for error in handlers_are_there(None))
    assert gone.startswith("O2B_TASK_HANDLERS: gone: orders.kinds.gone.GONE cannot be imported")
    assert no_handler == "O2B_TASK_HANDLERS: text: orders.kinds.letters.WORDS is no Handler"


def test_every_built_in_kind_is_under_the_contract(settings):
    tested = {each.handler for each in HandlerContract.__subclasses__()} | {
        each.handler for each in OfATask.__subclasses__()
    }
    # One asks a server (tests/orders/test_provisioning.py), one is laid by itself for what is in
    # service (tests/subscriptions/test_changes.py).
    elsewhere = {"http_provisioning", "change_service"}
    assert set(settings.O2B_TASK_HANDLERS) - tested <= elsewhere
