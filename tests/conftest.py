"""What every test may ask for: a database of its own, the outbox run out, real worker processes."""

import os
from collections.abc import Callable, Iterator

import pytest
from django.test import TestCase, TransactionTestCase
from pytest_django import DjangoDbBlocker

from o2b import events
from tests import databases
from tests.scenarios.world import World
from tests.workers import Workers


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Clone the run's template for this process; clone it anew after each test that commits.

    A test that is rolled back leaves its mark on the sequences: what commits after it gets a clean
    clone first, so that its numbers do not depend on what ran before.
    """
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_setup", classmethod(_clean))
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: databases.restore())
    rolls_back = TestCase._fixture_teardown
    patch.setattr(TestCase, "_fixture_teardown", lambda case: (_touched(), rolls_back(case)))
    with django_db_blocker.unblock():
        databases.make(os.environ.get("PYTEST_XDIST_WORKER", "main"))
    yield
    patch.undo()
    with django_db_blocker.unblock():
        databases.drop()


_rolled_back: list[bool] = []


def _touched() -> None:
    _rolled_back[:] = [True]


def _clean(_: type[TransactionTestCase]) -> None:
    if _rolled_back:
        _rolled_back.clear()
        databases.restore()


@pytest.fixture
def drain(db: None) -> Callable[[], int]:
    """Run everything owed in the outbox, here and now, until nothing is left."""
    return events.drain


@pytest.fixture
def workers(transactional_db: None) -> Iterator[Workers]:
    """Two real Celery worker processes against this test's database, on queues of their own."""
    crew = Workers.start(2)
    try:
        yield crew
    finally:
        crew.stop()


@pytest.fixture
def world(drain: Callable[[], int]) -> World:
    """A small world with a calendar; what is owed is done in this process."""
    return World(drain)
