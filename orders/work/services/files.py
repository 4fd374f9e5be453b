"""Files kept as evidence of a task: few, small, and of kinds that can do no harm."""

import hashlib
from datetime import datetime
from typing import Protocol

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from orders.fulfilment.services.hand.checks import refuse_other
from orders.models import Task, TaskFile
from orders.work.rules import kind_of
from orders.work.services import refusals as no

MOST_BYTES = 10 * 1024 * 1024
MOST_FILES = 20
LONGEST_NAME = 200


class Upload(Protocol):
    """What came in: a name, a size and a way to read it."""

    name: str | None
    size: int | None

    def read(self, size: int, /) -> bytes: ...


@transaction.atomic
def add_file(*, task_id: int, user_id: int, upload: Upload, at: datetime) -> TaskFile:
    """Keep a file with one's claimed task; too large, too many or of a wrong kind is refused."""
    if (upload.size or 0) > MOST_BYTES:
        raise no.FileRefused(too_large(), field="file")
    task = Task.objects.select_for_update(of=("self",), no_key=True).get(pk=task_id)
    refuse_other(task, user_id)
    if TaskFile.objects.filter(task=task).count() >= MOST_FILES:
        message = _("A task keeps at most %(most)s files.")
        raise no.TooManyFiles(message % {"most": MOST_FILES}, field="file")
    name = _clean_name(upload.name or "")
    body = upload.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise no.FileRefused(too_large(), field="file")
    kind = kind_of(name, body)
    if not kind:
        message = _("Only images, PDF, plain text and CSV are kept, by content as by name.")
        raise no.FileRefused(message, field="file")
    kept = TaskFile.objects.create(
        task=task,
        name=name,
        content_type=kind,
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        body=body,
        at=at,
        by_id=user_id,
    )
    told = {"file": name, "sha256": kept.sha256, "task": task.name}
    events.record("task.file_added", task, at=at, actor_id=user_id, **told)
    return kept


def too_large() -> str:
    return _("A file may have up to %(most)s MB.") % {"most": MOST_BYTES // 1024 // 1024}


def _clean_name(name: str) -> str:
    """The last part of a path, without what a file system or a header cannot bear."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(letter for letter in last if letter.isprintable() and letter not in '"<>:|?*')
    stem, dot, ending = clean.strip().rpartition(".")
    return f"{stem[: LONGEST_NAME - 10]}{dot}{ending[:8]}" if dot else clean[:LONGEST_NAME]
