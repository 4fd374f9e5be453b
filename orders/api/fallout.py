"""REST of fallout: what fell out with what helps, its remedies; outside systems."""

from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Asked, Key, Link, State
from o2b.api.idempotency import once
from o2b.api.views import Noun, Verbs
from orders.api.inputs import ReasonAsked
from orders.api.outputs import TaskDetailOutput, TaskOutput
from orders.fallout import selectors, services
from orders.fallout.advice import advise
from orders.models import FailureClass, OutsideSystem, Task
from orders.work.services import ask_skip

READ = dict.fromkeys(("list", "retrieve"), "orders.view_order")
MOST = 1000


class FalloutOutput(TaskOutput):
    """A task in fallout: what was asked and answered, and what helps as a rule."""

    url = Link("api-fallout-detail")
    parameters = serializers.JSONField()
    request = serializers.JSONField(allow_null=True)
    response = serializers.JSONField(allow_null=True)
    fell_at = serializers.DateTimeField()
    cause = serializers.CharField(help_text="Equal for all that fell out for the same reason.")
    remedy = serializers.SerializerMethodField()
    advice = serializers.SerializerMethodField()
    mended_by = serializers.SerializerMethodField(help_text="The queue whose people mend it.")

    def get_remedy(self, task: Any) -> str:
        return self._advice(task).remedy

    def get_advice(self, task: Any) -> str:
        return self._advice(task).text

    def get_mended_by(self, task: Any) -> str | None:
        queue = self._advice(task).queue or task.queue
        return queue.code if queue else None

    def _advice(self, task: Any) -> Any:
        """By the rules as they stand now, read once a list."""
        if not hasattr(self, "_rules"):
            self._rules = {rule.pk: rule for rule in selectors.rules_in_force()}
        return advise(task.failure_class, self._rules.get(task.rule_id or 0))


class Parameters(serializers.DictField):
    """Named values of any kind that JSON has; decimals are kept as strings."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        return {name: _kept(value) for name, value in super().to_internal_value(data).items()}


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _kept(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_kept(inner) for inner in value]
    return str(value) if isinstance(value, Decimal) else value


class EditAsked(Asked):
    """All parameters as they are to be; those of before that are left out are dropped."""

    parameters = Parameters()


class RetryAsked(Asked):
    tasks = serializers.ListField(child=Key(), min_length=1, max_length=MOST)


class RetriedOutput(serializers.Serializer):
    retried = serializers.IntegerField()


class FalloutFilter(filters.FilterSet):
    failure_class = filters.MultipleChoiceFilter(choices=FailureClass.choices)
    system = filters.CharFilter()
    handler = filters.CharFilter()
    order = filters.NumberFilter(field_name="order_id")
    account = filters.CharFilter(field_name="account__reference")
    product = filters.CharFilter(field_name="line__product_version__product__code")
    cause = filters.CharFilter()

    class Meta:
        model = Task
        fields = ("system", "handler", "order")


class FalloutViewSet(Noun):
    """Tasks in fallout and the ways out of it; cancel and retry are verbs of lines and tasks."""

    queryset = Task.objects.all()
    filterset_class = FalloutFilter
    serializer_class = FalloutOutput
    doors = READ | dict.fromkeys(("edit", "take", "skip", "retry_all"), "orders.work_tasks")

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.fallen_tasks(selectors.rules_in_force()).select_related(
            "queue", "claimed_by"
        )

    @extend_schema(request=EditAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def edit(self, request: Request, pk: str) -> Response:
        """Try it again with other parameters; Terms stay as they are."""
        asked = self.asked(EditAsked)
        services.edit_and_retry(task_id=self.key(), user_id=self.user_id, at=self.now(), **asked)
        return self._told()

    @extend_schema(request=None, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def take(self, request: Request, pk: str) -> Response:
        """Take it to complete it by hand."""
        services.take_by_hand(task_id=self.key(), user_id=self.user_id, at=self.now())
        return self._told()

    @extend_schema(request=ReasonAsked, responses=TaskDetailOutput)
    @action(detail=True, methods=["post"])
    @once
    def skip(self, request: Request, pk: str) -> Response:
        """Ask a second person whether it may be left out."""
        reason = self.asked(ReasonAsked)["reason"]
        ask_skip(task_id=self.key(), user_id=self.user_id, at=self.now(), reason=reason)
        return self._told()

    @extend_schema(request=RetryAsked, responses=RetriedOutput)
    @action(detail=False, methods=["post"], url_path="retry")
    @once
    def retry_all(self, request: Request) -> Response:
        """Another try for all of these that are still in fallout."""
        tried = services.retry_together(
            task_ids=self.asked(RetryAsked)["tasks"], user_id=self.user_id, at_of=clock.now
        )
        return Response({"retried": tried})

    def _told(self) -> Response:
        """The task as it stands now, in fallout or not."""
        tasks = Task.objects.select_related("queue", "claimed_by", "line__account__legal_entity")
        return Response(TaskDetailOutput(tasks.get(pk=self.key())).data)


class SystemOutput(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    state = State(name="SystemState", choices=OutsideSystem.State.choices)
    waiting = serializers.IntegerField(help_text="Tasks that wait for it, or ask it now.")
    failures = serializers.IntegerField(source="row.failures", default=0)
    opened_at = serializers.DateTimeField(source="row.opened_at", default=None, allow_null=True)
    retry_at = serializers.DateTimeField(source="row.retry_at", default=None, allow_null=True)
    by_hand = serializers.BooleanField(source="row.by_hand", default=False)
    last_error = serializers.CharField(source="row.last_error", default="")


class SystemViewSet(Verbs):
    """Outside systems and their circuits."""

    queryset = OutsideSystem.objects.all()
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]{1,60}"
    doors = {"list": "orders.view_order"} | dict.fromkeys(("open", "close"), "orders.manage_work")

    @extend_schema(responses=SystemOutput(many=True))
    def list(self, request: Request) -> Response:
        """All of them; those that are not asked come first."""
        return Response(SystemOutput(selectors.systems(), many=True).data)

    @extend_schema(request=ReasonAsked, responses=SystemOutput)
    @action(detail=True, methods=["post"])
    @once
    def open(self, request: Request, code: str) -> Response:
        """Ask it no more, and say why, until somebody closes the circuit."""
        reason = self.asked(ReasonAsked)["reason"]
        services.open_system(code=code, reason=reason, user_id=self.user_id, at=clock.now())
        return self._one(code)

    @extend_schema(request=None, responses=SystemOutput)
    @action(detail=True, methods=["post"])
    @once
    def close(self, request: Request, code: str) -> Response:
        """Ask it again."""
        services.close_system(code=code, user_id=self.user_id, at=clock.now())
        return self._one(code)

    def _one(self, code: str) -> Response:
        found = next(one for one in selectors.systems() if one.code == code)
        return Response(SystemOutput(found).data)
