"""The published cases: each verified one must come out of the engine as it was published."""

import pytest
from pytest_django import DjangoDbBlocker

from tests.cases.asking import Answers, Drafts, Level, Pure
from tests.cases.comparing import differences, unanswered
from tests.cases.loading import SHARED, PublishedCase, load, path_of_cases
from tests.cases.running import Skipped, ask, drafted, exactly, is_whole
from tests.cases.sales import Sales, can_be_sold

PATH = path_of_cases()
CASES = load(PATH) if PATH else []
REQUIRED = {"charge", "usage", "commitment", "discount", "proration", "period", "rounding", "trial"}


@pytest.mark.skipif(PATH is None, reason="no O2B_CASES, and no shared cases beside the repository")
def test_there_are_cases():
    assert CASES


@pytest.fixture(scope="session")
def sales(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Sales:
    """The bill runs of all cases that are sold, made when the first one asks for its lines."""
    sold = {}
    for case in CASES:
        try:
            asked = ask(case)
            if isinstance(asked, Drafts) and can_be_sold(asked) and is_of_a_bill(asked):
                sold[case.name] = asked
        except Skipped:
            continue
    return Sales(django_db_blocker, sold, strict=PATH == SHARED)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: PublishedCase, request: pytest.FixtureRequest):
    told = Told(request, case)
    try:
        asked = ask(case)
        if isinstance(asked, Pure):
            told.check(Level.PURE, asked.call())
            return
        if asked.exact is not None:
            told.check(Level.PURE, exactly(asked))
        if not is_of_a_bill(asked):
            return
        told.check(Level.DRAFT, drafted(asked))
    except Skipped as why:
        told.skip(str(why))
    if can_be_sold(asked):
        lines = request.getfixturevalue("sales").lines_of(case.name)
        if lines is not None:
            told.check(Level.RUN, asked.read(lines))


@pytest.mark.skipif(PATH != SHARED, reason="another file may tell what no engine knows")
def test_no_required_topic_is_skipped():
    """Of the shared file every verified case of these topics is asserted, not skipped."""
    skipped = {}
    for case in CASES:
        if case.verified and case.topic.split(".")[0] in REQUIRED:
            try:
                ask(case)
            except Skipped as why:
                skipped[case.name] = str(why)
    assert skipped == {}


def is_of_a_bill(asked: Drafts) -> bool:
    """Whether the exact answer is one that a bill can give, which has minor units only."""
    return asked.exact is None or is_whole(exactly(asked), asked.charges[0].terms.currency)


class Told:
    """What is told of a case: its level, or why it was skipped; conftest counts both."""

    def __init__(self, request: pytest.FixtureRequest, case: PublishedCase) -> None:
        self.properties = request.node.user_properties
        self.case = case

    def skip(self, why: str) -> None:
        self.properties.append(("case", (self.case.topic, "skipped", why)))
        pytest.skip(f"{self.case.topic}: {why}")

    def check(self, level: Level, answers: Answers) -> None:
        """Compare every key; what the adapter does not answer skips the case with its name."""
        if missing := unanswered(self.case.expect, answers):
            raise Skipped(f"not answered: {', '.join(f'expect.{key}' for key in missing)}")
        self.properties.append(("case", (self.case.topic, "level", level.value)))
        wrong = differences(self.case.expect, answers)
        assert not wrong, f"{level.value}: {'; '.join(wrong)}"
