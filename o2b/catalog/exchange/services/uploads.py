"""A file that a person tries first: kept for a day, imported without being sent again."""

import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.catalog.exchange.report import Report
from o2b.catalog.exchange.services.importing import import_catalog
from o2b.catalog.models import CatalogUpload
from o2b.errors import Refused

KEPT = timedelta(days=1)
PIECE = 256 * 1024
IN_MEMORY = 2 * 1024 * 1024


class UploadGone(Refused):
    code = "upload_gone"


@transaction.atomic
def try_upload(
    *,
    kind: str,
    stream: BinaryIO,
    file_name: str,
    options: Mapping[str, Any],
    by_id: int,
    at: datetime,
) -> CatalogUpload:
    """Import dry, and keep the file with its report until the person decides."""
    discard_uploads(at=at)
    report = import_catalog(
        kind=kind,
        stream=stream,
        file_name=file_name,
        options=options,
        by_id=by_id,
        at=at,
        dry_run=True,
    )
    stream.seek(0)
    return CatalogUpload.objects.create(
        kind=kind,
        file_name=report.file_name,
        options=dict(options),
        # Who has faults to mend sends another file.
        body=b"" if report.errors else b"".join(_pack(stream)),
        report=report.summary,
        results=report.results,
        by_id=by_id,
        at=at,
    )


@transaction.atomic
def import_upload(*, upload_id: int, by_id: int, at: datetime) -> Report:
    """Import the file that this person tried; what has changed since is looked at again."""
    upload = CatalogUpload.objects.select_for_update().get(pk=upload_id, by=by_id)
    if upload.at < at - KEPT or not upload.body:
        raise UploadGone(_("The file is not kept any more: choose it again."))
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        for piece in _unpack(bytes(upload.body)):
            file.write(piece)
        file.seek(0)
        report = import_catalog(
            kind=upload.kind,
            stream=file,  # type: ignore[arg-type]
            file_name=upload.file_name,
            options=upload.options,
            by_id=by_id,
            at=at,
        )
    if report.import_id is None:
        raise UploadGone(_("The catalog has changed since: choose the file again."))
    upload.delete()
    return report


def discard_uploads(*, at: datetime) -> int:
    """Throw away what nobody imported within a day."""
    return CatalogUpload.objects.filter(at__lt=at - KEPT).delete()[0]


def _pack(stream: BinaryIO) -> Iterator[bytes]:
    packer = zlib.compressobj(1)
    while piece := stream.read(PIECE):
        yield packer.compress(piece)
    yield packer.flush()


def _unpack(packed: bytes) -> Iterator[bytes]:
    opener = zlib.decompressobj()
    rest = packed
    while rest:
        yield opener.decompress(rest, PIECE)
        rest = opener.unconsumed_tail
    yield opener.flush()
