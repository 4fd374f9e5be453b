"""The laws of lines and tasks: every arrow, and no other."""

import pytest
from django.db import IntegrityError, InternalError, transaction

from o2b.fsm import law
from orders.models import Evidence, OrderLine, Task
from tests.orders.build import NOON, a_placed_order, advance

LINE = {
    ("accepted", "schedule", "scheduled"),
    ("scheduled", "begin", "provisioning"),
    ("provisioning", "deliver", "delivered"),
    ("delivered", "complete", "completed"),
    ("scheduled", "hold", "held"),
    ("provisioning", "hold", "held"),
    ("scheduled", "wait", "waiting"),
    ("provisioning", "wait", "waiting"),
    ("scheduled", "fall_out", "fallout"),
    ("provisioning", "fall_out", "fallout"),
    ("held", "resume_to_scheduled", "scheduled"),
    ("waiting", "resume_to_scheduled", "scheduled"),
    ("held", "resume_to_provisioning", "provisioning"),
    ("waiting", "resume_to_provisioning", "provisioning"),
    ("fallout", "mend", "provisioning"),
    *(
        (source, "cancel", "cancelling")
        for source in ("accepted", "scheduled", "provisioning", "held", "waiting", "fallout")
    ),
    ("cancelling", "close", "cancelled"),
}
TASK = {
    ("blocked", "make_ready", "ready"),
    ("ready", "claim", "claimed"),
    ("claimed", "release", "ready"),
    ("ready", "run", "running"),
    ("claimed", "finish", "done"),
    ("running", "finish", "done"),
    ("claimed", "fail", "failed"),
    ("running", "fail", "failed"),
    ("failed", "retry", "ready"),
    ("fallout", "retry", "ready"),
    ("failed", "fall_out", "fallout"),
    *(
        (source, "cancel", "cancelled")
        for source in ("blocked", "ready", "claimed", "running", "failed", "fallout")
    ),
    *((source, "skip", "skipped") for source in ("ready", "claimed", "failed", "fallout")),
    ("fallout", "take_by_hand", "claimed"),
    ("done", "compensate", "compensating"),
    ("compensating", "compensated", "compensated"),
}


@pytest.mark.parametrize(("model", "arrows"), [(OrderLine, LINE), (Task, TASK)])
def test_law(model, arrows):
    assert law(model) == arrows


@pytest.mark.django_db
def test_evidence_is_never_changed_nor_deleted():
    order = a_placed_order()
    advance(order)
    evidence = Evidence.objects.filter(line__order=order)
    for change in (lambda: evidence.update(serial="other"), evidence.delete):
        with pytest.raises(InternalError, match="Cannot"), transaction.atomic():
            change()
    assert evidence.get().serial == ""


@pytest.mark.django_db
def test_a_delivered_line_has_its_day():
    line = a_placed_order().lines.get()
    with pytest.raises(IntegrityError, match="a_delivered_line_has_its_day"), transaction.atomic():
        OrderLine.objects.filter(pk=line.pk).update(state="delivered", delivered_at=NOON)
