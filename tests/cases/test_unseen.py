"""Keys of the vocabulary that the shared file has no case of: understood, by sums of our own."""

import pytest
from pytest_django import DjangoDbBlocker

from tests.cases.comparing import differences, unanswered
from tests.cases.loading import PublishedCase
from tests.cases.reaching import Runs
from tests.cases.running import ask
from tests.cases.unseen.accounts import ACCOUNTS
from tests.cases.unseen.amounts import AMOUNTS
from tests.cases.unseen.days import DAYS
from tests.cases.unseen.prices import PRICES

CASES = [
    PublishedCase(name, topic, given, conventions, expect, verified=True)
    for name, (topic, given, conventions, expect) in (PRICES | DAYS | AMOUNTS | ACCOUNTS).items()
]


@pytest.fixture(scope="module")
def unseen(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Runs:
    """The real runs of what describes a bill."""
    return Runs(django_db_blocker, CASES, strict=True)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_key_of_the_vocabulary_is_understood(case: PublishedCase, unseen: Runs):
    """At every level that the case reaches."""
    for level, answers in unseen.reached(case.name, ask(case)):
        assert unanswered(case.expect, answers) == []
        assert differences(case.expect, answers) == [], level
