"""Real runs of what is sold, for all cases at once: one world, rolled back when it is read."""

from collections.abc import Mapping

from django.db import DataError, transaction
from pytest_django import DjangoDbBlocker

from o2b.errors import Refused
from tests.cases.asking import Drafts
from tests.cases.bases import bill_bases
from tests.cases.market import Found, sell_and_bill


class Sales:
    """The invoice lines of every case that is sold, found when the first is asked for."""

    def __init__(
        self, blocker: DjangoDbBlocker, sold: Mapping[str, Drafts], *, strict: bool
    ) -> None:
        self.blocker = blocker
        self.sold = sold
        self.strict = strict
        self._found: Mapping[str, Found] | None = None
        self._fault: Exception | None = None

    def lines_of(self, case: str) -> Found | None:
        """The lines of a case's last invoice and of those before; a fault is that of every case.

        None for what no catalog sells (unless `strict`): such a case stays a draft.
        """
        if self._fault is not None:
            raise self._fault
        if self._found is None:
            try:
                with self.blocker.unblock():
                    self._found = self._bill()
            except Exception as fault:
                self._fault = fault
                raise
        return self._found.get(case)

    def _bill(self) -> Mapping[str, Found]:
        """All at once; where something is refused, all that is not."""
        return _tried(self.sold) if self.strict else _what_sells(self.sold)


def _what_sells(sold: Mapping[str, Drafts]) -> Mapping[str, Found]:
    """Where something is refused, each half is tried again, down to the one that is."""
    try:
        return _tried(sold)
    except (Refused, DataError):
        if len(sold) == 1:
            return {}
    cases, half = list(sold.items()), len(sold) // 2
    return {**_what_sells(dict(cases[:half])), **_what_sells(dict(cases[half:]))}


def _tried(sold: Mapping[str, Drafts]) -> Mapping[str, Found]:
    """Sold, billed, read, and taken back."""
    bases = {case: asked for case, asked in sold.items() if asked.base}
    found: dict[str, Found] = {}
    if rest := {case: asked for case, asked in sold.items() if not asked.base}:
        with transaction.atomic():
            found |= sell_and_bill(rest)
            transaction.set_rollback(True)
    if bases:
        with transaction.atomic():
            found |= {case: (lines, ()) for case, lines in bill_bases(bases).items()}
            transaction.set_rollback(True)
    return found
