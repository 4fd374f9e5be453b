"""Which shape a file has: what Asterisk and FreeSWITCH write without a header, or CSV with one.

Sources: Asterisk, cdr_csv (Master.csv: 16 columns; `loguniqueid` and `loguserfield` add one each,
`newcdrcolumns` three); FreeSWITCH, mod_cdr_csv, templates "example" (its default), "snom",
"linksys", and "asterisk", which has the columns of Asterisk and a hangup cause as disposition.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

ASTERISK, FREESWITCH, PLAIN = "asterisk", "freeswitch", "plain"
SHAPES = (ASTERISK, FREESWITCH, PLAIN)
DELIMITERS = ",;\t|"

_MASTER = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
)
_NEWER = ("peeraccount", "linkedid", "sequence")
_EXAMPLE = (
    *("caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp"),
    *("answer_stamp", "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid"),
    *("accountcode", "read_codec", "write_codec"),
)
_SNOM = (
    *("sip_user_agent", "call_clientcode", "sip_rtp_rxstat", "sip_rtp_txstat"),
    "sofia_record_file",
)
_LINKSYS = ("sip_user_agent", "sip_p_rtp_stat")

# So many cells has every row of a shape without a header.
LEAST = {ASTERISK: len(_MASTER), FREESWITCH: 13, PLAIN: 1}

_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNIQUE = re.compile(r"(.*-)?\d{6,}\.\d+")
_DISPOSITION = re.compile(r"[A-Z][A-Z_ ]*")


class Layout(NamedTuple):
    """The shape of a file, the names of its columns, and whether its first row is a header."""

    shape: str
    columns: tuple[str, ...]
    has_header: bool = False


def delimiter_of(lines: Sequence[str]) -> str:
    """The delimiter that stands most often outside quotes in the first line that holds something.

    >>> delimiter_of(['"a;b",c,d', "1,2,3"])
    ','
    """
    first = next((line for line in lines if line.strip()), "")
    bare = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def layout_of(rows: Sequence[Sequence[str]], *, shape: str = "") -> Layout:
    """The shape of these first rows, if nobody said it; anything else is CSV with a header."""
    first = rows[0] if rows else ()
    if not shape:
        known = ((ASTERISK, is_asterisk), (FREESWITCH, is_freeswitch))
        shape = next((name for name, fits in known if fits(first)), PLAIN)
    if shape == ASTERISK:
        return Layout(shape, _named(_asterisk(rows), len(first)))
    if shape == FREESWITCH:
        return Layout(shape, _named(_freeswitch(len(first)), len(first)))
    return Layout(PLAIN, tuple(cell.strip() for cell in first), has_header=True)


def is_asterisk(row: Sequence[str]) -> bool:
    """Whether a row looks like one of cdr_csv."""
    return (
        len(row) >= LEAST[ASTERISK]
        and bool(_STAMP.match(row[9]))
        and row[12].strip().isdigit()
        and row[13].strip().isdigit()
        and bool(_DISPOSITION.fullmatch(row[14].strip()))
    )


def is_freeswitch(row: Sequence[str]) -> bool:
    """Whether a row looks like one of mod_cdr_csv."""
    return (
        len(row) >= LEAST[FREESWITCH]
        and bool(_STAMP.match(row[4]))
        and row[7].strip().isdigit()
        and row[8].strip().isdigit()
        and bool(_UUID.fullmatch(row[10].strip()))
    )


def _asterisk(rows: Sequence[Sequence[str]]) -> Sequence[str]:
    """Columns by their number: whether one more is the unique id or the user's, tells its look."""
    width = len(rows[0])
    more = [*_MASTER]
    if width in (17, 20):
        more.append("uniqueid" if _all(rows, 16) else "userfield")
    elif width in (18, 21):
        more += ["uniqueid", "userfield"]
    return [*more, *_NEWER] if width >= 19 else more


def _all(rows: Sequence[Sequence[str]], column: int) -> bool:
    """Whether a column holds what tells one call from another."""
    cells = [row[column].strip() for row in rows if len(row) > column]
    return all(_UNIQUE.fullmatch(cell) or _UUID.fullmatch(cell) for cell in cells)


def _freeswitch(width: int) -> Sequence[str]:
    more = {20: _SNOM, 17: _LINKSYS}.get(width, ())
    return (*_EXAMPLE, *more)


def _named(names: Sequence[str], width: int) -> tuple[str, ...]:
    """So many names; columns that nobody knows are called by their number."""
    more = (f"column {number}" for number in range(len(names) + 1, width + 1))
    return (*names[:width], *more)
