"""The page of one task, and what one may do there."""

from typing import Any

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from o2b.web.http import HtmxRequest, door
from o2b.web.uploads import refused_early
from orders.fulfilment.forms import PartForm
from orders.fulfilment.services import prioritise_task, record_part, tick_item
from orders.models import Task
from orders.work import forms, services
from orders.work.selectors import lists, one
from orders.work.services.files import too_large
from orders.work.views.common import (
    MANAGES,
    SEES,
    WORKS,
    back,
    me,
    task_now,
    task_page,
    tried,
)

LONGEST_DIGITS = 5


@door(SEES)
@require_GET
def task(request: HtmxRequest, pk: int) -> HttpResponse:
    """One task: facts, what waits on whom, evidence, files, comments, attempts, costs."""
    return task_page(request, pk)


@door(WORKS)
@require_POST
def tick(request: HtmxRequest, pk: int) -> HttpResponse:
    """Tick off one item, or take the tick back."""
    item = request.POST.get("item", "")
    number = int(item) if item.isascii() and item.isdigit() and len(item) < LONGEST_DIGITS else -1
    tick_item(
        task_id=pk,
        item=number,
        is_done=request.POST.get("done") == "1",
        user_id=me(request),
        at=task_now(pk),
    )
    return back(request, "orders:task", pk)


@door(WORKS)
@require_POST
def part(request: HtmxRequest, pk: int) -> HttpResponse:
    """So much of it is delivered; the rest is still to come."""
    form = PartForm(one.task_whole(pk), request.POST)

    def act(said: dict[str, Any]) -> None:
        record_part(task_id=pk, user_id=me(request), at=task_now(pk), **form.said())

    return tried(request, pk, "part_form", form, act, _("The part is delivered."))


@door(WORKS)
@require_POST
def comment(request: HtmxRequest, pk: int) -> HttpResponse:
    order_id = Task.objects.values_list("order_id", flat=True).get(pk=pk)

    def act(said: dict[str, Any]) -> None:
        services.comment(
            order_id=order_id, task_id=pk, author_id=me(request), at=task_now(pk), **said
        )

    return tried(request, pk, "comment_form", forms.CommentForm(request.POST), act, "")


@door(WORKS)
def _too_large(request: HtmxRequest, pk: int) -> HttpResponse:
    form = forms.FileForm()
    form.too_large = too_large()  # type: ignore[attr-defined]
    return task_page(request, pk, status=413, file_form=form)


@refused_early(services.MOST_BYTES, _too_large)
@door(WORKS)
@require_POST
def add_file(request: HtmxRequest, pk: int) -> HttpResponse:
    def act(said: dict[str, Any]) -> None:
        services.add_file(task_id=pk, user_id=me(request), upload=said["file"], at=task_now(pk))

    form = forms.FileForm(request.POST, request.FILES)
    return tried(request, pk, "file_form", form, act, _("The file is kept."))


@door(SEES)
@require_GET
def file(request: HtmxRequest, pk: int, file_id: int) -> HttpResponse:
    """A kept file, to be saved and never shown by the browser."""
    kept = one.file(task_id=pk, file_id=file_id)
    response = HttpResponse(bytes(kept.body), content_type=kept.content_type)
    response["Content-Disposition"] = content_disposition_header(True, kept.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@door(MANAGES)
@require_POST
def assign(request: HtmxRequest, pk: int) -> HttpResponse:
    """Give it to a member of its queue."""
    queue_id = Task.objects.values_list("queue", flat=True).get(pk=pk)
    form = forms.GivenForm(lists.members_of(queue_id), request.POST)

    def act(said: dict[str, Any]) -> None:
        to_id = int(said["to"] or 0)
        services.assign(task_id=pk, to_id=to_id, user_id=me(request), at=task_now(pk))

    return tried(request, pk, "given_form", form, act, _("It is given."))


@door(WORKS)
@require_POST
def hand_back(request: HtmxRequest, pk: int) -> HttpResponse:
    """Back into its queue, with a word if there is one to say."""
    form = forms.NoteForm(request.POST)
    manages = request.user.has_perm(MANAGES)

    def act(said: dict[str, Any]) -> None:
        services.hand_back(
            task_id=pk, user_id=me(request), at=task_now(pk), manages=manages, **said
        )

    return tried(request, pk, "note_form", form, act, _("It is back in its queue."))


@door(MANAGES)
@require_POST
def prioritise(request: HtmxRequest, pk: int) -> HttpResponse:
    def act(said: dict[str, Any]) -> None:
        prioritise_task(task_id=pk, user_id=me(request), at=task_now(pk), **said)

    form = forms.PriorityForm(request.POST)
    return tried(request, pk, "priority_form", form, act, _("The priority is set."))


@door(WORKS)
@require_POST
def ask_skip(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask a second person to leave the step out."""

    def act(said: dict[str, Any]) -> None:
        services.ask_skip(task_id=pk, user_id=me(request), at=task_now(pk), **said)

    form = forms.SkipForm(request.POST)
    return tried(request, pk, "skip_form", form, act, _("The question is asked."))


@door(WORKS)
@require_POST
def ask_substitution(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask the advocate to let another version be delivered."""

    def act(said: dict[str, Any]) -> None:
        services.ask_substitution(task_id=pk, user_id=me(request), at=task_now(pk), **said)

    form = forms.SubstituteForm(request.POST)
    return tried(request, pk, "substitute_form", form, act, _("The advocate is asked."))
