"""The published cases: each verified one must come out of the engine as it was published."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.cases.asking import Answers, Asked, Drafts, Ledger, Level, Pure
from tests.cases.comparing import differences, unanswered
from tests.cases.dated import has_dates_and_money
from tests.cases.documents import Documents
from tests.cases.ledgers import Ledgers
from tests.cases.lives import why_unsold
from tests.cases.loading import SHARED, PublishedCase, load, path_of_cases
from tests.cases.running import Skipped, ask, drafted, exactly, is_whole
from tests.cases.sales import Sales

PATH = path_of_cases()
CASES = load(PATH) if PATH else []
REQUIRED = {"charge", "usage", "commitment", "discount", "proration", "period", "rounding", "trial"}
REQUIRED |= {"invoice", "tax"}
REQUIRED |= {"timezone", "credit_note.termination", "credit.prepaid", "payment.split_payer"}


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
            if isinstance(asked, Drafts) and not why_unsold(asked) and is_of_a_bill(asked):
                sold[case.name] = asked
        except Skipped:
            continue
    return Sales(django_db_blocker, sold, strict=PATH == SHARED)


@pytest.fixture(scope="session")
def documents(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Documents:
    """The documents of all cases that are bills with coupons or minimums."""
    bills = {}
    for case in CASES:
        try:
            asked = ask(case)
        except Skipped:
            continue
        if isinstance(asked, Pure) and asked.bill is not None:
            bills[case.name] = asked.bill
    return Documents(django_db_blocker, bills)


@pytest.fixture(scope="session")
def ledgers(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Ledgers:
    """How the accounts of all cases stand that are paid or credited."""
    asked = {}
    for case in CASES:
        try:
            found = ledger_of(ask(case))
        except Skipped:
            continue
        if found is not None:
            asked[case.name] = found
    return Ledgers(django_db_blocker, asked)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: PublishedCase, request: pytest.FixtureRequest):
    told = Told(request, case)
    try:
        asked = ask(case)
        if not isinstance(asked, Drafts):
            for level, answers in of_papers(asked, case, request):
                told.check(level, answers)
            return
        if asked.exact is not None:
            told.check(Level.PURE, exactly(asked))
        if not is_of_a_bill(asked):
            return
        told.check(Level.DRAFT, drafted(asked))
    except Skipped as why:
        told.skip(str(why))
    if why := why_unsold(asked):
        told.not_sold(why)
        return
    found = request.getfixturevalue("sales").lines_of(case.name)
    if found is None:
        told.not_sold("no catalog sells it")
        return
    told.check(Level.RUN, asked.answers(*found))


@pytest.mark.skipif(PATH != SHARED, reason="another file may tell what no engine knows")
def test_no_required_topic_is_skipped():
    """Of the shared file every verified case of these topics is asserted, not skipped."""
    skipped = {}
    for case in CASES:
        if case.verified and {case.topic, case.topic.split(".")[0]} & REQUIRED:
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


def of_papers(
    asked: Pure | Ledger, case: PublishedCase, request: pytest.FixtureRequest
) -> Iterator[tuple[Level, Answers]]:
    """What functions say, and what the documents of real runs say of the same."""
    if isinstance(asked, Pure):
        yield Level.PURE, asked.call()
        if asked.bill is not None:
            document = request.getfixturevalue("documents").of(case.name)
            yield Level.RUN, asked.bill.read(document)
    if (ledger := ledger_of(asked)) is not None:
        yield Level.RUN, ledger.read(request.getfixturevalue("ledgers").of(case.name))


def ledger_of(asked: Asked) -> Ledger | None:
    """What is asked of payments and credits, alone or beside pure functions."""
    if isinstance(asked, Pure):
        return asked.ledger
    return asked if isinstance(asked, Ledger) else None


def is_of_a_bill(asked: Drafts) -> bool:
    """Whether the exact answer is one that a bill can give, which has minor units only."""
    return asked.exact is None or is_whole(exactly(asked), asked.charges[0].terms.currency)


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
