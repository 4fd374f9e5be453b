"""What a version of a rate deck changes: compared, sorted and paged by Postgres."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from o2b.sql import ask

KINDS = ("dearer", "cheaper", "new", "gone", "other")
# By rate, then by connect fee; increments and names are no more or less, only other.
COMPARED = """
WITH compared AS (
    SELECT prefix, COALESCE(now.destination, was.destination) AS destination,
           CASE WHEN was.id IS NULL THEN 'new' WHEN now.id IS NULL THEN 'gone'
                WHEN (now.rate, now.connect_fee) > (was.rate, was.connect_fee) THEN 'dearer'
                WHEN (now.rate, now.connect_fee) < (was.rate, was.connect_fee) THEN 'cheaper'
                ELSE 'other' END AS kind,
           was.rate AS before, now.rate AS after, was.connect_fee AS fee_before,
           now.connect_fee AS fee_after, was.first_seconds AS first_before,
           was.next_seconds AS next_before, now.first_seconds AS first_after,
           now.next_seconds AS next_after,
           CASE WHEN was.rate > 0 THEN round((now.rate - was.rate) * 100 / was.rate, 2) END
               AS percent
        FROM (SELECT * FROM catalog_deckrate WHERE version_id = %(before)s) AS was
        FULL JOIN (SELECT * FROM catalog_deckrate WHERE version_id = %(after)s) AS now
            USING (prefix)
        WHERE (was.rate, was.connect_fee, was.first_seconds, was.next_seconds, was.destination)
            IS DISTINCT FROM
            (now.rate, now.connect_fee, now.first_seconds, now.next_seconds, now.destination)
)
"""
SORTS = {
    "prefix": "prefix",
    "destination": "destination",
    "kind": "kind",
    "before": "before",
    "after": "after",
    "percent": "percent",
}


class RateChange(NamedTuple):
    """One prefix that differs; what it was, and what it is from now on."""

    prefix: str
    destination: str
    kind: str
    before: Decimal | None
    after: Decimal | None
    fee_before: Decimal | None
    fee_after: Decimal | None
    first_before: int | None
    next_before: int | None
    first_after: int | None
    next_after: int | None
    percent: Decimal | None


class RateChanges:
    """The differing prefixes of two versions, in the shape that lists and CSV files read."""

    ordered = True

    def __init__(
        self, before: int, after: int, *, kind: str = "", words: str = "", sort: str = ""
    ) -> None:
        self.values: dict[str, Any] = {"before": before, "after": after, "kind": kind}
        self.where = "WHERE (%(kind)s = '' OR kind = %(kind)s)"
        for n, word in enumerate(words.split()):
            # A number finds the prefixes that begin with it.
            escaped = word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
            self.values |= {f"prefix{n}": f"{escaped}%", f"word{n}": f"%{escaped}%"}
            self.where += f" AND (prefix LIKE %(prefix{n})s OR destination ILIKE %(word{n})s)"
        column = SORTS.get(sort.removeprefix("-"), "prefix")
        way = "DESC NULLS LAST" if sort.startswith("-") else "ASC NULLS FIRST"
        self.order = f"ORDER BY {column} {way}, prefix"

    def count(self) -> int:
        return int(self._rows("SELECT count(*) FROM compared", "")[0][0])

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return dict(self._rows("SELECT kind, count(*) FROM compared", "GROUP BY kind"))

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[RateChange]:
        self.values |= {"limit": part.stop - (part.start or 0), "offset": part.start or 0}
        limited = f"{self.order} LIMIT %(limit)s OFFSET %(offset)s"
        return [RateChange(*row) for row in self._rows("SELECT * FROM compared", limited)]

    def iterator(self, chunk_size: int = 0) -> Iterator[RateChange]:
        return iter([RateChange(*row) for row in self._rows("SELECT * FROM compared", self.order)])

    def _rows(self, select: str, then: str) -> list[tuple[Any, ...]]:
        return ask(f"{COMPARED} {select} {self.where} {then}", self.values)
