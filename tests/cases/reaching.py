"""How far each case gets: functions, drafts, and real runs, which all cases of a file share."""

from collections.abc import Iterable, Iterator

from pytest_django import DjangoDbBlocker

from tests.cases.asking import Answers, Asked, Bill, Drafts, Ledger, Level, Pure
from tests.cases.bases import bill_bases
from tests.cases.documents import billed, is_billable
from tests.cases.ledgers import kept
from tests.cases.lives import why_unsold
from tests.cases.loading import PublishedCase
from tests.cases.market import sell_and_bill
from tests.cases.running import Skipped, ask, drafted, exactly, is_whole
from tests.cases.shared import Shared

Reached = Iterator[tuple[Level, Answers]]


class Runs:
    """The real runs of many cases, made when the first one asks for what it was billed."""

    def __init__(
        self, blocker: DjangoDbBlocker, cases: Iterable[PublishedCase], *, strict: bool
    ) -> None:
        asked = dict(_asked(cases))
        sold = {
            name: each
            for name, each in asked.items()
            if isinstance(each, Drafts) and is_of_a_bill(each) and not why_unsold(each)
        }
        bills = {name: bill for name, each in asked.items() if (bill := _bill_of(each))}
        ledgers = {name: ledger for name, each in asked.items() if (ledger := _ledger_of(each))}
        bases = {name: sold.pop(name) for name in list(sold) if sold[name].base}
        self.sales = Shared(blocker, sold, sell_and_bill, strict=strict)
        self.bases = Shared(blocker, bases, bill_bases, strict=strict, clean=True)
        self.documents = Shared(blocker, bills, billed, strict=strict)
        self.ledgers = Shared(blocker, ledgers, kept, strict=strict)

    def reached(self, name: str, asked: Asked) -> Reached:
        """What each level says of a case, the simplest first."""
        if isinstance(asked, Drafts):
            yield from self._of_drafts(name, asked)
            return
        if isinstance(asked, Pure):
            yield Level.PURE, asked.call()
        if (bill := _bill_of(asked)) and (document := self.documents.of(name)):
            yield Level.RUN, bill.read(document)
        if (ledger := _ledger_of(asked)) and (standing := self.ledgers.of(name)):
            yield Level.RUN, ledger.read(standing)

    def _of_drafts(self, name: str, asked: Drafts) -> Reached:
        if asked.exact is not None:
            yield Level.PURE, exactly(asked)
        if is_of_a_bill(asked):
            yield Level.DRAFT, drafted(asked)
            shared = self.bases if asked.base else self.sales
            if not why_unsold(asked) and (found := shared.of(name)) is not None:
                yield Level.RUN, asked.answers(*found)


def is_of_a_bill(asked: Drafts) -> bool:
    """Whether the exact answer is one that a bill can give, which has minor units only."""
    return asked.exact is None or is_whole(exactly(asked), asked.charges[0].terms.currency)


def _asked(cases: Iterable[PublishedCase]) -> Iterator[tuple[str, Asked]]:
    for case in cases:
        try:
            asked = ask(case)
            if isinstance(asked, Drafts):
                is_of_a_bill(asked)
        except Skipped:
            continue
        yield case.name, asked


def _bill_of(asked: Asked) -> Bill | None:
    """The bill that says the same, where its amounts are those of one."""
    bill = asked.bill if isinstance(asked, Pure) else None
    return bill if bill is not None and is_billable(bill) else None


def _ledger_of(asked: Asked) -> Ledger | None:
    """What is asked of payments and credits, alone or beside functions."""
    if isinstance(asked, Pure):
        return asked.ledger
    return asked if isinstance(asked, Ledger) else None
