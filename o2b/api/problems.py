"""Every error of the API as problem+json (RFC 9457), whoever raised it."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from django.core import exceptions as django
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error

from o2b.errors import Refused

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
OURS = "urn:o2b:problem:"


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, before it is written down."""

    status: int
    code: str
    detail: str
    errors: tuple[dict[str, str], ...] = ()
    extra: Mapping[str, object] | None = None


class Malformed(drf.APIException):
    """The request cannot be read at all; `field` says where, if that can be said."""

    status_code = 400
    default_code = "malformed"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class TooLarge(drf.APIException):
    status_code = 413
    default_code = "too_large"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """The answer to any exception; what nobody expected is logged and told as a bare 500."""
    request = context.get("request")
    problem = _of_refusal(exc) or _of_django(exc) or _of_rest(exc)
    if problem is None:
        log.exception("unexpected", exc_info=exc)
        got_request_exception.send(sender=None, request=getattr(request, "_request", None))
        problem = Problem(500, "server_error", _("Something went wrong on our side; it is logged."))
    response = Response(
        body(problem, instance=request.path if request else ""),
        status=problem.status,
        content_type=MEDIA_TYPE,
    )
    if header := getattr(exc, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(exc, "wait", None):
        response["Retry-After"] = str(int(wait))
    return response


def body(problem: Problem, *, instance: str) -> dict[str, object]:
    """The members of the answer; `code` and `errors` are ours, the rest is the RFC's."""
    ours = problem.code != "error"
    told: dict[str, object] = {
        "type": f"{OURS}{problem.code}" if ours else "about:blank",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "instance": instance,
        "errors": list(problem.errors),
    }
    return {key: _plain(value) for key, value in (problem.extra or {}).items()} | told


def _of_refusal(exc: Exception) -> Problem | None:
    if not isinstance(exc, Refused):
        return None
    message = str(exc.message)
    errors = ({"field": exc.field, "message": message},) if exc.field else ()
    return Problem(exc.status, exc.code, message, errors, exc.extra)


def _of_django(exc: Exception) -> Problem | None:
    match exc:
        case Http404() | django.ObjectDoesNotExist():
            return Problem(404, "not_found", _("There is nothing at this address."))
        case django.PermissionDenied():
            return Problem(403, "permission_denied", _("You may not do this."))
        case django.RequestDataTooBig():
            return Problem(413, "too_large", _("The request is too large."))
        case django.SuspiciousOperation():
            return Problem(400, "malformed", _("The request cannot be read."))
        case DataError():  # nothing was written: the statement failed, and its transaction with it
            log.warning("a value that only the database refused", exc_info=exc)
            return Problem(422, "out_of_range", _("A value is out of range."))
        case IntegrityError():
            log.error("what only the database refused", exc_info=exc)
            return Problem(409, "conflict", _("Another request changed this at the same moment."))
    return None


def _of_rest(exc: Exception) -> Problem | None:
    if isinstance(exc, drf.ValidationError):
        errors = tuple(_flat(as_serializer_error(exc)))
        return Problem(400, "malformed", _("The request has fields that cannot be read."), errors)
    if not isinstance(exc, drf.APIException):
        return None
    detail = str(exc.detail)
    field = getattr(exc, "field", "")
    errors = ({"field": field, "message": detail},) if field else ()
    codes = exc.get_codes()
    code = codes if isinstance(codes, str) else exc.default_code
    return Problem(exc.status_code, code or HTTPStatus(exc.status_code).phrase, detail, errors)


def _flat(errors: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Nested errors of serializers as one list with paths such as `lines[0].quantity`."""
    if isinstance(errors, Mapping):
        for key, inner in errors.items():
            yield from _flat(inner, _step(path, key))
    elif isinstance(errors, list):
        for index, inner in enumerate(errors):
            nested = isinstance(inner, Mapping | list)
            yield from _flat(inner, f"{path}[{index}]" if nested else path)
    else:
        yield {"field": path, "message": str(errors)}


def _step(path: str, key: object) -> str:
    if key == "non_field_errors":
        return path
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else str(key)


def _plain(value: object) -> object:
    """What JSON can hold of a fact that a refusal carries."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple() | set():
            return [_plain(inner) for inner in value]
        case Promise():
            return str(value)
    return str(value)
