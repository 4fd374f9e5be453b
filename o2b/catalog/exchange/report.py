"""What an import did or would do: counts, faults, and what became of each row."""

import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from o2b.catalog.exchange.faults import MOST_FAULTS, Fault

PIECE = 64 * 1024


class Became(StrEnum):
    """What a row of the sheet is beside the newest version; vanished ones are in no row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    VANISHED = "vanished"
    ERROR = "error"


class Result(NamedTuple):
    """One row's fate; `old` and `new` are what differs, `columns` where."""

    row: int
    became: str
    what: str
    old: str = ""
    new: str = ""
    columns: str = ""


@dataclass(slots=True)
class Tally:
    """Gathers results and faults; results are compressed as they come, so that many stay small."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    _packer: Any = field(default_factory=lambda: zlib.compressobj(1))
    _pieces: list[bytes] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.counts[result.became] += 1
        line = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        self._pieces.append(self._packer.compress(f"{line}\n".encode()))

    def blame(self, faults: list[Fault], what: str = "") -> None:
        """A row with faults, one a cell; the first two hundred are kept to be shown."""
        faults = list({fault.column: fault for fault in reversed(faults)}.values())[::-1]
        self.faults += faults[: max(0, MOST_FAULTS - len(self.faults))]
        for fault in faults:
            text = f"{fault.where}: {fault.message}"
            self.add(Result(fault.row, Became.ERROR, what, new=text, columns=fault.header))

    def packed(self) -> bytes:
        self._pieces.append(self._packer.flush())
        whole = b"".join(self._pieces)
        self._pieces = [whole]
        return whole


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one import or dry run; `import_id` is set where something was written."""

    kind: str
    file_name: str
    rows: int
    counts: dict[str, int]
    faults: tuple[Fault, ...]
    results: bytes
    dry_run: bool
    made: dict[str, list[int]] = field(default_factory=dict)
    import_id: int | None = None

    @property
    def errors(self) -> int:
        return self.counts.get(Became.ERROR, 0)

    @property
    def changes_something(self) -> bool:
        return any(self.counts.get(b) for b in (Became.NEW, Became.CHANGED, Became.VANISHED))

    @property
    def summary(self) -> dict[str, Any]:
        """What is stored of it beside the results."""
        return {"rows": self.rows, "counts": self.counts}

    def each(self) -> Iterator[Result]:
        return unpacked(self.results)


def unpacked(packed: bytes) -> Iterator[Result]:
    """The results that were packed, one after the other, never all in memory."""
    opener = zlib.decompressobj()
    rest = b""
    for begin in range(0, len(packed), PIECE):
        lines = (rest + opener.decompress(packed[begin : begin + PIECE])).split(b"\n")
        rest = lines.pop()
        yield from (Result(*json.loads(line)) for line in lines)
