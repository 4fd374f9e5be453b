"""A row as the event that it tells, as one that does not count, or what is wrong with it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple

from subscriptions.usage.files.rules.mapping import WHOLE_ROW, Mapping
from subscriptions.usage.files.rules.moments import Unread, moment_in, number_in
from subscriptions.usage.rules.told import Told

NOT_MEANT, NO_VALUE = "not_counted", "zero"


class Skipped(NamedTuple):
    """A row that is no usage: `code` says why, `value` what stands in the column."""

    id: str
    code: str
    column: str
    value: str


class Wrong(NamedTuple):
    """A row that cannot be read: which field of the event, which column, and why."""

    id: str
    field: str
    column: str
    code: str
    value: str = ""


class _Bad(ValueError):
    """A cell that the row cannot be read for."""

    def __init__(self, field: str, column: str, why: Unread) -> None:
        super().__init__(field)
        self.field, self.column, self.why = field, column, why


class Reader:
    """Reads the rows of one file by its mapping."""

    def __init__(self, mapping: Mapping, columns: Sequence[str]) -> None:
        self.mapping, self.columns = mapping, columns
        self.place = {name: number for number, name in enumerate(columns)}
        self.wanted = {text.strip().lower() for text in mapping.only_values}

    def __call__(self, cells: Sequence[str]) -> Told | Skipped | Wrong:
        """One row; the first thing that is wrong with it is told."""
        if len(cells) != len(self.columns):
            # Which cell is the id cannot be told of a row that is shifted.
            return Wrong("", "", "", "wrong_width", str(len(cells)))
        key = self.id_of(cells)
        try:
            return self._unmeant(cells, key) or self._counted(cells, key)
        except _Bad as bad:
            return Wrong(key, bad.field, bad.column, bad.why.code, bad.why.value)

    def _unmeant(self, cells: Sequence[str], key: str) -> Skipped | None:
        """Why the row is no call that counts, if it is none."""
        column = self.mapping.only
        if column and (said := self._cell(cells, column)).lower() not in self.wanted:
            return Skipped(key, NOT_MEANT, column, said)
        column = self.mapping.value
        if self._cell(cells, self.mapping.retracts):
            return None
        if self.mapping.skip_zero and column and self._value(cells) == 0:
            return Skipped(key, NO_VALUE, column, self._cell(cells, column))
        return None

    def id_of(self, cells: Sequence[str]) -> str:
        """Who the event is: a column, or the row itself as a digest."""
        if self.mapping.id == WHOLE_ROW:
            return sha256("\x1f".join(cells).encode("utf-8", "surrogatepass")).hexdigest()[:40]
        return self._cell(cells, self.mapping.id)

    def _cell(self, cells: Sequence[str], column: str) -> str:
        return cells[self.place[column]].strip() if column else ""

    def _value(self, cells: Sequence[str]) -> Decimal | None:
        column = self.mapping.value
        if not column:
            return None
        try:
            return number_in(self._full(cells, "value", column), self.mapping.decimal)
        except Unread as exc:
            raise _Bad("value", column, exc) from exc

    def _time(self, cells: Sequence[str]) -> datetime:
        mapping = self.mapping
        text = self._full(cells, "time", mapping.time)
        try:
            return moment_in(text, mapping.time_format, mapping.time_zone)
        except Unread as exc:
            raise _Bad("time", mapping.time, exc) from exc

    def _full(self, cells: Sequence[str], field: str, column: str) -> str:
        """What a cell says that must say something."""
        text = self._cell(cells, column)
        if not text:
            raise _Bad(field, column, Unread("empty"))
        return text

    def _counted(self, cells: Sequence[str], key: str) -> Told:
        mapping = self.mapping
        if not key:
            raise _Bad("id", mapping.id, Unread("empty"))
        account = self._cell(cells, mapping.account)
        if gone := self._cell(cells, mapping.retracts):
            replaces = self._cell(cells, mapping.replaces)
            return Told(key, mapping.source, account=account, replaces=replaces, retracts=gone)
        said = {name: self._cell(cells, column) for name, column in mapping.properties.items()}
        return Told(
            id=key,
            source=mapping.source,
            meter=mapping.meter or self._full(cells, "meter", mapping.meter_column),
            subject=self._full(cells, "subject", mapping.subject),
            time=self._time(cells),
            value=self._value(cells),
            unit=mapping.unit,
            account=account,
            replaces=self._cell(cells, mapping.replaces),
            properties={name: text for name, text in said.items() if text} or None,
        )
