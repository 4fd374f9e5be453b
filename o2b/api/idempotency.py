"""Idempotency-Key: one effect a key, kept in its transaction, and the same answer again."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.db import connection, transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from o2b.api.problems import Malformed
from o2b.errors import Invalid, Refused
from o2b.models import IdempotencyKey

HEADER = "Idempotency-Key"
LONGEST = 200

Verb = TypeVar("Verb", bound=Callable[..., Response])


class KeyReused(Invalid):
    """The key came before with another request."""

    code = "idempotency_key_reused"


class KeyInProgress(Refused):
    """The first request with this key has not ended yet."""

    code = "idempotency_key_in_progress"


def once(verb: Verb) -> Verb:
    """Let a view method take effect once a key; without the header it runs as it is."""

    @wraps(verb)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return verb(view, request, *args, **kwargs)
        if not 0 < len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
            message = _("The key has 1 to %(most)s printable ASCII characters.")
            raise Malformed(message % {"most": LONGEST}, field=HEADER)
        return _once(key, request, lambda: verb(view, request, *args, **kwargs))

    guarded.takes_effect_once = True  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


@transaction.atomic
def _once(key: str, request: Request, effect: Callable[[], Response]) -> Response:
    """A refusal raises through the transaction, so neither effect nor key is kept."""
    digest = digest_of(_said(request))
    path = request.path.rstrip("/")
    if not _hold(f"{request.user.pk}:{key}"):
        raise KeyInProgress(_("A request with this key is still in progress."), field=HEADER)
    known = IdempotencyKey.objects.filter(user=request.user.pk, key=key).first()
    if known is None:
        response = effect()
        IdempotencyKey.objects.create(
            key=key,
            user=request.user,  # type: ignore[misc]
            method=request.method or "",
            path=path,
            body_digest=digest,
            status=response.status_code,
            answer=response.data,
        )
        return response
    if (known.method, known.path, known.body_digest) != (request.method, path, digest):
        raise KeyReused(_("This key belongs to another request; send a new one."), field=HEADER)
    return Response(
        known.answer, status=known.status, headers={"Idempotent-Replay": "true"} | _place(known)
    )


def _said(request: Request) -> object:
    """What is asked: the body, and the query where there is one: a sheet's dry_run, for example."""
    query = sorted((name, list(values)) for name, values in request.query_params.lists())
    return [request.data, query] if query else request.data


def digest_of(data: object) -> str:
    """Equal for equal JSON, whatever its blanks and the order of its names."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _hold(name: str) -> bool:
    """Take the key until the transaction ends; False when another transaction has it."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _place(known: IdempotencyKey) -> dict[str, str]:
    url = known.answer.get("url") if isinstance(known.answer, dict) else None
    return {"Location": url} if known.status == 201 and url else {}
