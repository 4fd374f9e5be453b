"""Say how a file is read, and keep that under a name to be chosen again."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.errors import Invalid
from subscriptions.models import FileState, UsageFile, UsageMapping
from subscriptions.usage.files.rules.mapping import Mapping, amiss, kept_mapping
from subscriptions.usage.files.rules.reading import Reader, Wrong
from subscriptions.usage.files.selectors import first_rows
from subscriptions.usage.files.services.loading import FileNotReady
from subscriptions.usage.files.words import say_amiss

LONGEST_NAME = 60


class MappingRefused(Invalid):
    """A mapping that lacks something or does not fit the file; `field` says where."""

    code = "mapping_refused"


@transaction.atomic
def map_file(
    *, file_id: int, mapping: Mapping, at: datetime, by_id: int | None, keep_as: str = ""
) -> UsageFile:
    """Set how the rows of a file are read, before it is loaded; perhaps keep it under a name.

    A name that is taken gets the new mapping. Raises MappingRefused, FileNotReady.
    """
    file = UsageFile.objects.select_for_update(no_key=True).get(pk=file_id)
    if file.state != FileState.UPLOADED:
        raise FileNotReady(_("The file is loaded already; its mapping stays."))
    set_mapping(file, mapping)
    name = keep_as.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        message = _("At most 60 characters that can be printed.")
        raise MappingRefused(message, field="keep_as")
    if name:
        UsageMapping.objects.update_or_create(
            name=name,
            defaults={
                "shape": file.shape,
                "mapping": kept_mapping(mapping),
                "at": at,
                "by_id": by_id,
            },
        )
    return file


def set_mapping(file: UsageFile, mapping: Mapping) -> None:
    """Write the mapping of a file that is locked or new, if it fits."""
    for each in amiss(mapping, file.columns):
        raise MappingRefused(say_amiss(each), field=each.field)
    reader = Reader(mapping, file.columns)
    for number, cells in first_rows(file):
        found = reader(cells)
        if isinstance(found, Wrong) and found.code == "no_zone":
            message = _("Row %(row)s: its time says no time zone; choose one.")
            raise MappingRefused(message % {"row": number}, field="time_zone")
    file.mapping = kept_mapping(mapping)
    file.save()
