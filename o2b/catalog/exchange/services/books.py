"""A sheet of prices becomes a draft version of a book: by COPY, and compared in SQL."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.charges import ShapeReader
from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.exchange.known import KnownProducts, match_headers
from o2b.catalog.exchange.options import BookOptions
from o2b.catalog.exchange.report import Became, Result, Tally
from o2b.catalog.exchange.services.copying import NULL, copy_prices, price_line
from o2b.catalog.exchange.sheets import Row
from o2b.catalog.models import Price, PriceBookVersion

BATCH = 2000
PERCENT = 100
Made = dict[str, list[int]]

# What a price says beside what names it.
SAYS = (
    "unit_price",
    "kind",
    "model",
    "tiers",
    "details",
    "interval_unit",
    "interval_count",
    "timing",
    "alignment",
    "proration",
    "tax_code",
    "revenue_rule",
    "to_version",
    "discount_limit",
)
_SHOWN = {"interval_unit": "interval", "interval_count": "interval"}
_NAMES = "product_id, key, match, from_version"
_WHAT = """p.code || ' ' || n.key
    || CASE WHEN n.match = '{}' THEN '' ELSE ' ' || n.match::text END
    || CASE WHEN n.from_version = 1 THEN '' ELSE ' from v' || n.from_version END"""
_DIFFERENT = ", ".join(f"CASE WHEN n.{c} IS DISTINCT FROM o.{c} THEN '{c}' END" for c in SAYS)

# The order of the keys is the order of the sheet.
_COMPARED = f"""
SELECT {_WHAT}, o.id IS NULL, trim_scale(o.unit_price)::text, trim_scale(n.unit_price)::text,
       concat_ws(',', {_DIFFERENT})
    FROM (SELECT * FROM catalog_price WHERE version_id = %(new)s) AS n
    JOIN catalog_product AS p ON p.id = n.product_id
    LEFT JOIN (SELECT * FROM catalog_price WHERE version_id = %(old)s) AS o
        USING ({_NAMES})
    ORDER BY n.id
"""
_VANISHED = f"""
SELECT {_WHAT}, trim_scale(n.unit_price)::text
    FROM (SELECT * FROM catalog_price WHERE version_id = %(old)s) AS n
    JOIN catalog_product AS p ON p.id = n.product_id
    LEFT JOIN (SELECT * FROM catalog_price WHERE version_id = %(new)s) AS o
        USING ({_NAMES})
    WHERE o.id IS NULL
    ORDER BY n.id
"""


def take_book(
    rows: Iterable[Row], *, options: BookOptions, by_id: int | None, tally: Tally
) -> Made:
    """Write the draft version that the rows make; with faults in the tally it is not whole."""
    book, is_new = options.open_book()
    before = book.versions.order_by("-number").first()
    number = (book.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    version = PriceBookVersion.objects.create(
        book=book,
        number=number,
        valid_from=options.valid_from,
        valid_to=options.valid_to,
        note=options.note,
        prepared_by_id=by_id,
    )
    writer = _Writer(version.pk, book.currency, tally)
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        writer.write(batch)
    if not tally.faults:
        _compare(version.pk, before.pk if before else None, writer.numbers, tally)
    made = {PriceBookVersion._meta.label_lower: [version.pk]}
    return made | ({type(book)._meta.label_lower: [book.pk]} if is_new else {})


class _Writer:
    """Batches of rows into one version, each checked; nothing is copied once a row was wrong."""

    def __init__(self, version_id: int, currency: str, tally: Tally) -> None:
        self.version_id = version_id
        self.shapes = ShapeReader(currency)
        self.tally = tally
        self.seen: dict[int, int] = {}
        self.numbers: list[int] = []

    def write(self, batch: list[Row]) -> None:
        self.tally.rows += len(batch)
        headers = match_headers(batch[0])
        products = KnownProducts.of((r.get("product") for r in batch), matched=bool(headers))
        lines = []
        for row in batch:
            line = self._line(row, products, headers)
            if row.faults:
                what = f"{row.get('product')} {row.get('key')}"[:120]
                self.tally.blame(row.faults, what)
            elif line:
                lines.append(line)
                self.numbers.append(row.number)
        if not self.tally.faults:
            copy_prices(lines)

    def _line(self, row: Row, products: KnownProducts, headers: tuple[str, ...]) -> str | None:
        product = products.find(row)
        match = products.match(row, product, headers) if product and headers else {}
        read = self.shapes.read(row)
        first, limits = self._limits(row)
        if product is None or read is None:
            return None
        key, price, shape = read
        name = (
            hash((product, key, first, *sorted(match.items())))
            if match
            else hash((product, key, first))
        )
        before = self.seen.setdefault(name, row.number)
        if before != row.number:
            row.fault(
                "key",
                _("The same charge stands in row %(row)s: delete one of them.") % {"row": before},
            )
        head = f"{self.version_id}\t{product}\t{key}\t{price}\t{first}\t{limits}"
        return price_line(head, match, shape)

    def _limits(self, row: Row) -> tuple[int, str]:
        """The first version of the product, and (as COPY has them) its last and the most off."""
        get = row.cells.get
        told = get("from_version"), get("to_version"), get("discount_limit")
        first, last, limit = 1, NULL, NULL
        if any(told):
            column = "from_version"
            try:
                first = cells.whole(told[0], least=1) if told[0] else 1
                column = "to_version"
                last = str(cells.whole(told[1], least=first)) if told[1] else NULL
                column = "discount_limit"
                limit = _percentage(told[2]) if told[2] else NULL
            except CellInvalid as fault:
                row.fault(column, str(fault))
        return first, f"{last}\t{limit}\t"


def _percentage(text: str) -> str:
    if not 0 <= cells.decimal(text) <= PERCENT:
        raise CellInvalid(_("A percentage from 0 to 100."))
    return cells.number(text)


def _compare(new: int, old: int | None, numbers: list[int], tally: Tally) -> None:
    """What each row is beside the version before, in the order of the sheet."""
    values = {"new": new, "old": old}
    row = iter(numbers)
    with connection.cursor() as cursor:
        # Postgres knows nothing of rows this fresh and would look up each one in the other list.
        cursor.execute("SET LOCAL enable_nestloop = off")
    for what, is_new, before, after, different in _read(_COMPARED, values):
        number = next(row)
        if is_new:
            tally.add(Result(number, Became.NEW, what, new=after))
        elif different:
            columns = ", ".join(dict.fromkeys(_SHOWN.get(c, c) for c in different.split(",")))
            tally.add(Result(number, Became.CHANGED, what, before, after, columns))
        else:
            tally.add(Result(number, Became.UNCHANGED, what, before, after))
    if old is not None:
        for what, before in _read(_VANISHED, values):
            tally.add(Result(0, Became.VANISHED, what, old=before))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = on")


def _read(statement: str, values: dict[str, int | None]) -> Iterator[tuple[Any, ...]]:
    """All rows by a cursor of the server's, so that they never stand in memory together."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, values)
        while rows := cursor.fetchmany(BATCH):
            yield from rows


def delete_versions(ids: Iterable[int]) -> None:
    """Draft versions with all their prices."""
    Price.objects.filter(version__in=ids).delete()
    PriceBookVersion.objects.filter(pk__in=ids).delete()
