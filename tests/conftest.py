"""What every test may ask for: a database of its own, the outbox run out, real worker processes."""

import gc
import os
import secrets
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase
from django.utils import translation
from pytest_django import DjangoDbBlocker
from xdist.scheduler import WorkStealingScheduling  # type: ignore[import-untyped]

from o2b import events
from tests import databases, passwords
from tests.billing import again
from tests.scenarios.world import World
from tests.workers import Workers

BESIDE = ("real_file", "workers", "browser")  # tests with processes of their own, longest first


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that none is left for the end; then all others that commit.

    Before anything was rolled back in it, a database is clean at less cost. The shuffle stays.
    """
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    for rank, name in enumerate(BESIDE):
        if item.get_closest_marker(name):
            return rank
    marker = item.get_closest_marker("django_db")
    commits = marker is not None and marker.kwargs.get("transaction")
    late = not (commits or "transactional_db" in getattr(item, "fixturenames", ()))
    return len(BESIDE) + late


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Neighbours stay together, with what they share; who has nothing left takes from others."""
    return WorkStealingScheduling(config, log)


def pytest_collection_finish() -> None:
    """What was imported stays; looking for garbage in it again and again costs a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Before anybody has one."""
    settings.PASSWORD_HASHERS = passwords.HASHERS


@pytest.fixture(autouse=True)
def language_of_the_house() -> Iterator[None]:
    """A page in another language leaves it to its thread; the next test begins without it."""
    yield
    translation.deactivate()


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
def queue_prefix() -> str:
    """Queues of this test's own."""
    return f"test-{secrets.token_hex(4)}-"


@pytest.fixture
def workers(transactional_db: None, queue_prefix: str) -> Iterator[Workers]:
    """Two real Celery worker processes against this test's database, on queues of their own."""
    crew = Workers.start(2, prefix=queue_prefix)
    try:
        yield crew
    finally:
        crew.stop()


@pytest.fixture(scope="module")
def live_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[Callable[[World], object]], World]]:
    """Live a life in a transaction around those of the module's tests, and forget it after them."""
    around = transaction.atomic()
    around._from_testcase = True  # durable blocks may stand in it, as in a test

    def live(life: Callable[[World], object]) -> World:
        with django_db_blocker.unblock():
            around.__enter__()
            world = World(events.drain)
            world.given = life(world)
            connection.check_constraints()
        return world

    yield live
    with django_db_blocker.unblock():
        if connection.in_atomic_block:
            transaction.set_rollback(True)
            around.__exit__(None, None, None)


@pytest.fixture(scope="module")
def lived(request: pytest.FixtureRequest) -> World | None:
    """What the world of each test of a module has behind it: its `its_life`, if it has one.

    That is lived once, and the module asks for it in all its tests:
    `pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]`.
    """
    life = getattr(request.module, "its_life", None)
    return request.getfixturevalue("live_once")(life) if life else None


@pytest.fixture
def world(drain: Callable[[], int], lived: World | None) -> World:
    """A small world with a calendar; what is owed is done in this process."""
    return deepcopy(lived) if lived else World(drain)


@pytest.fixture
def item(world: World) -> Any:
    """The service that the life of a module ended with."""
    return world.given


@pytest.fixture
def re_executed(db: None) -> Iterator[None]:
    """When the test is over, every line that it billed is computed again from inputs alone."""
    yield
    again.assert_re_executed()
