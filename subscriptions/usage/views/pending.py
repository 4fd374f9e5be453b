"""Events that wait: why, since when; tried again now, or dismissed."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from o2b import clock
from o2b.web.filters import Filter
from o2b.web.http import HtmxRequest, door
from o2b.web.show import number_text
from o2b.web.tables import Column, ListPage
from subscriptions.models import UsagePending, Waiting
from subscriptions.usage import selectors, services
from subscriptions.usage.services.dismissing import LONGEST_REASON
from subscriptions.usage.views.doorstep import MENDS, SEES, back, me, places


class ReasonForm(forms.Form):
    """Why somebody does it."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=LONGEST_REASON)


def value_of(row: Any) -> Any:
    """The value of an event; a retraction has none."""
    return None if row.kind == 2 else row.value.normalize()


class PendingList(ListPage):
    """Every event that waits."""

    permission = SEES
    title = gettext_lazy("Usage that waits")
    intro = gettext_lazy(
        "Taken, not counted yet. What can be counted is counted by itself, twice a minute."
    )
    columns = (
        Column("subject", gettext_lazy("Subject"), sort="subject", note="get_reason_display"),
        Column("meter", gettext_lazy("Meter"), sort="meter"),
        Column("value", gettext_lazy("Value"), value=value_of, kind="number"),
        Column("at", gettext_lazy("Used"), kind="moment", sort="at"),
        Column("key", gettext_lazy("Id"), kind="code", note="source"),
        Column("recorded_at", gettext_lazy("Waits since"), kind="moment", sort="recorded_at"),
    )
    csv_columns = (
        Column("source", gettext_lazy("Source")),
        Column("key", gettext_lazy("Id")),
        Column("reason", gettext_lazy("Reason")),
        Column("subject", gettext_lazy("Subject")),
        Column("account", gettext_lazy("Account")),
        Column("meter", gettext_lazy("Meter")),
        Column("at", gettext_lazy("Used")),
        Column("value", gettext_lazy("Value"), value=value_of),
        Column("kind", gettext_lazy("Kind"), value="get_kind_display"),
        Column("corrects", gettext_lazy("Corrects")),
        Column("recorded_at", gettext_lazy("Waits since")),
    )
    filters = (
        Filter("meter", gettext_lazy("Meter"), "meter", kind="word"),
        Filter("source", gettext_lazy("Source"), "source", kind="word"),
        Filter("from", gettext_lazy("Waits from"), selectors.recorded_from, kind="day"),
        Filter("until", gettext_lazy("Waits until"), selectors.recorded_until, kind="day"),
    )
    search = ("subject", "source", "key")
    search_hint = gettext_lazy("Subject, source or id…")
    state_field = "reason"
    states = Waiting.choices
    default_sort = "recorded_at"
    csv_name = "usage-pending"
    empty = gettext_lazy("Nothing waits. Every event that was taken is counted.")
    template_name = "subscriptions/usage/pending.html"
    partial_name = "subscriptions/usage/_pending.html"

    def get_rows(self) -> QuerySet[UsagePending]:
        return selectors.pending()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        mends = self.request.user.has_perm(MENDS)
        forms_ = [
            ReasonForm(auto_id=f"row-{row.source.pk}-%s") if mends else None
            for row in context["rows"]
        ]
        return context | {
            "mends": mends,
            "dressed": list(zip(context["rows"], forms_, strict=True)),
            **places("usage-pending"),
        }


@door(SEES)
@require_POST
def release(request: HtmxRequest) -> HttpResponse:
    """Count what can be counted now, without waiting for the clock."""
    n = services.release_waiting(machine_now=clock.now())
    if n:
        said = ngettext("%(n)s event is counted now.", "%(n)s events are counted now.", n)
        messages.success(request, said % {"n": number_text(n)})
    else:
        messages.info(request, _("Nothing of what waits can be counted yet."))
    return back(request, usual="subscriptions:usage-pending")


@door(MENDS)
@require_POST
def dismiss(request: HtmxRequest, pk: int) -> HttpResponse:
    """One event will count never."""
    gone = services.dismiss_pending(
        pending_id=pk, reason=request.POST.get("reason", ""), user_id=me(request), at=clock.now()
    )
    messages.success(request, _("%(id)s is dismissed and will not count.") % {"id": gone.key})
    return back(request, usual="subscriptions:usage-pending")
