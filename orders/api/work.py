"""REST of the order team's work: lines that are held and cancelled, tasks that are done by hand."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b.api.idempotency import once
from o2b.api.views import Noun
from orders import services
from orders.api.inputs import (
    AssignAsked,
    CommentAsked,
    EvidenceAsked,
    PartAsked,
    ReasonAsked,
    TickAsked,
)
from orders.api.outputs import (
    OrderLineDetailOutput,
    OrderLineOutput,
    TaskDetailOutput,
    TaskOutput,
)
from orders.models import Evidence, Jeopardy, OrderLine, Task
from orders.work.selectors.one import person_called
from orders.work.services import assign, comment

READ = dict.fromkeys(("list", "retrieve"), "orders.view_order")


class OrderLineFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=OrderLine.State.choices)
    order = filters.NumberFilter(field_name="order_id")
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    product = filters.CharFilter(field_name="product_version__product__code")
    delivered_after = filters.DateFilter(field_name="delivered_on", lookup_expr="gte")
    delivered_before = filters.DateFilter(field_name="delivered_on", lookup_expr="lt")

    class Meta:
        model = OrderLine
        fields = ("state", "order", "account_id")


class OrderLineViewSet(Noun):
    """Every line, from acceptance to service."""

    queryset = OrderLine.objects.all()
    filterset_class = OrderLineFilter
    doors = READ | dict.fromkeys(("hold", "resume", "cancel"), "orders.work_tasks")

    def get_queryset(self) -> QuerySet[OrderLine]:
        lines = OrderLine.objects.select_related("account", "product_version__product", "terms")
        return lines if self.action == "list" else lines.prefetch_related("terms__charges")

    def get_serializer_class(self) -> Any:
        return OrderLineOutput if self.action == "list" else OrderLineDetailOutput

    @extend_schema(request=ReasonAsked, responses=OrderLineDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def hold(self, request: Request, pk: str) -> Response:
        """Let the line stand still, by us, and say why."""
        services.hold_line(
            line_id=self.key(),
            at=self.now(),
            reason=self.asked(ReasonAsked)["reason"],
            user_id=self.user_id,
        )
        return self.shown(self.key())

    @extend_schema(request=None, responses=OrderLineDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def resume(self, request: Request, pk: str) -> Response:
        """Let a line that was held go on where it stood."""
        services.resume_line(line_id=self.key(), at=self.now(), user_id=self.user_id)
        return self.shown(self.key())

    @extend_schema(request=ReasonAsked, responses=OrderLineDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def cancel(self, request: Request, pk: str) -> Response:
        """Give the line up before it is delivered, and say why."""
        services.cancel_line(
            line_id=self.key(),
            at=self.now(),
            reason=self.asked(ReasonAsked)["reason"],
            user_id=self.user_id,
        )
        return self.shown(self.key())


class TaskFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=Task.State.choices)
    kind = filters.ChoiceFilter(choices=Task.Kind.choices)
    queue = filters.CharFilter(field_name="queue__code")
    order = filters.NumberFilter(field_name="order_id")
    line = filters.NumberFilter(field_name="line_id")
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    claimed_by = filters.CharFilter(field_name="claimed_by__username")
    jeopardy = filters.MultipleChoiceFilter(choices=Jeopardy.choices)
    priority = filters.NumberFilter()
    system = filters.CharFilter()
    waits_for = filters.CharFilter()

    class Meta:
        model = Task
        fields = ("state", "kind", "order", "line", "account_id")


class TaskViewSet(Noun):
    """The steps of every plan."""

    queryset = Task.objects.all()
    filterset_class = TaskFilter
    doors = READ | dict.fromkeys(
        ("claim", "release", "complete", "fail", "retry", "part", "tick", "comment"),
        "orders.work_tasks",
    )
    doors["assign"] = "orders.manage_work"

    def get_queryset(self) -> QuerySet[Task]:
        tasks = Task.objects.select_related("queue", "claimed_by")
        if self.action == "list":
            return tasks
        evidence = Evidence.objects.select_related("product_version__product", "by")
        return tasks.prefetch_related(Prefetch("evidence", evidence), "costs")

    def get_serializer_class(self) -> Any:
        return TaskOutput if self.action == "list" else TaskDetailOutput

    @extend_schema(request=None, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def claim(self, request: Request, pk: str) -> Response:
        """Take the task: nobody else will do it."""
        services.claim_task(task_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=None, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def release(self, request: Request, pk: str) -> Response:
        """Put the task back into its queue."""
        services.release_task(task_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=EvidenceAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def complete(self, request: Request, pk: str) -> Response:
        """Done: with the evidence that the task wants. Another version than promised is refused."""
        services.complete_task(
            task_id=self.key(),
            user_id=self.user_id,
            at=self.now(),
            **self.asked(EvidenceAsked),
        )
        return self.shown(self.key())

    @extend_schema(request=PartAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def part(self, request: Request, pk: str) -> Response:
        """A part is delivered; the last one completes the task."""
        services.record_part(
            task_id=self.key(), user_id=self.user_id, at=self.now(), **self.asked(PartAsked)
        )
        return self.shown(self.key())

    @extend_schema(request=TickAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def tick(self, request: Request, pk: str) -> Response:
        """Tick off one item of the checklist, or take the tick back."""
        services.tick_item(
            task_id=self.key(), user_id=self.user_id, at=self.now(), **self.asked(TickAsked)
        )
        return self.shown(self.key())

    @extend_schema(request=AssignAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def assign(self, request: Request, pk: str) -> Response:
        """Give the task to a member of its queue, whoever had it before."""
        to_id = person_called(self.asked(AssignAsked)["to"])
        assign(task_id=self.key(), to_id=to_id, user_id=self.user_id, at=self.now())
        return self.shown(self.key())

    @extend_schema(request=CommentAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def comment(self, request: Request, pk: str) -> Response:
        """Write something beside the task."""
        order_id = Task.objects.values_list("order_id", flat=True).get(pk=self.key())
        comment(
            order_id=order_id,
            task_id=self.key(),
            author_id=self.user_id,
            at=self.now(),
            **self.asked(CommentAsked),
        )
        return self.shown(self.key())

    @extend_schema(request=ReasonAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def fail(self, request: Request, pk: str) -> Response:
        """It cannot be done, and why."""
        services.fail_task(
            task_id=self.key(),
            user_id=self.user_id,
            at=self.now(),
            reason=self.asked(ReasonAsked)["reason"],
        )
        return self.shown(self.key())

    @extend_schema(request=None, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def retry(self, request: Request, pk: str) -> Response:
        """Try a failed task again."""
        services.retry_task(task_id=self.key(), user_id=self.user_id, at=self.now())
        return self.shown(self.key())
