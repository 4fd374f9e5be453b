"""Take a sheet of orders: try it, place it, and work through its rows in batches."""

from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from o2b import events
from o2b.errors import Refused
from orders.bulk.placing import AlreadyOf, Batch, place_wishes
from orders.bulk.sheet import read_rows
from orders.bulk.wishes import Wish, wishes_of
from orders.models import BulkOrder, BulkRow

AT_ONCE = 1000  # rows in one transaction; an order is never torn apart
IN_THE_DOOR = 100  # so few are looked at before the door answers
LONGEST_FILE_NAME = 200
OUTCOME = BulkRow.Outcome


class SheetPlacedAlready(Refused):
    """The very same file was placed before; where, is told with the refusal."""

    code = "sheet_placed_already"

    def __init__(self, bulk: BulkOrder) -> None:
        message = _("This file was placed on %(day)s already: nothing is ordered twice.")
        super().__init__(
            message % {"day": bulk.at.date()},
            field="file",
            bulk=bulk.pk,
            url=bulk.get_absolute_url(),
        )


class BulkNotReady(Refused):
    code = "bulk_not_ready"


@transaction.atomic
def take_sheet(
    *,
    stream: BinaryIO,
    file_name: str,
    dry_run: bool,
    at: datetime,
    by_id: int | None,
    already_of: AlreadyOf,
) -> BulkOrder:
    """Keep the rows of a sheet and look at them, at once where they are few; dry, order nothing.

    A file that is no such sheet is SheetRefused, and one that was placed before is refused.
    """
    name = file_name.replace("\0", "").rpartition("/")[2][-LONGEST_FILE_NAME:] or "sheet"
    stream.seek(0)
    digest = sha256(stream.read()).hexdigest()
    _refuse_twice(digest)
    rows = read_rows(stream, name=name)
    bulk = _opened(
        BulkOrder(
            file_name=name, sha256=digest, is_dry_run=dry_run, at=at, by_id=by_id, rows=len(rows)
        )
    )
    BulkRow.objects.bulk_create(
        [
            BulkRow(
                bulk=bulk,
                number=row.number,
                key=row.key,
                told=row.told,
                field=row.field[:60],
                problem=row.problem,
            )
            for row in rows
        ],
        batch_size=2000,
    )
    _begin(bulk, "bulk.tried" if dry_run else "bulk.placed", at, by_id, already_of)
    return bulk


@transaction.atomic
def place_bulk(
    *, bulk_id: int, at: datetime, by_id: int | None, already_of: AlreadyOf
) -> BulkOrder:
    """Order what was found fit when the sheet was tried; what was refused stays out."""
    bulk = BulkOrder.objects.select_for_update().get(pk=bulk_id)
    if not bulk.is_dry_run:
        raise SheetPlacedAlready(bulk)
    if not bulk.is_over:
        raise BulkNotReady(_("The sheet is still being tried: wait until every row is done."))
    if not bulk.lines_placed:
        raise BulkNotReady(_("No row of the sheet can be ordered: mend it and try it again."))
    _refuse_twice(bulk.sha256)
    bulk.is_dry_run, bulk.at, bulk.by_id = False, at, by_id
    bulk.lines_placed = bulk.orders_placed = 0
    _opened(bulk)
    bulk.results.filter(outcome=OUTCOME.FIT).update(outcome=OUTCOME.WAITING)
    _begin(bulk, "bulk.placed", at, by_id, already_of)
    return bulk


def work_on_bulk(
    *,
    bulk_id: int,
    machine_now: datetime,
    already_of: AlreadyOf,
    owed: Collection[int] = (),
) -> bool:
    """Look at the next rows, in one transaction; False when none were left.

    `owed` are the outbox rows that are settled when nothing is left.
    """
    with transaction.atomic():
        bulk = BulkOrder.objects.select_for_update().filter(pk=bulk_id).first()
        rows = _next_rows(bulk) if bulk else []
        if bulk and rows:
            _work(bulk, rows, machine_now, already_of)
        else:
            events.done(owed)
        return bool(rows)


def _begin(
    bulk: BulkOrder, news: str, at: datetime, by_id: int | None, already_of: AlreadyOf
) -> None:
    """Few rows are looked at now, many by a worker."""
    if bulk.rows > IN_THE_DOOR:
        events.record(news, bulk, at=at, actor_id=by_id, rows=bulk.rows)
        return
    if rows := _next_rows(bulk):
        _work(bulk, rows, at, already_of)


def _work(
    bulk: BulkOrder, rows: Sequence[BulkRow], machine_now: datetime, already_of: AlreadyOf
) -> None:
    wishes = wishes_of(rows)
    place_wishes(
        wishes,
        Batch(
            bulk_id=bulk.pk,
            machine_now=machine_now,
            actor_id=bulk.by_id,
            is_dry_run=bulk.is_dry_run,
            already_of=already_of,
        ),
    )
    for wish in wishes:
        _note(wish, dry=bulk.is_dry_run)
    # An upsert of rows that are there: bulk_update would build a CASE of thousands of branches.
    BulkRow.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["outcome", "order", "field", "problem"],
        batch_size=2000,
    )
    fit = [wish for wish in wishes if not wish.faults]
    lines = sum(len(wish.rows) for wish in fit)
    BulkOrder.objects.filter(pk=bulk.pk).update(
        lines_placed=F("lines_placed") + lines,
        orders_placed=F("orders_placed") + len(fit),
        rejected=F("rejected") + len(rows) - lines,
    )
    bulk.refresh_from_db()


def _note(wish: Wish, *, dry: bool) -> None:
    """What became of a wish, on each of its rows."""
    first = min(wish.faults, default=0)
    for row in wish.rows:
        if not wish.faults:
            row.outcome = OUTCOME.FIT if dry else OUTCOME.PLACED
            row.order = None if dry else wish.order
            continue
        row.outcome = OUTCOME.REFUSED
        row.field, row.problem = wish.faults.get(
            row.number, ("", _("Its order is refused because of row %(row)s.") % {"row": first})
        )


def _next_rows(bulk: BulkOrder) -> list[BulkRow]:
    """The next rows that nobody looked at, with all other rows of their orders."""
    waiting = bulk.results.filter(outcome=OUTCOME.WAITING).order_by("number")
    rows = list(waiting[:AT_ONCE])
    keys = {row.key for row in rows if row.key}
    if len(rows) == AT_ONCE and keys:
        last = rows[-1].number
        rows += waiting.filter(Q(key__in=keys), number__gt=last)
    return rows


def _refuse_twice(digest: str) -> None:
    placed = BulkOrder.objects.filter(sha256=digest, is_dry_run=False).first()
    if placed:
        raise SheetPlacedAlready(placed)


def _opened(bulk: BulkOrder) -> BulkOrder:
    """The sheet, written; refuses one that somebody else placed in this moment."""
    try:
        with transaction.atomic():
            bulk.save()
    except IntegrityError as exc:
        placed = BulkOrder.objects.get(sha256=bulk.sha256, is_dry_run=False)
        raise SheetPlacedAlready(placed) from exc
    return bulk
