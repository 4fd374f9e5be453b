"""The doors of visits: the calendar, one visit, and what becomes of it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from orders.models import Appointment
from orders.visits import selectors, services
from orders.visits.calendar import card_of, days_of, name_of, week_of
from orders.visits.forms import ArrangeForm, KeptForm, MissedForm
from orders.visits.ical import as_ical

SEES, WORKS = "orders.view_order", "orders.work_tasks"
A = Appointment.State
LIST = "list"
MARGIN = timedelta(hours=15)  # a day begins up to so long before and after it does in UTC


@door(SEES)
@require_GET
def calendar(request: HtmxRequest) -> HttpResponse:
    """A week of visits, and beside it those without a time."""
    today = clock.today()
    monday = week_of(request.GET.get("week", ""), today=today)
    queues, people = list(selectors.queues_with_visits()), list(selectors.travellers())
    queue = next((q for q in queues if q.code == request.GET.get("queue")), None)
    person = next((p for p in people if p.username == request.GET.get("person")), None)
    begin = datetime.combine(monday, time(0), UTC)
    visits = selectors.visits_between(
        begin - MARGIN,
        begin + timedelta(days=7) + MARGIN,
        queue_id=queue.pk if queue else None,
        user_id=person.pk if person else None,
    )
    waiting = selectors.to_arrange(queue_id=queue.pk if queue else None)
    total = waiting.count()
    context = {
        "days": days_of(monday, visits, today=today),
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "week": monday.isocalendar().week,
        "ways": _ways(request, monday, today),
        "as_list": request.GET.get("view") == LIST,
        "queues": queues,
        "people": people,
        "queue": queue,
        "person": person,
        "waiting": [card_of(visit) for visit in waiting[: selectors.MOST_TO_ARRANGE]],
        "waiting_total": total,
        "works": request.user.has_perm(WORKS),
    }
    return render(request, "orders/visits/calendar.html", context)


def _ways(request: HttpRequest, monday: date, today: date) -> dict[str, str]:
    """The addresses of the weeks around, with the filters kept."""

    def to(day: date, view: str = request.GET.get("view", "")) -> str:
        query = request.GET.copy()
        query["week"], query["view"] = name_of(day), view if view == LIST else ""
        return f"?{query.urlencode()}"

    week = timedelta(days=7)
    return {
        "before": to(monday - week),
        "now": to(today),
        "after": to(monday + week),
        "week": to(monday, ""),
        "list": to(monday, LIST),
    }


@door(SEES)
@require_GET
def visit(request: HtmxRequest, pk: int) -> HttpResponse:
    return _page(request, selectors.get_visit(pk))


def _page(
    request: HttpRequest, found: Appointment, *, status: int = 200, **forms: Any
) -> HttpResponse:
    works = request.user.has_perm(WORKS)
    context = {
        "visit": found,
        "card": card_of(found),
        "may_arrange": works and found.state in services.OPEN,
        "is_arranged": found.state == A.ARRANGED,
        "has_begun": found.begins_at is not None and found.begins_at <= clock.now(found.account),
        "works": works,
        "arrange": forms.get("arrange") or ArrangeForm(found),
        "kept": forms.get("kept") or KeptForm(initial={"minutes": found.minutes}),
        "missed": forms.get("missed") or MissedForm(),
    }
    return render(request, "orders/visits/visit.html", context, status=status)


@door(SEES)
@require_GET
def of_task(request: HtmxRequest, pk: int) -> HttpResponse:
    """From a task to its visit."""
    return redirect(Appointment.objects.get(task=pk))


@door(WORKS)
@require_POST
def arrange(request: HtmxRequest, pk: int) -> HttpResponse:
    """Set the time, or another one; what is refused stands beside its field."""
    found = selectors.get_visit(pk)
    form = ArrangeForm(found, request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, arrange=form)
    try:
        services.arrange_visit(visit_id=pk, slot=form.slot(), at=_now(found), by=_me(request))
    except services.SlotRefused as refusal:
        show_refusal(form, refusal)
        return _page(request, found, status=422, arrange=form)
    messages.success(request, _("The visit is arranged."))
    return redirect("orders:visit", pk=pk)


@door(WORKS)
@require_POST
def keep(request: HtmxRequest, pk: int) -> HttpResponse:
    """It took place: its task is done."""
    found = selectors.get_visit(pk)
    form = KeptForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, kept=form)
    services.keep_visit(
        visit_id=pk, minutes=form.cleaned_data["minutes"], at=_now(found), by=_me(request)
    )
    messages.success(request, _("The visit is kept, and its task done."))
    return redirect("orders:visit", pk=pk)


@door(WORKS)
@require_POST
def miss(request: HtmxRequest, pk: int) -> HttpResponse:
    """It did not take place: it is to be arranged anew."""
    found = selectors.get_visit(pk)
    form = MissedForm(request.POST)
    if not form.is_valid():
        return _page(request, found, status=422, missed=form)
    try:
        services.miss_visit(
            visit_id=pk, reason=form.cleaned_data["reason"], at=_now(found), by=_me(request)
        )
    except Refused as refusal:
        if refusal.field not in form.fields:
            raise
        show_refusal(form, refusal)
        return _page(request, found, status=422, missed=form)
    messages.warning(request, _("The visit was missed; it is to be arranged anew."))
    return redirect("orders:visit", pk=pk)


@door(SEES)
@require_GET
def ical(request: HtmxRequest, pk: int) -> HttpResponse:
    """One visit as a file for calendars."""
    found = selectors.get_visit(pk)
    if found.begins_at is None or found.state == A.MISSED:
        raise Http404("it has no time")
    title = f"{found.task.name}: {found.account.customer}"
    url = request.build_absolute_uri(reverse("orders:visit", args=[pk]))
    body = as_ical(found, title=title, url=url, at=clock.now())
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="visit-{pk}.ics"'
    return response


def _me(request: HttpRequest) -> int:
    return cast(int, request.user.pk)  # the door lets in nobody else than users


def _now(found: Appointment) -> datetime:
    return clock.now(found.account)
