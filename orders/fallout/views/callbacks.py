"""The door for answers that call back: no log-in, no cookie, but a signature over every byte."""

import json
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from o2b import clock
from o2b.api.problems import MEDIA_TYPE, Problem, body
from o2b.errors import Refused
from orders.fallout import services
from orders.gateways.answers import kept, no_number
from orders.gateways.provisioning import secret
from orders.gateways.signatures import HEADER, fault_of

LARGEST = 64 * 1024


class Junk(Refused):
    """Nothing that anybody could have meant."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@csrf_exempt
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """200 taken, or taken already; 409 when nobody waits; 403 unsigned; 4xx for junk; never 500."""
    try:
        taken = services.take_call_back(task_id=pk, answer=_read(request, pk), at_of=clock.now)
    except Refused as no:
        extra = {name: str(value) for name, value in no.extra.items()}
        errors = ({"field": no.field, "message": str(no.message)},) if no.field else ()
        return _problem(request, Problem(no.status, no.code, str(no.message), errors, extra))
    except ObjectDoesNotExist:
        return _problem(request, Problem(404, "not_found", f"There is no task {pk}."))
    said = "already" if taken.already else "taken"
    return JsonResponse({"task": taken.task_id, "result": said, "state": taken.state})


def _read(request: HttpRequest, pk: int) -> dict[str, Any]:
    """What it says, once it is known to be genuine and meant for this task."""
    if _length(request) > LARGEST:
        raise Junk(413, "too_large", f"A call-back has at most {LARGEST} bytes.")
    if request.content_type != "application/json":
        raise Junk(415, "unsupported_media_type", "A call-back is application/json.")
    raw = request.body
    moment = clock.now().timestamp()
    if fault := fault_of(request.headers.get(HEADER, ""), raw, secret=secret(), moment=moment):
        raise Junk(403, f"signature_{fault}", f"The signature in {HEADER} is {fault}.")
    try:
        answer = kept(json.loads(raw, parse_constant=no_number))
    except (ValueError, RecursionError) as exc:
        raise Junk(400, "malformed", "The call-back is no JSON.") from exc
    if not isinstance(answer, dict):
        raise Junk(400, "malformed", "The call-back is no JSON object.")
    if answer.get("task") != pk or isinstance(answer.get("task"), bool):
        raise Junk(403, "signature_forged", "What was signed is meant for another task.")
    return answer


def _length(request: HttpRequest) -> int:
    try:
        return int(request.headers.get("Content-Length") or 0)
    except ValueError:
        return 0


def _problem(request: HttpRequest, problem: Problem) -> JsonResponse:
    told = body(problem, instance=request.path)
    return JsonResponse(told, status=problem.status, content_type=MEDIA_TYPE)
