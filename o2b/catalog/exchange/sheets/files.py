"""What kind of file was given, told by its bytes; refuses what is neither CSV nor XLSX."""

from enum import StrEnum
from io import SEEK_END
from typing import BinaryIO

from django.utils.translation import gettext as _

from o2b.catalog.exchange.faults import SheetRefused

LARGEST_FILE = 50 * 1024 * 1024
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0"
BOM = b"\xef\xbb\xbf"
WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


class Form(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"


def check_size(stream: BinaryIO) -> None:
    """Refuse an empty file and one past 50 MB; leaves the stream at its beginning."""
    stream.seek(0, SEEK_END)
    size = stream.tell()
    stream.seek(0)
    if not size:
        raise SheetRefused(_("The file is empty."))
    if size > LARGEST_FILE:
        raise SheetRefused(_("The file is larger than 50 MB: import it in parts."))


def form_of(stream: BinaryIO, name: str) -> Form:
    """CSV or XLSX, by the first bytes; the name only helps to say what is wrong."""
    first = stream.read(8)
    stream.seek(0)
    if first.startswith(ZIP):
        if name.lower().endswith(".ods"):
            raise SheetRefused(_("OpenDocument sheets cannot be read: save it as XLSX or CSV."))
        return Form.XLSX
    if first.startswith(OLE):
        raise SheetRefused(
            _(
                "The file is protected by a password or of the old XLS form:"
                " save it as XLSX without a password."
            )
        )
    if name.lower().endswith((".xlsx", ".xlsm", ".xls", ".ods")):
        raise SheetRefused(_("The file is broken: it is no XLSX file. Save it again as XLSX."))
    if first.startswith(WIDE_BOMS):
        raise SheetRefused(_("The file is UTF-16 text: save it as CSV UTF-8."))
    return Form.CSV
