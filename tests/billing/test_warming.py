"""A worker that has just started has asked what shards ask, and has changed nothing by it."""

from types import SimpleNamespace
from typing import Any

import pytest
from celery.signals import worker_process_init
from django.db import connection

from billing import tasks
from billing.models import BillRun, DraftLine, Invoice, Shard
from billing.runs.services import warming
from billing.runs.services.warming import warm_up
from o2b import clock
from tests import factories

pytestmark = pytest.mark.django_db


def test_nobody_is_billed():
    factories.an_entity()
    assert warm_up(at=clock.now())
    for model in (BillRun, Shard, DraftLine, Invoice):
        assert not model._default_manager.exists()


def test_a_house_that_is_not_set_up_yet_is_no_trouble():
    assert warm_up(at=clock.now())


def test_what_goes_wrong_is_told_and_stops_nothing(monkeypatch, caplog):
    """As in a house whose tables are not there yet; the session can be used afterwards."""
    factories.an_entity()

    def broken(*told: Any, **more: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nowhere")

    monkeypatch.setattr(warming, "make_drafts", broken)
    assert not warm_up(at=clock.now())
    assert "without having been warmed up" in caplog.text
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(("queues", "warms"), [(("billing", "default"), True), (("x",), False)])
def test_only_workers_that_bill_do_so(queues, warms):
    sender = SimpleNamespace(
        app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=queues)))
    )
    try:
        tasks._warm_up_later(sender=sender)
        assert worker_process_init.disconnect(tasks._warm_up) == warms
    finally:
        worker_process_init.disconnect(tasks._warm_up)


@pytest.mark.workers
def test_a_worker_keeps_the_session_that_it_warmed(workers):
    """Each of two real workers has one before it was given anything to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone() == (2,)
