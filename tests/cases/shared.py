"""A world that many cases share: made when the first one asks, read, and rolled back."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from django.db import DataError, connection, transaction
from pytest_django import DjangoDbBlocker

from o2b.errors import Refused

Wanted = TypeVar("Wanted")
Found = TypeVar("Found")


class Shared(Generic[Wanted, Found]):
    """What real runs made of each case; a fault is that of every case.

    What the product refuses, or no amount of a bill is, is left out unless `strict`.
    """

    def __init__(
        self,
        blocker: DjangoDbBlocker,
        wanted: Mapping[str, Wanted],
        make: Callable[[Mapping[str, Wanted]], Mapping[str, Found]],
        *,
        strict: bool,
        clean: bool = False,
    ) -> None:
        self.blocker = blocker
        self.wanted = wanted
        self.make = make
        self.strict = strict
        self.clean = clean  # of what other worlds left in the tables, which a large one reads
        self._found: Mapping[str, Found] | None = None
        self._fault: Exception | None = None

    def of(self, case: str) -> Found | None:
        """What was made of a case; None where it was refused."""
        if self._fault is not None:
            raise self._fault
        if self._found is None:
            try:
                with self.blocker.unblock():
                    if self.clean and self.wanted:
                        connection.cursor().execute("VACUUM")
                    self._found = self._made(self.wanted)
            except Exception as fault:
                self._fault = fault
                raise
        return self._found.get(case)

    def _made(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Found]:
        """All at once; where something is refused each half is tried again, down to that one."""
        if not wanted:
            return {}
        try:
            with transaction.atomic():
                found = self.make(wanted)
                transaction.set_rollback(True)
            return found
        except (Refused, DataError):
            if self.strict:
                raise
            if len(wanted) == 1:
                return {}
        cases, half = list(wanted.items()), len(wanted) // 2
        return {**self._made(dict(cases[:half])), **self._made(dict(cases[half:]))}
