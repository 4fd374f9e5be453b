"""Tasks as a list: filters that are links, search, sort, pages, CSV, and steps for many at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from o2b import clock
from o2b.web.addresses import address_of
from o2b.web.columns import Chip
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Column, ListPage
from orders.models import Jeopardy, Priority, Task, WaitsFor
from orders.queues import is_administrator
from orders.work import services
from orders.work.selectors import lists
from orders.work.selectors.filters import Narrowed
from orders.work.views.common import MANAGES, WORKS, me

TONES = {Jeopardy.AMBER: "warn", Jeopardy.RED: "bad", Jeopardy.GREEN: "good"}
STATE_WORDS = {
    "ready": gettext_lazy("ready"),
    "claimed": gettext_lazy("claimed"),
    "waiting": gettext_lazy("waiting"),
    "fallout": gettext_lazy("fallout"),
    "blocked": gettext_lazy("not yet"),
}
AGE_WORDS = {
    "1": gettext_lazy("over a day"),
    "3": gettext_lazy("over 3 days"),
    "7": gettext_lazy("over a week"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """Filters of one kind, as links."""

    title: Any
    chips: Sequence[Chip]


PRIORITIES = dict(Priority.choices)


def _link(task: Task) -> str:
    return address_of("orders:task", task.pk)


def _this_product(task: Task) -> str:
    return f"?product={quote(task.line.product_version.product.code)}"


def _this_customer(task: Task) -> str:
    return f"?customer={task.account.customer_id}"


class WorkList(ListPage):
    """Every open task of one's queues; for who manages work, of all queues."""

    permission = WORKS
    title = gettext_lazy("Work")
    columns = (
        Column(
            "name",
            gettext_lazy("Task"),
            sort="name",
            link=_link,
            note="line.product_version",
            note_link=_this_product,
        ),
        Column(
            "order",
            gettext_lazy("Order"),
            sort="order",
            note="account.customer.name",
            note_link=_this_customer,
            link=lambda task: address_of("orders:detail", task.order_id),
        ),
        Column("queue", gettext_lazy("Queue"), sort="queue__name"),
        Column(
            "state",
            gettext_lazy("State"),
            kind="badge",
            sort="state",
            note=lambda task: task.waits_for and WaitsFor(task.waits_for).label,
        ),
        Column(
            "jeopardy",
            gettext_lazy("On time"),
            kind="badge",
            sort="red_at",
            label=lambda task: Jeopardy(task.jeopardy).label,
            tone=lambda task: TONES[task.jeopardy],
        ),
        Column("claimed_by", gettext_lazy("Who"), sort="claimed_by__username"),
        Column(
            "priority",
            gettext_lazy("Priority"),
            sort="priority",
            value=lambda task: str(PRIORITIES.get(task.priority, task.priority)),
        ),
        Column("ready_at", gettext_lazy("Ready since"), kind="moment", sort="ready_at"),
    )
    search = ("name", "account__customer__name", "order__pk")
    search_hint = gettext_lazy("Task, customer or order…")
    csv_name = "work"
    empty = gettext_lazy("No open work here. Well done.")
    template_name = "orders/work.html"
    partial_name = "orders/_work_list.html"

    @cached_property
    def narrowed_to(self) -> Narrowed:
        return Narrowed.of(self.request.GET)

    def get_rows(self) -> QuerySet[Task]:
        rows = lists.open_tasks(self.request.user, self.narrowed_to, machine_now=clock.now())  # type: ignore[arg-type]
        return rows.order_by("-priority", "pk")

    def get_page(self) -> Any:
        found = lists.CappedPaginator(self.object_list, self.per_page)
        return found.get_page(self.request.GET.get("page"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        user, queues = self.request.user, self.queues
        manages = user.has_perm(MANAGES)
        people = lists.members_of_all(lists.queues_seen_by(user)) if manages else []  # type: ignore[arg-type]
        return context | {
            "groups": list(self._groups()),
            "more": context["page_obj"].paginator.more,
            "manages": manages,
            "people": people,
            "priorities": Priority.choices,
            "queues": queues,
            "clear_href": self._clear(),
            "board_href": f"{reverse('orders:board')}?{self._kept_query()}",
            "narrowed": self._narrowed(),
            **kwargs,
        }

    @cached_property
    def queues(self) -> list[Any]:
        return list(lists.queues_seen_by(self.request.user))  # type: ignore[arg-type]

    def _clear(self) -> str:
        return self.request.path if self.words or self.narrowed_to.any else ""

    def _kept_query(self) -> str:
        query = self.request.GET.copy()
        for name in ("page", "format", "sort", "q", "state"):
            query.pop(name, None)
        return query.urlencode()

    def _groups(self) -> Iterator[Group]:
        if len(self.queues) > 1:
            names = [(one.code, one.name) for one in self.queues]
            yield self._group("queue", _("Queue"), names)
        yield self._group("state", _("State"), list(STATE_WORDS.items()))
        whose = [("mine", _("mine")), ("nobody", _("nobody's"))]
        yield self._group("who", _("Whose"), whose)
        late = [
            (Jeopardy.AMBER.value, Jeopardy.AMBER.label),
            (Jeopardy.RED.value, Jeopardy.RED.label),
        ]
        yield self._group("jeopardy", _("On time"), late)
        yield self._group("age", _("Ready since"), list(AGE_WORDS.items()))
        yield self._group("waits", _("Waits for"), WaitsFor.choices)

    def _group(self, name: str, title: str, choices: Sequence[tuple[str, Any]]) -> Group:
        now = getattr(self.narrowed_to, name)
        every = Chip(_("all"), self.href(**{name: None}), not now)
        return Group(
            title,
            [every, *(Chip(t, self.href(**{name: key}), key == now) for key, t in choices)],
        )

    def _narrowed(self) -> list[Chip]:
        """What a link in a row has narrowed the list to, each with the way out."""
        return [
            Chip(value, self.href(**{name: None}), True)
            for name, value in (
                ("product", self.narrowed_to.product),
                ("customer", self._customer()),
            )
            if value
        ]

    def _customer(self) -> str:
        if not self.narrowed_to.customer:
            return ""
        first = next(iter(self.object_list[:1]), None)
        return str(first.account.customer) if first else _("customer")


@door(WORKS)
@require_POST
def many(request: HtmxRequest) -> HttpResponse:
    """One step for the tasks that are ticked, and what became of each."""
    verb = request.POST.get("verb", "")
    said = _said(request, verb)
    keys = [int(key) for key in request.POST.getlist("task") if _is_key(key)]
    machine_now = clock.now()
    results = services.work_on_many(
        verb=verb,
        task_ids=keys,
        user_id=me(request),
        at_of=lambda task: task.account.test_now or machine_now,
        **said,
    )
    done = sum(not result.problem for result in results)
    context = {"results": results, "done": done, "next": _next(request)}
    return render(request, "orders/work_done.html", context)


def _next(request: HtmxRequest) -> str:
    asked = request.POST.get("next", "")
    ours = reverse("orders:work")
    return asked if asked.startswith(f"{ours}?") else ours


def _said(request: HtmxRequest, verb: str) -> dict[str, Any]:
    """The further arguments of a verb; what is unknown or not allowed is refused."""
    manages = request.user.has_perm(MANAGES) or is_administrator(me(request))
    if verb in ("assign", "prioritise") and not manages:
        raise PermissionDenied(MANAGES)
    match verb:
        case "claim":
            return {}
        case "hand-back":
            return {"manages": manages, "note": request.POST.get("note", "")}
        case "assign":
            return {"to_id": _number(request.POST.get("to", ""))}
        case "prioritise":
            return {"priority": _number(request.POST.get("priority", ""))}
    raise services.NothingToDo(_("Please choose what is to be done."), field="verb")


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _number(text: str) -> int:
    clean = text.removeprefix("-")
    return int(text) if _is_key(clean) else 99
