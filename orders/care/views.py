"""Pages of those who care: complaints as a list and one by one, and the desk of questions."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Action, Column, ListPage
from orders.care import selectors, services
from orders.care.forms import (
    AnswerForm,
    ComplaintForm,
    HandOverForm,
    ReopenForm,
    ResolveForm,
)
from orders.care.history import entries
from orders.care.tracking import choices_of
from orders.models import Complaint, OrderLine, Question

VIEW, HEAR = "orders.view_order", "orders.hear_complaints"
S = Complaint.State
MINE, OVERDUE, OPEN = "mine", "overdue", "open"


def standing(complaint: Any) -> str:
    """The state, or overdue where it is."""
    return "overdue" if complaint.is_overdue else str(complaint.state)


class ComplaintList(ListPage):
    """Every complaint: mine, what is open, what is overdue."""

    permission = VIEW
    title = gettext_lazy("Complaints")
    columns = (
        Column(
            "line",
            gettext_lazy("About"),
            sort="line",
            link=lambda row: reverse("orders:complaint", args=[row.pk]),
            note="line.product_version.product",
        ),
        Column(
            "customer",
            gettext_lazy("Customer"),
            value="account.customer.name",
            sort="account__customer__name",
            note="account.reference",
        ),
        Column("text", gettext_lazy("What they say"), value=lambda row: row.text[:140]),
        Column("state", gettext_lazy("State"), value=standing, kind="badge", sort="state"),
        Column("owner", gettext_lazy("Owner"), sort="owner__username"),
        Column("opened_at", gettext_lazy("Since"), kind="moment", sort="opened_at"),
        Column("due_at", gettext_lazy("Answer due"), kind="moment", sort="due_at"),
    )
    search = (
        "text",
        "name",
        "about",
        "account__customer__name",
        "account__reference",
        "order__pk",
        "owner__username",
    )
    search_hint = gettext_lazy("Customer, words or order…")
    states = (
        (MINE, gettext_lazy("Mine")),
        (OPEN, gettext_lazy("Not resolved")),
        (OVERDUE, gettext_lazy("Overdue")),
        (S.RESOLVED.value, S.RESOLVED.label),
    )
    default_sort = "-opened_at"
    csv_name = "complaints"
    actions = (Action(gettext_lazy("Questions"), "orders:questions", primary=False),)
    empty = gettext_lazy(
        "No complaints. They come from customers’ pages and invoices, or you take one down on the"
        " page of its order."
    )

    def get_rows(self) -> QuerySet[Any]:
        return selectors.complaints(machine_now=clock.now())

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        match state:
            case "mine":
                return rows.filter(selectors.UNRESOLVED, owner=self.request.user.pk)
            case "open":
                return rows.filter(selectors.UNRESOLVED)
            case "overdue":
                return rows.filter(is_overdue=True)
        return rows.filter(state=state)


@door(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def new_complaint(request: HttpRequest, pk: int) -> HttpResponse:
    """One of us takes a complaint down, about a line of this order; ?line= stands there already."""
    lines = list(selectors.lines_to_complain_about(pk))
    if not lines:
        raise OrderLine.DoesNotExist(f"order {pk} has no line")
    data = request.POST if request.method == "POST" else None
    asked = {"line": request.GET.get("line", "")[:20]}
    form = ComplaintForm(data, initial=asked, lines=choices_of(lines))
    if form.is_valid():
        account = selectors.line_of(form.cleaned_data["line"]).order.account
        try:
            complaint = services.open_complaint(
                line_id=form.cleaned_data["line"],
                name=form.cleaned_data["name"],
                text=form.cleaned_data["text"],
                source=Complaint.Source.STAFF,
                at=clock.now(account),
                actor_id=request.user.pk,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(
                request, _("Taken down. %(owner)s owns it.") % {"owner": complaint.owner}
            )
            return redirect("orders:complaint", pk=complaint.pk)
    context = {"form": form, "order": lines[0].order}
    status = 422 if form.errors else 200
    return render(request, "orders/care/complaint_new.html", context, status=status)


@door(VIEW)
@require_GET
def complaint(request: HttpRequest, pk: int) -> HttpResponse:
    """One complaint: what was said, whose it is, until when, and what may be done."""
    return _complaint(request, pk)


def _complaint(
    request: HttpRequest, pk: int, *, status: int = 200, **forms_with_faults: forms.Form
) -> HttpResponse:
    found = selectors.get_complaint(pk, machine_now=clock.now())
    context = {
        "complaint": found,
        "standing": standing(found),
        "hears": request.user.has_perm(HEAR),
        "entries": entries(selectors.history_of(pk)),
        "hand_over": HandOverForm(),
        "resolve": ResolveForm(),
        "reopen": ReopenForm(),
        **forms_with_faults,
    }
    return render(request, "orders/care/complaint.html", context, status=status)


@door(HEAR)
@require_POST
def take(request: HtmxRequest, pk: int) -> HttpResponse:
    services.take_complaint(complaint_id=pk, at=_now(pk), actor_id=_me(request))
    messages.success(request, _("It is in your hands now."))
    return redirect("orders:complaint", pk=pk)


@door(HEAR)
@require_POST
def hand_over(request: HtmxRequest, pk: int) -> HttpResponse:
    form = HandOverForm(request.POST)
    if not form.is_valid():
        return _complaint(request, pk, status=422, hand_over=form)
    to = form.cleaned_data["to"]
    services.hand_over_complaint(complaint_id=pk, to_id=to.pk, at=_now(pk), actor_id=_me(request))
    messages.success(request, _("%(who)s owns it now.") % {"who": to})
    return redirect("orders:complaint", pk=pk)


@door(HEAR)
@require_POST
def resolve(request: HtmxRequest, pk: int) -> HttpResponse:
    form = ResolveForm(request.POST)
    if not form.is_valid():
        return _complaint(request, pk, status=422, resolve=form)
    services.resolve_complaint(
        complaint_id=pk, at=_now(pk), actor_id=_me(request), **form.cleaned_data
    )
    messages.success(request, _("Resolved."))
    return redirect("orders:complaint", pk=pk)


@door(HEAR)
@require_POST
def reopen(request: HtmxRequest, pk: int) -> HttpResponse:
    form = ReopenForm(request.POST)
    if not form.is_valid():
        return _complaint(request, pk, status=422, reopen=form)
    services.reopen_complaint(
        complaint_id=pk, at=_now(pk), actor_id=_me(request), **form.cleaned_data
    )
    messages.success(request, _("It is open again."))
    return redirect("orders:complaint", pk=pk)


def _me(request: HttpRequest) -> int:
    return request.user.pk or 0  # nobody passes the door without one


def _now(complaint_id: int) -> Any:
    rows = Complaint.objects.select_related("account__test_clock")
    return clock.now(rows.get(pk=complaint_id).account)


class QuestionList(ListPage):
    """What customers ask: first of all what is unanswered."""

    permission = VIEW
    title = gettext_lazy("Questions of customers")
    columns = (
        Column(
            "text",
            gettext_lazy("Question"),
            value=lambda row: row.text[:140],
            link=lambda row: reverse("orders:question", args=[row.pk]),
            note="name",
        ),
        Column("order", gettext_lazy("Order"), sort="order", link="order.get_absolute_url"),
        Column(
            "customer",
            gettext_lazy("Customer"),
            value="account.customer.name",
            sort="account__customer__name",
            note="account.reference",
        ),
        Column("advocate", gettext_lazy("Advocate"), value="account.advocate"),
        Column("asked_at", gettext_lazy("Asked"), kind="moment", sort="asked_at"),
        Column("answered_at", gettext_lazy("Answered"), kind="moment", sort="answered_at"),
    )
    search = ("text", "name", "answer", "account__customer__name", "order__pk")
    search_hint = gettext_lazy("Customer, words or order…")
    states = (
        (MINE, gettext_lazy("Mine to answer")),
        (OPEN, gettext_lazy("Unanswered")),
        ("answered", gettext_lazy("Answered")),
    )
    default_sort = "-asked_at"
    csv_name = "questions"
    empty = gettext_lazy("Nobody has asked anything yet.")

    def get_rows(self) -> QuerySet[Question]:
        return selectors.questions()

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == "answered":
            return rows.exclude(answered_at=None)
        rows = rows.filter(answered_at=None)
        return rows.filter(account__advocate=self.request.user.pk) if state == MINE else rows


@door(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, pk: int) -> HttpResponse:
    """One question, and its answer."""
    found = selectors.get_question(pk)
    if request.method == "POST":
        return _answer(request, found)
    return _question(request, found, AnswerForm())


def _answer(request: HttpRequest, found: Question) -> HttpResponse:
    if not request.user.has_perm(HEAR):
        raise PermissionDenied(HEAR)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _question(request, found, form, status=422)
    services.answer_question(
        question_id=found.pk,
        text=form.cleaned_data["text"],
        at=clock.now(found.account),
        actor_id=_me(request),
    )
    messages.success(request, _("Your answer stands on the customer’s page."))
    return redirect("orders:question", pk=found.pk)


def _question(
    request: HttpRequest, found: Question, form: forms.Form, *, status: int = 200
) -> HttpResponse:
    context = {"question": found, "form": form, "hears": request.user.has_perm(HEAR)}
    return render(request, "orders/care/question.html", context, status=status)
