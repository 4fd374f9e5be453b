"""Questions about bulk orders: which there were, what became of their rows, what to mend."""

from collections.abc import Iterator

from django.db.models import F, Func, Q, QuerySet, TextField, Value

from o2b.catalog.exchange.sheets import write_csv
from orders.bulk.sheet import CHARACTERISTIC, COLUMNS, LAYOUT
from orders.bulk.wishes import cells_of
from orders.models import BulkOrder, BulkRow


def bulks_for_list() -> QuerySet[BulkOrder]:
    return BulkOrder.objects.select_related("by")


def get_bulk(bulk_id: int) -> BulkOrder:
    return bulks_for_list().get(pk=bulk_id)


def rows_of(bulk_id: int) -> QuerySet[BulkRow]:
    """The rows of a sheet with what became of them."""
    return BulkRow.objects.filter(bulk=bulk_id).select_related("order", "bulk")


def rows_that_say(rows: QuerySet[BulkRow], words: str) -> QuerySet[BulkRow]:
    """Rows that hold every word in their cells, their reference or their problem."""
    cells = Func(F("told"), Value(" "), function="array_to_string", output_field=TextField())
    rows = rows.alias(cells=cells)
    for word in words.split():
        rows = rows.filter(
            Q(cells__icontains=word) | Q(key__icontains=word) | Q(problem__icontains=word)
        )
    return rows


def refused_sheet(bulk_id: int) -> Iterator[bytes]:
    """The rows that were refused, whole orders, as a sheet that can be mended and sent again."""
    refused = BulkRow.objects.filter(bulk=bulk_id, outcome=BulkRow.Outcome.REFUSED)
    rows = [cells_of(row) for row in refused.order_by("number")]
    told = {name for row in rows for name in row}
    columns = [name for name in COLUMNS if name in told or name in LAYOUT.required]
    columns += sorted(name for name in told if name.startswith(CHARACTERISTIC))
    return write_csv(columns, ([row.get(name, "") for name in columns] for row in rows))
