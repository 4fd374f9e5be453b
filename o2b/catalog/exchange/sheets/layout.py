"""Which columns a sheet must have, may have, and may have many of."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from o2b.catalog.exchange.faults import Fault, SheetRefused

MOST_COLUMNS = 200


def letter_of(index: int) -> str:
    """The name that spreadsheets give a column, from its index.

    >>> [letter_of(i) for i in (0, 25, 26, 51, 701, 702)]
    ['A', 'Z', 'AA', 'AZ', 'ZZ', 'AAA']
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a kind of sheet; `many` are beginnings such as "match." of further ones."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    many: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)

    def read_header(self, row: int, cells: list[str]) -> list[str]:
        """The names of the columns, as they are known here; refuses what is wrong with them."""
        if len(cells) > MOST_COLUMNS:
            raise SheetRefused.at(
                row, letter_of(MOST_COLUMNS), "", _("A sheet has at most 200 columns.")
            )
        while cells and not cells[-1]:
            cells = cells[:-1]
        headers = [self._known(cell) for cell in cells]
        faults = [
            Fault(row, letter_of(i), cells[i][:60], message)
            for i, header in enumerate(headers)
            if (message := self._wrong(header, headers[:i], cells[i]))
        ]
        missing = [name for name in self.required if name not in headers]
        if missing:
            message = _("The header lacks: %(names)s.") % {"names": ", ".join(missing)}
            faults.append(Fault(row, "", "", f"{message} {self._hint(cells)}".strip()))
        if faults:
            raise SheetRefused(" ".join(map(str, faults[:3])), faults=faults, field=faults[0].where)
        return headers

    def _known(self, cell: str) -> str:
        """Names are known in whatever case; what follows a beginning is kept as it is."""
        lowered = cell.lower()
        for beginning in self.many:
            if lowered.startswith(beginning):
                return beginning + cell[len(beginning) :]
        return lowered

    def _wrong(self, header: str, before: list[str], cell: str) -> str:
        if not header:
            return _("The column has no header: name it, or delete the column.")
        if "\0" in header:
            return _("This is no text: save the file as CSV UTF-8.")
        if header in before:
            return _("The header is there twice: delete one of the columns.")
        if header in self.columns or any(
            header.startswith(beginning) and len(header) > len(beginning) for beginning in self.many
        ):
            return ""
        known = ", ".join([*self.columns, *(f"{b}…" for b in self.many)])
        return _("“%(cell)s” is no column of this sheet. Known are: %(known)s.") % {
            "cell": cell[:60],
            "known": known,
        }

    def _hint(self, cells: list[str]) -> str:
        found = ", ".join(cells[:12])[:200]
        return _("The first row must name the columns; it says: %(found)s.") % {"found": found}
