"""Why a row does not count or cannot be read, and what a mapping lacks, in sentences."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from subscriptions.usage.files.rules.mapping import Amiss
from subscriptions.usage.files.rules.reading import Skipped, Wrong

SAID = {
    "wrong_width": gettext_noop("It has %(value)s cells; the file has %(columns)s columns."),
    "empty": gettext_noop("“%(column)s” is empty."),
    "no_number": gettext_noop("“%(column)s”: “%(value)s” is no number of this form."),
    "no_time": gettext_noop("“%(column)s”: “%(value)s” is no time of this form."),
    "no_zone": gettext_noop("“%(column)s”: “%(value)s” needs a time zone; choose one."),
    "skipped_hour": gettext_noop("“%(column)s”: clocks skip “%(value)s” in this time zone."),
    "not_counted": gettext_noop("“%(column)s” is “%(value)s”."),
    "zero": gettext_noop("“%(column)s” is %(value)s."),
}
AMISS = {
    "required": gettext_noop("Say this."),
    "meter_twice": gettext_noop("One meter for all rows, or a column of them; not both."),
    "no_source": gettext_noop("At most 200 characters that can be printed."),
    "unknown": gettext_noop("“%(value)s” is not known here."),
    "no_such_zone": gettext_noop("“%(value)s” is no time zone; they look like Europe/Berlin."),
    "no_column": gettext_noop("The file has no column “%(value)s”."),
}
SHOWN = 80  # characters of a cell that are repeated


def say(found: Skipped | Wrong, width: int) -> str:
    """Why a row of a file with so many columns does not count, or what is wrong with it."""
    told = {"column": found.column, "value": _shown(found.value), "columns": width}
    return _(SAID[found.code]) % told


def say_amiss(found: Amiss) -> str:
    """What to mend in a mapping."""
    return _(AMISS[found.code]) % {"value": _shown(found.value)}


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
