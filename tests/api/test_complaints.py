"""Complaints by REST: open, take, hand over, resolve, open again, and the refusals."""

import pytest

from o2b.people.models import Notice
from orders.models import Complaint
from tests.api.conftest import As
from tests.api.problem import assert_problem
from tests.factories import a_user
from tests.orders.careful import a_complaint, an_order, first_line

pytestmark = pytest.mark.django_db
COMPLAINTS = "/api/v1/complaints"


def test_the_life_of_a_complaint(as_: As) -> None:
    order = an_order()
    client = as_("sales")
    ada = a_user("sales")
    body = {"line": first_line(order).pk, "text": "Billed twice", "about": "INV-7"}
    opened = client.post(COMPLAINTS, body)
    assert opened.status_code == 201
    said = opened.json()
    assert (said["source"], said["about"], said["state"]) == ("invoice", "INV-7", "open")
    assert said["owner"] == order.account.advocate.username
    assert (said["is_overdue"], said["due_at"]) == (False, "2026-02-03T17:00:00Z")
    here = opened["Location"]
    assert client.post(f"{here}/take").json()["owner"] == client.person.username
    assert client.post(f"{here}/hand-over", {"to": ada.username}).json()["owner"] == ada.username
    done = client.post(f"{here}/resolve", {"resolution": "Credited"}).json()
    assert (done["state"], done["resolution"]) == ("resolved", "Credited")
    assert client.post(f"{here}/reopen", {"reason": "Again"}).json()["state"] == "open"
    found = client.get(COMPLAINTS, {"overdue": "false", "owner": ada.username}).json()["results"]
    assert [one["id"] for one in found] == [said["id"]]
    assert client.get(COMPLAINTS, {"overdue": "true"}).json()["results"] == []


def test_what_is_refused_writes_nothing(as_: As) -> None:
    complaint = a_complaint()
    client, reader = as_("sales"), as_("order team")
    here, rows = f"{COMPLAINTS}/{complaint.pk}", Notice.objects.count()
    gone = {"line": 10**9, "text": "x"}
    assert_problem(client.post(COMPLAINTS, gone), 404, "not_found", "line")
    assert_problem(client.post(COMPLAINTS, {"line": complaint.line_id}), 400, "malformed", "text")
    for to in ("nobody", reader.person.username):
        assert_problem(client.post(f"{here}/hand-over", {"to": to}), 422, "not_a_person", "to")
    unsaid = client.post(f"{here}/resolve", {"resolution": ""})
    assert_problem(unsaid, 400, "malformed", "resolution")
    again = client.post(f"{here}/reopen", {"reason": "x"})
    assert_problem(again, 409, "complaint_not_ready")
    assert reader.post(f"{here}/take").status_code == 403
    assert client.post(f"{COMPLAINTS}/{10**9}/take").status_code == 404
    assert Complaint.objects.count() == 1
    assert Notice.objects.count() == rows
    assert reader.get(here).json()["state"] == "open"
