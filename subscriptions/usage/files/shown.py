"""How a file of usage and its mapping are said on pages."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from subscriptions.models import FileState, RowStatus, UsageFile
from subscriptions.usage.files.rules.mapping import WHOLE_ROW, Mapping, read_mapping
from subscriptions.usage.files.rules.moments import FORMATS

TONES = {
    FileState.UPLOADED: "warn",
    FileState.RUNNING: "go",
    FileState.DONE: "good",
    FileState.FAILED: "bad",
    FileState.STOPPED: "",
}
ROW_TONES = {
    RowStatus.ACCEPTED: "good",
    RowStatus.DUPLICATE: "warn",
    RowStatus.PENDING: "warn",
    RowStatus.REJECTED: "bad",
    RowStatus.SKIPPED: "",
}


class Figure(NamedTuple):
    """How many rows came to something, and where they are shown."""

    title: str
    value: int
    status: str
    note: str = ""
    tone: str = ""


def percent(file: UsageFile) -> int:
    """How much of it is done with, rounded down: 100 only when all is."""
    return file.taken * 100 // file.rows if file.rows else 0


def state_label(file: UsageFile) -> str:
    """The state in words, with how far it is."""
    said = str(file.get_state_display())
    return f"{said}, {percent(file)} %" if file.is_running else said


def state_tone(file: UsageFile) -> str:
    if file.state == FileState.DONE and file.rejected:
        return "warn"
    return TONES[FileState(file.state)]


def figures(file: UsageFile) -> list[Figure]:
    """The counts of a file with what they mean."""
    return [
        Figure(_("Accepted"), file.accepted, RowStatus.ACCEPTED, _("counted")),
        Figure(_("Duplicates"), file.duplicate, RowStatus.DUPLICATE, _("the id was taken before")),
        Figure(_("Waiting"), file.pending, RowStatus.PENDING, _("for their subject")),
        Figure(
            *(_("Rejected"), file.rejected, RowStatus.REJECTED, _("to mend")),
            tone="bad" if file.rejected else "",
        ),
        Figure(_("Skipped"), file.skipped, RowStatus.SKIPPED, _("not meant to count")),
    ]


def told_mapping(told: dict[str, object]) -> list[tuple[str, str]]:
    """A mapping as pairs of words, to be confirmed."""
    m = read_mapping(told)
    found = [
        (_("Source"), m.source),
        (_("Id"), _("the whole row") if m.id == WHOLE_ROW else m.id),
        (_("Subject"), m.subject),
        (_("Time"), _time(m)),
        (_("Value"), m.value or _("one a row")),
        (_("Meter"), m.meter or _("by column “%(column)s”") % {"column": m.meter_column}),
    ]
    for label, column in (
        (_("Account"), m.account),
        (_("Replaces"), m.replaces),
        (_("Takes back"), m.retracts),
    ):
        if column:
            found.append((label, column))
    if m.unit:
        found.append((_("Unit"), m.unit))
    if counted := _counted(m):
        found.append((_("Rows that count"), counted))
    if m.properties:
        pairs = (name if name == c else f"{name} ← {c}" for name, c in m.properties.items())
        found.append((_("Kept with it"), ", ".join(pairs)))
    return found


def _time(mapping: Mapping) -> str:
    return ", ".join(filter(None, (mapping.time, FORMATS[mapping.time_format], mapping.time_zone)))


def _counted(mapping: Mapping) -> str:
    """Which rows are calls that count."""
    said = []
    if mapping.only:
        said.append(f"{mapping.only} = {', '.join(mapping.only_values)}")
    if mapping.skip_zero:
        said.append(f"{mapping.value} ≠ 0")
    return "; ".join(said)
