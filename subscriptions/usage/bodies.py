"""Bodies of requests that carry usage: unpacked as they come, never more in memory than allowed."""

import zlib
from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException

from o2b.api.problems import Malformed, TooLarge

LARGEST = 16 * 1024 * 1024  # bytes of a body that is read whole, unpacked
LONGEST_LINE = 64 * 1024
CHUNK = 256 * 1024


class TooSlow(APIException):
    """The client stopped sending; what it had sent is told."""

    status_code = status.HTTP_408_REQUEST_TIMEOUT
    default_code = "too_slow"


class Unsupported(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "unsupported_media_type"


def whole(request: HttpRequest) -> bytes:
    """The body, unpacked; refused beyond LARGEST, before it is read where its length is told."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if told.isdigit() and (len(told) > 18 or int(told) > LARGEST):
        raise _too_large()
    found = bytearray()
    for chunk in chunks(request):
        found += chunk
        if len(found) > LARGEST:
            raise _too_large()
    return bytes(found)


def lines(request: HttpRequest) -> Iterator[bytes]:
    """The lines of the body that hold something, one by one, however many.

    Of one that is longer than LONGEST_LINE no more than that and a byte: enough to refuse it.
    """
    rest = b""
    for chunk in chunks(request):
        *full, rest = (rest + chunk).split(b"\n")
        yield from (line[: LONGEST_LINE + 1] for line in full if line.strip())
        rest = rest[: LONGEST_LINE + 1]
    if rest.strip():
        yield rest


def chunks(request: HttpRequest) -> Iterator[bytes]:
    """What the client sends, unpacked, piece by piece."""
    packing = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    if packing in ("identity", ""):
        yield from _sent(request)
    elif packing in ("gzip", "x-gzip"):
        yield from _unpacked(_sent(request))
    else:
        raise Unsupported(_("Send it as it is, or packed by gzip."))


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Never more at once than CHUNK, however small it was packed; several members are one body."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        for chunk in packed:
            left = chunk
            while left:
                if unpacking.eof:
                    unpacking = zlib.decompressobj(wbits=31)
                piece = unpacking.decompress(left, CHUNK)
                left = unpacking.unconsumed_tail or unpacking.unused_data
                if piece:
                    yield piece
    except zlib.error as exc:
        raise Malformed(_("The packed body is broken: %(why)s") % {"why": exc}) from exc
    if not unpacking.eof:
        raise Malformed(_("The packed body ends early."))


def _sent(request: HttpRequest) -> Iterator[bytes]:
    stream = _stream(request)
    while True:
        try:
            chunk = stream.read(CHUNK)
        except OSError as exc:  # Django's own names what happened as its cause
            if isinstance(exc, TimeoutError) or isinstance(exc.__cause__, TimeoutError):
                silence = settings.O2B_USAGE_SILENCE
                raise TooSlow(_("Nothing came for %(s)s seconds.") % {"s": silence}) from exc
            raise Malformed(_("The body ends early.")) from exc
        if not chunk:
            break
        yield chunk


def _stream(request: HttpRequest) -> IO[bytes] | HttpRequest:
    """The body as it comes in; one without a length ends where the server says so."""
    environ: dict[str, Any] = request.META
    socket = environ.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(settings.O2B_USAGE_SILENCE)
    if not environ.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
        return environ["wsgi.input"]
    return request


def _too_large() -> TooLarge:
    return TooLarge(
        _("At most %(most)s bytes at once; send less, or lines (application/x-ndjson).")
        % {"most": LARGEST}
    )
