"""The fallout desk: what fell out, grouped by cause, with what was asked and what helps."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.errors import Refused
from o2b.web.columns import Chip
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Column, ListPage
from orders.fallout import selectors, services
from orders.fallout.doorstep import MANAGES, SEARCH, SEES, WORKS, back, me, now_of_task
from orders.fallout.forms import ParametersForm
from orders.fallout.shown import FallenTask, show_lines, show_task
from orders.models import FailureClass, Queue, Task

AGE_WORDS = {"hour": _("over an hour"), "day": _("over a day"), "week": _("over a week")}
MOST_CHIPS = 12


class FalloutDesk(ListPage):
    """Every task in fallout; ?queue=, ?class=, ?system=, ?product=, ?customer=, ?age=, ?cause=."""

    permission = SEES
    title = _("Fallout")
    template_name = "orders/fallout.html"
    partial_name = "orders/_fallout.html"
    columns = (
        Column("order", _("Order"), value=lambda task: task.order.number, sort="order_id"),
        Column("task", _("Task"), value="name", sort="name"),
        Column("product", _("Product"), value="line.product_version"),
        Column("customer", _("Customer"), value="order.account.customer.name"),
        Column("advocate", _("Advocate"), value="order.account.advocate"),
        Column("handler", _("Handler")),
        Column("system", _("System")),
        Column("class", _("Class of failure"), value="get_failure_class_display"),
        Column("failure", _("Failure")),
        Column("attempts", _("Attempts"), kind="number"),
        Column("fell_at", _("Since"), kind="moment", sort="fell_at"),
    )
    search = SEARCH
    search_hint = _("Words of the failure, order, customer…")
    csv_name = "fallout"
    per_page = 25
    empty = _("Nothing has fallen out. Every line is on its way.")

    @cached_property
    def rules(self) -> list[Any]:
        return selectors.rules_in_force()

    @cached_property
    def queues(self) -> dict[str, Queue]:
        return {queue.code: queue for queue in Queue.objects.all()}

    def said(self, name: str) -> str:
        return selectors.said(self.request.GET, name)

    def get_rows(self) -> QuerySet[Any]:
        return selectors.narrowed(
            self.request.GET, self.rules, user_id=me(self.request), machine_now=clock.now()
        )

    def get_csv_columns(self) -> list[Column]:
        """With what helps, as the rules of the house say it."""
        by_key = {rule.pk: rule for rule in self.rules}

        def helps(task: Any) -> str:
            return show_task(task, by_key).advice.label

        return [*self.columns, Column("advice", _("What helps"), value=helps)]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        by_key = {rule.pk: rule for rule in self.rules}
        page = context["page_obj"]
        lines = Paginator(selectors.standing_lines(), self.per_page)
        standing = lines.get_page(self.request.GET.get("lines"))
        user = self.request.user
        narrowed = {name: said for name in selectors.NARROWS if (said := self.said(name))}
        nothing = dict.fromkeys([*narrowed, "q"])
        return context | {
            "tasks": self._shown(page.object_list, by_key),
            "standing": show_lines(list(standing.object_list)),
            "standing_page": standing,
            "causes": list(self._causes()) if page.object_list else [],
            # What a form that concerns all of these carries along, to concern no more than these.
            "carried": {k: v for k, v in {**narrowed, "q": self.words}.items() if k != "cause"},
            "here": self.href(page=self.request.GET.get("page")),
            "facets": list(self._facets()),
            "narrowed": bool(narrowed),
            "clear_href": self.href(**nothing) if narrowed or self.words else "",
            "works": user.has_perm(WORKS),
            "manages": user.has_perm(MANAGES),
        }

    def _causes(self) -> Iterator[tuple[Any, str]]:
        """Reasons, each with the address of what fell out for it."""
        for cause in selectors.causes(self.get_queryset()):
            yield cause, self.href(cause=cause.key, lines=None)

    def _shown(self, tasks: Any, by_key: dict[int, Any]) -> list[FallenTask]:
        ids = [task.pk for task in tasks]
        tried = {t.pk: t.last_tries for t in selectors.with_tries(Task.objects.filter(pk__in=ids))}
        for task in tasks:
            task.last_tries = tried.get(task.pk, [])
        return [show_task(task, by_key) for task in tasks]

    def _facets(self) -> Iterator[tuple[Any, list[Chip]]]:
        """Filters as links, each with what there is of it."""
        every = selectors.fallen_tasks(self.rules).order_by()
        yield _("Queue"), list(self._queue_chips())
        words = dict(FailureClass.choices)
        yield _("Class"), self._chips_of("class", every, "failure_class", words)
        yield _("System"), self._chips_of("system", every, "system", {})
        product = "line__product_version__product__code"
        yield _("Product"), self._chips_of("product", every, product, {})
        yield (
            _("Since"),
            [self._chip("age", key, str(label)) for key, label in AGE_WORDS.items()],
        )

    def _chips_of(
        self, name: str, rows: QuerySet[Any], field: str, words: dict[str, Any]
    ) -> list[Chip]:
        counted = rows.exclude(**{field: ""}).values_list(field).annotate(n=Count("pk"))
        found = counted.order_by("-n", field)[:MOST_CHIPS]
        return [self._chip(name, key, f"{words.get(key, key)} {n}") for key, n in found]

    def _queue_chips(self) -> Iterator[Chip]:
        yield self._chip("queue", selectors.MINE, str(_("my queues")))
        of_rules = {rule.queue_id for rule in self.rules if rule.queue_id}
        for code, queue in sorted(self.queues.items()):
            if queue.pk in of_rules or code == self.said("queue"):
                yield self._chip("queue", code, queue.name)

    def _chip(self, name: str, key: str, title: str) -> Chip:
        """A link that filters; the current one takes its filter back."""
        current = self.said(name) == key
        return Chip(title, self.href(**{name: None if current else key, "lines": None}), current)


@door(SEES)
@require_GET
def mend(request: HtmxRequest, pk: int) -> HttpResponse:
    """One task in fallout with all that is known of it, and every remedy."""
    task = selectors.get_fallen(pk)
    return _mending(request, task, ParametersForm(task.parameters))


def _mending(
    request: HttpRequest, task: Any, form: ParametersForm, *, status: int = 200
) -> HttpResponse:
    by_key = {rule.pk: rule for rule in selectors.rules_in_force()}
    context = {
        "fallen": show_task(task, by_key),
        "form": form,
        "edits": selectors.edits_of(task.pk),
        "works": request.user.has_perm(WORKS),
    }
    return render(request, "orders/fallout_task.html", context, status=status)


@door(WORKS)
@require_POST
def edit(request: HtmxRequest, pk: int) -> HttpResponse:
    """Other parameters, and another try; what the handler refuses is said above them."""
    task = Task.objects.get(pk=pk)
    form = ParametersForm(task.parameters, request.POST)
    try:
        if form.is_valid():
            said = form.parameters()
            services.edit_and_retry(
                task_id=pk, parameters=said, user_id=me(request), at=now_of_task(pk)
            )
            messages.success(request, _("%(task)s is tried again.") % {"task": task.name})
            return back(request)
    except Refused as refusal:
        if refusal.field != "parameters":
            raise
        form.add_error(None, refusal.message)
    return _mending(request, selectors.get_fallen(pk), form, status=422)
