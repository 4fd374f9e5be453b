"""What is wrong with a sheet, told by row and cell, so that it can be mended in a spreadsheet."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from o2b.errors import Invalid

MOST_FAULTS = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend; `column` is the letter, `header` the name above it ("": the whole row)."""

    row: int
    column: str
    header: str
    message: str

    @property
    def where(self) -> str:
        """The place as a spreadsheet names it: row 12, column C (unit_price)."""
        if not self.column:
            return _("row %(row)s") % {"row": self.row}
        if not self.header:
            return _("row %(row)s, column %(column)s") % {"row": self.row, "column": self.column}
        return _("row %(row)s, column %(column)s (%(header)s)") % asdict(self)

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


class SheetRefused(Invalid):
    """A file that cannot be read at all, or one whose rows hold faults: nothing was written."""

    code = "sheet_refused"

    def __init__(self, message: str, *, faults: Sequence[Fault] = (), field: str = "file") -> None:
        super().__init__(message, field=field, faults=[asdict(fault) for fault in faults])
        self.faults = tuple(faults)

    @classmethod
    def at(cls, row: int, column: str, header: str, message: str) -> "SheetRefused":
        """Refuse the file for one cell of it."""
        fault = Fault(row, column, header, message)
        return cls(str(fault), faults=[fault], field=fault.where)


class CellInvalid(ValueError):
    """A cell's text that is not of the form its column wants; says what to write instead."""
