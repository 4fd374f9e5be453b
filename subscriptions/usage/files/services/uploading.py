"""Take a file: its rows are kept, packed in parts, until they are loaded or nobody wants them."""

import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.errors import Invalid
from subscriptions.models import FileState, UsageFile, UsageFilePart, UsageFileRow, UsageMapping
from subscriptions.usage.files.rules.mapping import read_mapping
from subscriptions.usage.files.services.loading import begin
from subscriptions.usage.files.services.mapping import set_mapping
from subscriptions.usage.files.sheet import UTF8, Numbered, Opened, open_file

AT_ONCE = 5_000  # rows of a part: taken in one transaction
KEPT = timedelta(days=1)  # a file that nobody loads
KEPT_RESULTS = timedelta(days=90)  # what became of each row; the counts stay
LONGEST_NAME = 200
PIECE = 1024 * 1024


class MappingUnknown(Invalid):
    code = "mapping_unknown"


@transaction.atomic
def take_file(
    *,
    stream: BinaryIO,
    file_name: str,
    at: datetime,
    by_id: int | None,
    shape: str = "",
    encoding: str = UTF8,
    mapping_name: str = "",
) -> UsageFile:
    """Keep a file that can be read; under the name of a kept mapping, load it at once.

    Raises FileRefused, naming row and column; MappingUnknown; MappingRefused where the mapping
    does not fit the columns.
    """
    discard_files(at=at)
    kept = _kept_mapping(mapping_name)
    opened = open_file(stream, shape=kept.shape if kept else shape, encoding=encoding)
    file = UsageFile(
        file_name=_name(file_name),
        shape=opened.layout.shape,
        encoding=encoding,
        delimiter=opened.delimiter,
        columns=list(opened.layout.columns),
        at=at,
        by_id=by_id,
        size=0,
    )
    file.save()
    file.rows = _write_parts(file, opened)
    file.sha256, file.size = _digest(stream)
    file.save()
    events.record("usage_file.uploaded", file, at=at, actor_id=by_id, rows=file.rows)
    if kept:
        set_mapping(file, read_mapping(kept.mapping))
        begin(file, at=at, by_id=by_id)
    return file


def discard_files(*, at: datetime) -> int:
    """Throw away what nobody loaded within a day, and what became of rows of long ago."""
    gone = UsageFile.objects.filter(state=FileState.UPLOADED, at__lt=at - KEPT).delete()[0]
    old = UsageFile.objects.exclude(state=FileState.RUNNING).filter(at__lt=at - KEPT_RESULTS)
    for model in (UsageFileRow, UsageFilePart):
        gone += model._default_manager.filter(file__in=old).delete()[0]
    return gone


def _kept_mapping(name: str) -> UsageMapping | None:
    if not name:
        return None
    found = UsageMapping.objects.filter(name=name[:LONGEST_NAME].replace("\0", "")).first()
    if found is None:
        message = _("There is no mapping “%(name)s”; keep one under this name first.")
        raise MappingUnknown(message % {"name": name[:60]}, field="mapping")
    return found


def _write_parts(file: UsageFile, opened: Opened) -> int:
    """The rows, packed, so many at once; how many there are."""
    count = 0
    for number, rows in enumerate(_parts(opened.rows)):
        count += len(rows)
        UsageFilePart.objects.create(file=file, number=number, body=pack(rows))
    return count


def _parts(rows: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    left = iter(rows)
    while part := list(islice(left, AT_ONCE)):
        yield part


def pack(rows: list[Numbered]) -> bytes:
    """Rows as the body of a part; see `selectors.unpacked`."""
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode(), 1)


def _digest(stream: BinaryIO) -> tuple[str, int]:
    """What tells the same file, and how many bytes it has."""
    stream.seek(0)
    digest, size = sha256(), 0
    while piece := stream.read(PIECE):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def _name(told: str) -> str:
    """The name without its folders, and without what cannot be printed."""
    last = told.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[-LONGEST_NAME:].strip() or "usage.csv"
