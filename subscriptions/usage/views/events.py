"""Events: found by id, or by whose they are and their days; each with what it counted for."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.catalog.models import Meter
from o2b.errors import Invalid
from o2b.web.filters import Filter
from o2b.web.forms import AmountField, show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.show import number_text
from o2b.web.tables import Column, ListPage
from subscriptions.models import UsageKind
from subscriptions.usage import selectors, services
from subscriptions.usage.rules.parts import read_part
from subscriptions.usage.services.dismissing import LONGEST_REASON
from subscriptions.usage.views.doorstep import MENDS, SEES, me, places

USUAL = timedelta(days=31)


def event_url(row: Any) -> str:
    return reverse("subscriptions:usage-event", args=[row.pk])


def service_of(row: Any) -> str:
    return f"S-{row.subscription}.{row.service_id}"


def service_url(row: Any) -> str:
    return reverse("subscriptions:usage-service", args=[row.service_id])


def quantity_of(row: Any) -> str:
    """'2.5 min'; a retraction has none."""
    if row.kind == UsageKind.RETRACTS:
        return "—"
    return f"{number_text(row.value.normalize())} {row.unit}"


def dimensions_of(row: Any) -> str:
    """'zone: mobile'; what totals are kept apart by."""
    return ", ".join(f"{name}: {said}" for name, said in read_part(row.part).dimensions.items())


def standing_of(row: Any) -> str:
    """What corrected it, or what it corrects."""
    if row.by:
        return _("corrected by %(id)s") % {"id": row.by}
    if row.corrects:
        words = {UsageKind.REPLACES: _("replaces %(id)s"), UsageKind.RETRACTS: _("retracts %(id)s")}
        return words[row.kind] % {"id": row.corrects}
    return ""


def _seen_to(rows: QuerySet[Any], told: Any) -> QuerySet[Any]:
    """It says where the rows come from."""
    return rows


def _meters(request: HttpRequest) -> list[tuple[str, str]]:
    return [
        (f"{pk}", code) for pk, code in Meter.objects.order_by("code").values_list("pk", "code")
    ]


class EventList(ListPage):
    """Events of an id, or of a service or subject; nothing before one of them is asked for."""

    permission = SEES
    title = gettext_lazy("Events of usage")
    intro = gettext_lazy(
        "Name a source and an id, or a service (S-3 or S-3.7) or subject; without days the last 31."
    )
    columns = (
        Column("at", gettext_lazy("Used"), kind="moment", sort="at", link=event_url, note="key"),
        Column("value", gettext_lazy("Value"), value=quantity_of, note="meter"),
        Column("dimensions", gettext_lazy("Dimensions"), value=dimensions_of),
        Column("subject", gettext_lazy("Subject"), note="source"),
        Column("service", gettext_lazy("Service"), value=service_of, link=service_url),
        Column("day", gettext_lazy("Counts on"), kind="day", sort="day"),
        Column("standing", gettext_lazy("Correction"), value=standing_of),
    )
    csv_columns = (
        Column("source", gettext_lazy("Source")),
        Column("key", gettext_lazy("Id")),
        Column("meter", gettext_lazy("Meter")),
        Column("subject", gettext_lazy("Subject")),
        Column("at", gettext_lazy("Used")),
        Column("day", gettext_lazy("Counts on")),
        Column("service", gettext_lazy("Service"), value=service_of),
        Column("value", gettext_lazy("Value"), value=lambda row: row.value.normalize()),
        Column("unit", gettext_lazy("Unit")),
        Column("dimensions", gettext_lazy("Dimensions"), value=dimensions_of),
        Column("kind", gettext_lazy("Kind"), value="get_kind_display"),
        Column("corrects", gettext_lazy("Corrects")),
        Column("by", gettext_lazy("Corrected by")),
    )
    filters = (
        Filter("source", gettext_lazy("Source"), _seen_to, kind="word"),
        Filter("id", gettext_lazy("Id"), _seen_to, kind="word"),
        Filter("service", gettext_lazy("Service or subject"), _seen_to, kind="word"),
        Filter("from", gettext_lazy("From"), _seen_to, kind="day"),
        Filter("until", gettext_lazy("Until"), _seen_to, kind="day"),
        Filter("meter", gettext_lazy("Meter"), "meter_id", _meters),
    )
    default_sort = "-at"
    csv_name = "usage-events"
    empty = gettext_lazy("Name an event or a service above.")
    template_name = "subscriptions/usage/events.html"
    partial_name = "subscriptions/usage/_events.html"

    @cached_property
    def told(self) -> dict[str, str]:
        return {each.filter.name: each.value for each in self.asked}

    def get_rows(self) -> QuerySet[Any]:
        told = self.told
        if told["source"] and told["id"]:
            return selectors.dressed(selectors.with_id(told["source"], told["id"]))
        if not told["service"]:
            return selectors.no_events()
        until = _day(told["until"])
        since = _day(told["from"]) or _before(until or clock.today())
        rows = selectors.dressed(selectors.of_service(told["service"]))
        if told["source"]:
            rows = rows.filter(source=told["source"])
        return selectors.on_days(rows, since, until)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        told = self.told
        by_id = bool(told["source"] and told["id"])
        found = None
        if by_id and not context["total"]:
            found = selectors.elsewhere(told["source"], told["id"])
        return context | {
            "elsewhere": found,
            "asks": by_id or bool(told["service"]),
            "half": bool(told["id"]) and not told["source"],
            **places("usage-events"),
        }


def _day(told: str) -> date | None:
    return date.fromisoformat(told) if told else None


def _before(day: date) -> date:
    """As far back as one usually looks; the calendar begins with its first day."""
    return max(day, date.min + USUAL) - USUAL


class CorrectionForm(forms.Form):
    """What an event is replaced by; without a value it is taken back."""

    value = AmountField(
        label=gettext_lazy("New value"), required=False, max_digits=30, decimal_places=12
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_REASON)

    def __init__(self, *args: Any, retracts: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["value"].required = not retracts
        if retracts:
            del self.fields["value"]


@door(SEES)
@require_GET
def event(request: HtmxRequest, pk: int) -> HttpResponse:
    """One event: what it counted for, and the chain of its corrections."""
    return _page(request, pk)


@door(MENDS)
@require_POST
def correct(request: HtmxRequest, pk: int) -> HttpResponse:
    """Replace it or take it back: first what it would do, then, once that is confirmed, done."""
    retracts = request.POST.get("deed") == "retract"
    form = CorrectionForm(request.POST, retracts=retracts)
    if not form.is_valid():
        return _page(request, pk, form=form, retracts=retracts, status=422)
    value = form.cleaned_data.get("value")
    try:
        if "confirmed" not in request.POST:
            tried = services.try_correction(event_id=pk, value=value, at=clock.now())
            return _page(request, pk, form=form, retracts=retracts, tried=tried)
        made = services.correct_event(
            event_id=pk,
            value=value,
            reason=form.cleaned_data["reason"],
            user_id=me(request),
            at=clock.now(),
        )
    except Invalid as refusal:
        show_refusal(form, refusal)
        return _page(request, pk, form=form, retracts=retracts, status=422)
    messages.success(request, _("%(id)s is sent and counts.") % {"id": made.key})
    return redirect("subscriptions:usage-event", pk=pk)


def _page(
    request: HtmxRequest,
    pk: int,
    *,
    form: CorrectionForm | None = None,
    retracts: bool = False,
    tried: services.Amended | None = None,
    status: int = 200,
) -> HttpResponse:
    story = selectors.story_of(pk)
    found = story.event
    correctable = not found.by_id and found.kind != UsageKind.RETRACTS
    initial = {"value": f"{found.value.normalize():f}"}
    context = {
        "story": story,
        "event": found,
        "quantity": quantity_of(found),
        "dimensions": read_part(found.part).dimensions,
        "properties": found.properties or {},
        "chain": [(each, quantity_of(each), standing_of(each)) for each in story.chain],
        "may_correct": correctable and request.user.has_perm(MENDS),
        "replace_form": form if form and not retracts else CorrectionForm(initial=initial),
        "retract_form": form if form and retracts else CorrectionForm(retracts=True),
        "retracts": retracts,
        "tried": tried,
        "asked": form.cleaned_data if form and tried else {},
    }
    return render(request, "subscriptions/usage/event.html", context, status=status)
