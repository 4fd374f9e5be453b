"""Load a file part by part: its events, its results and its progress in one transaction each."""

import json
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from o2b import events
from o2b.copying import write_all
from o2b.errors import Refused
from subscriptions.models import (
    RowStatus,
    UsageFile,
    UsageFilePart,
    UsageFileRow,
    Waiting,
)
from subscriptions.usage.files.rules.mapping import COLUMNS, WHOLE_ROW, Mapping, read_mapping
from subscriptions.usage.files.rules.reading import Reader, Skipped, Wrong
from subscriptions.usage.files.selectors import unpacked
from subscriptions.usage.files.words import say
from subscriptions.usage.rules.answers import DUPLICATE, PENDING, Answer
from subscriptions.usage.rules.told import Told, Unreadable
from subscriptions.usage.services import take_usage

IN_THE_DOOR = 500  # so few rows are loaded before the door answers
LONGEST_KEY, LONGEST_MESSAGE = 200, 500
LONGEST_TOLD = 4_000
log = logging.getLogger(__name__)

Numbered = tuple[int, Sequence[str]]


class FileNotReady(Refused):
    code = "file_not_ready"


@transaction.atomic
def start_file(*, file_id: int, at: datetime, by_id: int | None) -> UsageFile:
    """Load a file that is mapped, or go on with one that stopped or failed.

    Few rows are loaded when this returns; many by a worker.
    """
    file = UsageFile.objects.select_for_update(no_key=True).get(pk=file_id)
    begin(file, at=at, by_id=by_id)
    return file


@transaction.atomic
def stop_file(*, file_id: int, at: datetime, by_id: int | None) -> UsageFile:
    """Stop after the part that is being loaded; what was taken stays taken."""
    file = UsageFile.objects.select_for_update(no_key=True).get(pk=file_id)
    try:
        file.stop(at=at)
    except TransitionNotAllowed as exc:
        raise FileNotReady(_("The file is not being loaded.")) from exc
    file.save()
    events.record("usage_file.stopped", file, at=at, actor_id=by_id, taken=file.taken)
    return file


def begin(file: UsageFile, *, at: datetime, by_id: int | None) -> None:
    """Start a file that is locked or new."""
    if not file.mapping:
        raise FileNotReady(_("Say first how its columns are read."))
    if not file.parts.exists():
        raise FileNotReady(_("Its rows are loaded, or not kept any more: upload it again."))
    try:
        file.start(at=at)
    except TransitionNotAllowed as exc:
        raise FileNotReady(_("The file is being loaded already.")) from exc
    file.save()
    if file.rows - file.taken > IN_THE_DOOR:
        events.record("usage_file.started", file, at=at, actor_id=by_id, rows=file.rows)
        return
    while _take_next(file, at=at):
        pass


def take_part(*, file_id: int, at: datetime, owed: Collection[int] = ()) -> bool:
    """Load the next part of a file that runs; False when nothing is left to do.

    `owed` are the outbox rows that are settled then. What nobody foresaw fails the file, which
    somebody may start again; when only the database was away, the same part is tried again.
    """
    try:
        with transaction.atomic():
            file = UsageFile.objects.select_for_update(no_key=True).filter(pk=file_id).first()
            more = bool(file and file.is_running and _take_next(file, at=at))
            if not more:
                events.done(owed)
            return more
    except OperationalError:
        raise
    except Exception as fault:
        log.exception("usage file %s cannot be loaded", file_id)
        _fail(file_id, fault, at=at, owed=owed)
        return False


@transaction.atomic
def _fail(file_id: int, fault: Exception, *, at: datetime, owed: Collection[int]) -> None:
    file = UsageFile.objects.select_for_update(no_key=True).get(pk=file_id)
    if file.is_running:
        file.fail(at=at, problem=f"{type(fault).__name__}: {fault}"[:2000].replace("\0", ""))
        file.save()
        events.record("usage_file.failed", file, at=at, taken=file.taken)
    events.done(owed)


