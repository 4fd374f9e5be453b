"""Events that were refused: why, and as they were sent; taken again, or settled."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from o2b import clock
from o2b.web.columns import Chip
from o2b.web.filters import Filter
from o2b.web.http import HtmxRequest, door
from o2b.web.show import number_text
from o2b.web.tables import Column, ListPage
from subscriptions.usage import selectors, services
from subscriptions.usage.views.doorstep import MENDS, SEES, back, me, places
from subscriptions.usage.words import SAID

LONGEST_ROW = 18  # digits that always fit into a bigint


def _codes(request: HttpRequest) -> list[tuple[str, str]]:
    return [(code, code.replace("_", " ")) for code in sorted(SAID)]


class RejectedList(ListPage):
    """Refused events; those that are open unless another chip is chosen."""

    permission = SEES
    title = gettext_lazy("Usage that was refused")
    intro = gettext_lazy(
        "It does not count, and its id is free for a better event. One that came well since is "
        "settled."
    )
    columns = (
        Column("recorded_at", gettext_lazy("Refused"), kind="moment", sort="recorded_at"),
        Column("code", gettext_lazy("Code"), sort="code"),
        Column("source", gettext_lazy("Source"), sort="source"),
    )
    csv_columns = (
        Column("source", gettext_lazy("Source")),
        Column("key", gettext_lazy("Id")),
        Column("code", gettext_lazy("Code")),
        Column("field", gettext_lazy("Field")),
        Column("message", gettext_lazy("Reason")),
        Column("recorded_at", gettext_lazy("Refused")),
        Column("settled_at", gettext_lazy("Settled")),
        Column("came_well", gettext_lazy("Came well since"), value=lambda row: int(row.came_well)),
        Column("told", gettext_lazy("As it was sent")),
    )
    filters = (
        Filter("code", gettext_lazy("Code"), "code", _codes),
        Filter("field", gettext_lazy("Field"), "field__icontains", kind="word"),
        Filter("source", gettext_lazy("Source"), "source", kind="word"),
        Filter("from", gettext_lazy("Refused from"), selectors.recorded_from, kind="day"),
        Filter("until", gettext_lazy("Refused until"), selectors.recorded_until, kind="day"),
    )
    search = ("source", "key", "told")
    search_hint = gettext_lazy("Source, id, or words of the event…")
    states = (
        ("settled", gettext_lazy("Settled")),
        ("dismissed", gettext_lazy("Dismissed")),
        ("all", gettext_lazy("All")),
    )
    default_sort = "-recorded_at"
    csv_name = "usage-rejected"
    per_page = 25
    empty = gettext_lazy("Nothing refused is open.")
    template_name = "subscriptions/usage/rejected.html"
    partial_name = "subscriptions/usage/_rejected.html"

    def get_rows(self) -> QuerySet[Any]:
        rows = selectors.rejected()
        return rows if self.state else selectors.by_standing(rows, "open")

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        return selectors.by_standing(rows, state)

    def _chips(self) -> Iterator[Chip]:
        yield Chip(_("Open"), self.href(state=None), not self.state)
        for key, label in self.states:
            yield Chip(label, self.href(state=key), key == self.state)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        query = self.request.GET.copy()
        query.pop("page", None)
        return context | {
            "mends": self.request.user.has_perm(MENDS),
            "asked_query": query.urlencode(),
            "at_once": min(context["total"], services.MOST_AT_ONCE),
            "here": self.href(page=self.request.GET.get("page")),
            **places("usage-rejected"),
        }


@door(MENDS)
@require_POST
def retry(request: HtmxRequest) -> HttpResponse:
    """Take again what was sent: one row, or all that the list's address shows."""
    made = services.retry_rejected(row_ids=_rows(request), user_id=me(request), at=clock.now())
    told = []
    if made.taken:
        n = ngettext("%(n)s event counts now.", "%(n)s events count now.", made.taken)
        told.append(n % {"n": number_text(made.taken)})
    if made.pending:
        n = ngettext("%(n)s waits now.", "%(n)s wait now.", made.pending)
        told.append(n % {"n": number_text(made.pending)})
    if made.refused:
        n = ngettext("%(n)s is refused still.", "%(n)s are refused still.", made.refused)
        told.append(n % {"n": number_text(made.refused)})
    say = messages.success if made.taken + made.pending else messages.warning
    say(request, " ".join(told) or _("Nothing of this is open any more."))
    return back(request, usual="subscriptions:usage-rejected")


@door(MENDS)
@require_POST
def settle(request: HtmxRequest) -> HttpResponse:
    """Nothing is to be done about one row, or about all that the list's address shows."""
    n = services.settle_rejected(row_ids=_rows(request), user_id=me(request), at=clock.now())
    said = ngettext("%(n)s refused event is settled.", "%(n)s refused events are settled.", n)
    messages.success(request, said % {"n": number_text(n)})
    return back(request, usual="subscriptions:usage-rejected")


def _rows(request: HtmxRequest) -> list[int]:
    """The row that the form names; without one the oldest thousand open ones of the list."""
    row = request.POST.get("row", "")
    if row:
        fits = row.isascii() and row.isdigit() and len(row) <= LONGEST_ROW
        return [int(row)] if fits else []
    page = RejectedList()
    page.setup(request)
    rows = selectors.by_standing(page.get_queryset(), "open").order_by("pk")
    return list(rows.values_list("pk", flat=True)[: services.MOST_AT_ONCE])
