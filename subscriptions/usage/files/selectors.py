"""Questions of files of usage: which there were, what their first rows come to, their results."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from subscriptions.models import FileState, UsageFile, UsageFilePart, UsageFileRow, UsageMapping
from subscriptions.usage.files.rules.mapping import Mapping, amiss, suggest
from subscriptions.usage.files.rules.reading import Reader, Skipped, Wrong
from subscriptions.usage.files.rules.shapes import Layout
from subscriptions.usage.files.words import say
from subscriptions.usage.rules.judging import Judge, Meters, Rejection
from subscriptions.usage.rules.told import Told
from subscriptions.usage.selectors import meters_to_judge_by
from subscriptions.usage.words import say as say_rejection

SHOWN = 10  # rows of a preview
LOOKED_AT = 200  # rows that a mapping is guessed from


class Shown(NamedTuple):
    """A row of a preview: the event that it becomes, or why it becomes none, and its cells."""

    number: int
    cells: Sequence[str]
    event: Told | None = None
    skipped: str = ""
    wrong: str = ""
    column: str = ""


def files_for_list() -> QuerySet[UsageFile]:
    return UsageFile.objects.select_related("by")


def get_file(file_id: int) -> UsageFile:
    return files_for_list().get(pk=file_id)


def results_of(file_id: int) -> QuerySet[UsageFileRow]:
    """What became of each row that is done with."""
    return UsageFileRow.objects.filter(file=file_id)


def loaded_before(file: UsageFile) -> UsageFile | None:
    """The same bytes that came before, if they were loaded."""
    same = UsageFile.objects.filter(sha256=file.sha256, pk__lt=file.pk)
    return same.exclude(state=FileState.UPLOADED).first()


def kept_mappings(file: UsageFile) -> QuerySet[UsageMapping]:
    """Mappings that were kept for files of this shape."""
    return UsageMapping.objects.filter(shape=file.shape)


def dimension_names(meters: Meters) -> list[str]:
    """What meters keep apart, by name."""
    return sorted({d.name for versions in meters.values() for v in versions for d in v.dimensions})


def unpacked(part: UsageFilePart) -> list[tuple[int, list[str]]]:
    """The rows of a part, numbered."""
    return [(number, cells) for number, cells in json.loads(zlib.decompress(bytes(part.body)))]


def first_rows(file: UsageFile, count: int = LOOKED_AT) -> list[tuple[int, list[str]]]:
    """The first rows that are not loaded yet."""
    part = file.parts.order_by("number").first()
    return unpacked(part)[:count] if part else []


def suggested_mapping(file: UsageFile) -> Mapping:
    """What the columns of a file most likely mean."""
    layout = Layout(file.shape, tuple(file.columns))
    width = len(file.columns)
    rows = [
        dict(zip(file.columns, cells, strict=True))
        for _number, cells in first_rows(file)
        if len(cells) == width
    ]
    meters = meters_to_judge_by()
    found = suggest(layout, rows, dimension_names(meters))
    if not found.meter_column and len(meters) == 1:
        found.meter = next(iter(meters))
    return found


def is_amiss(mapping: Mapping, columns: Sequence[str]) -> bool:
    """Whether a mapping says too little, or names columns that are not there."""
    return bool(amiss(mapping, columns))


def preview(file: UsageFile, mapping: Mapping, *, at: datetime) -> list[Shown]:
    """The first rows as the events that they would become, or what would be wrong with each."""
    reader, judge = Reader(mapping, file.columns), Judge(meters_to_judge_by(), now=at)
    return [_shown(number, cells, reader, judge) for number, cells in first_rows(file, SHOWN)]


def _shown(number: int, cells: Sequence[str], reader: Reader, judge: Judge) -> Shown:
    found = reader(cells)
    width = len(reader.columns)
    if isinstance(found, Skipped):
        return Shown(number, cells, skipped=say(found, width))
    if isinstance(found, Wrong):
        return Shown(number, cells, wrong=say(found, width), column=found.column)
    judged = judge(found)
    if isinstance(judged, Rejection):
        return Shown(number, cells, found, wrong=say_rejection(judged), column=judged.field)
    return Shown(number, cells, found)