def _take_next(file: UsageFile, *, at: datetime) -> bool:
    """One part of a file that this transaction holds; whether there are more."""
    part = file.parts.order_by("number").first()
    if part is not None:
        _take(file, part, at=at)
        part.delete()
    if file.parts.exists():
        file.save()
        return True
    file.finish(at=at)
    file.save()
    events.record("usage_file.done", file, at=at, actor_id=file.by_id, **_counts(file))
    return False


def _take(file: UsageFile, part: UsageFilePart, *, at: datetime) -> None:
    rows = unpacked(part)
    mapping = read_mapping(file.mapping)
    reader = Reader(mapping, file.columns)
    events_: list[Told | Unreadable] = []
    told: list[tuple[int, Wrong | None]] = []
    results: list[UsageFileRow] = []
    for number, cells in rows:
        found = reader(cells)
        if isinstance(found, Skipped):
            results.append(_skipped(file, number, found))
            continue
        wrong = found if isinstance(found, Wrong) else None
        told.append((number, wrong))
        events_.append(_unreadable(file, number, cells, wrong) if wrong else found)  # type: ignore[arg-type]
    results += _answered(file, mapping, told, take_usage(events_, at=at).answers)
    write_all(results)
    for status, count in Counter(row.status for row in results).items():
        setattr(file, status, getattr(file, status) + count)


def _answered(
    file: UsageFile,
    mapping: Mapping,
    told: Sequence[tuple[int, Wrong | None]],
    answers: Sequence[Answer],
) -> Iterator[UsageFileRow]:
    """The results of rows that were told as events."""
    for (number, wrong), answer in zip(told, answers, strict=True):
        if wrong:
            key, code, field = wrong.id, wrong.code, wrong.field
            message = say(wrong, len(file.columns))
        else:
            key, code, field = answer.id, answer.code, answer.field
            message = _message(answer, mapping)
        yield _row(file, number, key, answer.status, code, field, message)


def _message(answer: Answer, mapping: Mapping) -> str:
    """What is said of a row, with the column where one is at fault."""
    if answer.status == DUPLICATE:
        if answer.differs:
            return _("An event of this id was taken before, and said something else.")
        return _("An event of this id was taken before.")
    text = answer.message
    if answer.status == PENDING and answer.code in Waiting.values:
        text = f"{Waiting(answer.code).label}"
    column = _column(answer.field, mapping)
    return f"“{column}”: {text}" if text and column else text


def _column(field: str, mapping: Mapping) -> str:
    """The column that a field of the event comes from."""
    if field.startswith("properties."):
        return mapping.properties.get(field.removeprefix("properties."), "")
    if field == "meter":
        return mapping.meter_column
    column = getattr(mapping, field, "") if field in COLUMNS else ""
    return "" if column == WHOLE_ROW else str(column)


def _skipped(file: UsageFile, number: int, found: Skipped) -> UsageFileRow:
    message = say(found, len(file.columns))
    return _row(file, number, found.id, RowStatus.SKIPPED, found.code, "", message)


def _row(
    file: UsageFile, number: int, key: str, status: str, code: str, field: str, message: str
) -> UsageFileRow:
    return UsageFileRow(
        file=file,
        number=number,
        key=key[:LONGEST_KEY],
        status=str(status),
        code=code,
        field=field[:80],
        message=message[:LONGEST_MESSAGE],
    )


def _unreadable(file: UsageFile, number: int, cells: Sequence[str], wrong: Wrong) -> Unreadable:
    """The row as it is kept among what was refused, with where it came from."""
    mapping = read_mapping(file.mapping)
    said: dict[str, object] = {"source": mapping.source, "id": wrong.id[:LONGEST_KEY]}
    said |= {"file": file.file_name, "row": number}
    text = json.dumps({**said, "cells": list(cells)}, ensure_ascii=False)
    if len(text) > LONGEST_TOLD:
        text = json.dumps({**said, "cells": f"{cells!r}"[: LONGEST_TOLD // 2]}, ensure_ascii=False)
    return Unreadable(say(wrong, len(file.columns)), wrong.field, text.encode())


def _counts(file: UsageFile) -> dict[str, Any]:
    return {status: getattr(file, status) for status in RowStatus.values}
