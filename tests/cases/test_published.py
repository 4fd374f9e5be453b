"""The published cases: each verified one must come out of the engine as it was published."""

from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.cases.adapter import LACKING
from tests.cases.asking import Answers, Drafts, Level, Pure
from tests.cases.comparing import differences, unanswered
from tests.cases.dated import has_dates_and_money
from tests.cases.lives import why_unsold
from tests.cases.loading import SHARED, PublishedCase, load, path_of_cases
from tests.cases.reaching import Runs
from tests.cases.running import Skipped, ask

PATH = path_of_cases()
CASES = load(PATH) if PATH else []
REQUIRED = {"charge", "usage", "commitment", "discount", "proration", "period", "rounding", "trial"}
REQUIRED |= {"invoice", "tax"}
REQUIRED |= {"timezone", "credit", "credit_note.termination", "credit_note.partial"}
REQUIRED |= {"payment.split_payer", "payment.allocation"}


@pytest.mark.skipif(PATH is None, reason="no O2B_CASES, and no shared cases beside the repository")
def test_there_are_cases():
    assert CASES


@pytest.fixture(scope="session")
def runs(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Runs:
    """The real runs of all cases of the file."""
    return Runs(django_db_blocker, CASES, strict=PATH == SHARED)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: PublishedCase, request: pytest.FixtureRequest):
    told = Told(request, case)
    levels = []
    try:
        asked = ask(case)
        for level, answers in request.getfixturevalue("runs").reached(case.name, asked):
            told.check(level, answers)
            levels.append(level)
        if not levels:
            raise Skipped("refused by the product")
    except Skipped as why:
        told.skip(str(why))
    if Level.DRAFT in levels and Level.RUN not in levels:
        told.not_sold(why_unsold(asked) or "no catalog sells it")


@pytest.mark.skipif(PATH != SHARED, reason="another file may tell what no engine knows")
def test_no_required_topic_is_skipped():
    """Of the shared file every verified case of these topics is asserted, not skipped."""
    skipped = {}
    for case in CASES:
        required = {case.topic, case.topic.split(".")[0]} & REQUIRED
        if case.verified and required and case.topic not in LACKING:
            try:
                ask(case)
            except Skipped as why:
                skipped[case.name] = str(why)
    assert skipped == {}


@pytest.mark.skipif(PATH != SHARED, reason="another file may tell what no engine knows")
def test_dates_and_money_are_not_left_to_pure_functions():
    """Of the shared file each that is asked is drafted, sold and billed."""
    pure, drafted_only = [], set()
    for case in filter(has_dates_and_money, CASES):
        try:
            asked = ask(case)
        except Skipped:
            continue
        if isinstance(asked, Pure):
            pure.append(case.name)
        elif isinstance(asked, Drafts):
            drafted_only.add(why_unsold(asked))
    assert pure == []
    assert drafted_only == {""}


@pytest.mark.skipif(PATH != SHARED, reason="the table counts the shared file")
def test_the_table_of_the_docs_counts_these_cases():
    """Each topic's cases, and how many of them are skipped; the levels are told by a run."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "cases.md").read_text(encoding="utf-8")
    _, table = text.split("| topic | pure function | draft | real run | skipped |")
    told = {}
    for line in table.splitlines()[2:]:
        topic, *counts = (cell.strip() for cell in line.strip("|").split("|"))
        levels = [int(count or 0) for count in counts]
        told[topic] = (sum(levels), levels[-1])
    counted: dict[str, tuple[int, int]] = {}
    for case in CASES:
        for topic in (case.topic, "**all**"):
            ran, skipped = counted.get(topic, (0, 0))
            counted[topic] = (ran + 1, skipped + (not is_asked(case)))
    assert told == counted


def is_asked(case: PublishedCase) -> bool:
    """Whether the adapter makes something of it."""
    try:
        ask(case)
    except Skipped:
        return False
    return True


class Told:
    """What is told of a case: its level, why it was skipped or not sold; conftest counts them."""

    def __init__(self, request: pytest.FixtureRequest, case: PublishedCase) -> None:
        self.properties = request.node.user_properties
        self.case = case
        if has_dates_and_money(case):
            self.properties.append(("dated", True))

    def skip(self, why: str) -> None:
        self.properties.append(("case", (self.case.topic, "skipped", why)))
        pytest.skip(f"{self.case.topic}: {why}")

    def not_sold(self, why: str) -> None:
        self.properties.append(("unsold", why))

    def check(self, level: Level, answers: Answers) -> None:
        """Compare every key; what the adapter does not answer skips the case with its name."""
        if missing := unanswered(self.case.expect, answers):
            raise Skipped(f"not answered: {', '.join(f'expect.{key}' for key in missing)}")
        self.properties.append(("case", (self.case.topic, "level", level.value)))
        wrong = differences(self.case.expect, answers)
        assert not wrong, f"{level.value}: {'; '.join(wrong)}"
