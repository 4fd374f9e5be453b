"""Pages of notices: what one was told, and how one likes to hear of things."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.people.models import Notice, Topic
from o2b.people.notices import selectors, services
from o2b.web.http import door, own_path
from o2b.web.tables import Column, ListPage

UNREAD = "unread"


class NoticeList(ListPage):
    """What one was told, newest first; by topic, or only what is unread."""

    title = gettext_lazy("News for me")
    columns = (
        Column("title", gettext_lazy("What happened"), note="text"),
        Column("topic", gettext_lazy("Topic"), value="get_topic_display", sort="topic"),
        Column("at", gettext_lazy("When"), kind="moment", sort="at"),
    )
    search = ("title", "text")
    search_hint = gettext_lazy("Words in the news…")
    states = ((UNREAD, gettext_lazy("Unread")), *Topic.choices)
    empty = gettext_lazy("Nothing yet. What concerns your customers and your work arrives here.")
    template_name = "people/notices.html"
    partial_name = "people/_notices.html"

    def get_rows(self) -> QuerySet[Notice]:
        return selectors.notices_of(self.request.user.pk or 0)

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        return rows.filter(read_at=None) if state == UNREAD else rows.filter(topic=state)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        newest = self.get_rows().values_list("pk", flat=True).first()
        return super().get_context_data(newest=newest, **kwargs)


@door()
@require_GET
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a notice leads; who goes there has read it."""
    notice = services.read_notice(notice_id=pk, user_id=request.user.pk or 0, at=clock.now())
    return redirect(own_path(notice.url) or "people:notices")


@door()
@require_POST
def read_notice(request: HttpRequest, pk: int) -> HttpResponse:
    services.read_notice(notice_id=pk, user_id=request.user.pk or 0, at=clock.now())
    return redirect(_back(request))


@door()
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Everything that the page showed or could have shown; not what came since."""
    said = request.POST.get("up_to", "")
    up_to = int(said) if said.isascii() and said.isdigit() and len(said) < 19 else 0
    n = services.read_all(user_id=request.user.pk or 0, at=clock.now(), up_to=up_to)
    text = ngettext("%(n)s notice marked as read.", "%(n)s notices marked as read.", n)
    messages.success(request, text % {"n": n})
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    return own_path(request.POST.get("next", "")) or "people:notices"


@door()
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """Topic by topic: in the app, by mail, both, or not at all."""
    user_id = request.user.pk or 0
    if request.method == "POST":
        ticked = set(request.POST.getlist("on"))
        ways = {t: (f"{t}:app" in ticked, f"{t}:mail" in ticked) for t in Topic.values}
        services.prefer(user_id=user_id, ways=ways)
        messages.success(request, _("That is how you will hear of things."))
        return redirect("people:notice-preferences")
    context = {"ways": selectors.ways_of(user_id)}
    return render(request, "people/notice_preferences.html", context)
