"""REST of test clocks: open one, put new accounts under it, let days pass."""

from typing import Any

from django.db.models import QuerySet
from django.urls import include, path
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from o2b import clock
from o2b.api.fields import Asked, KeyOrReference, Link, State
from o2b.api.idempotency import once
from o2b.api.links import AccountLink
from o2b.api.problems import Malformed
from o2b.api.views import Noun
from o2b.clocks import selectors, services
from o2b.clocks.models import ClockStep
from o2b.clocks.rules import MOST_DAYS
from o2b.clocks.shown import traces_of
from o2b.customers.references import account_named
from o2b.models import TestClock

MOST_ACCOUNTS = 200
VIEW, RUN = "o2b.view_testclock", "o2b.run_testclocks"


class ClockStepOutput(serializers.Serializer):
    """How far the clock has come on its way; `error` says why a day could not be ended."""

    state = State(name="ClockStepState", choices=ClockStep.State.choices)
    begun_at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    lived_until = serializers.DateTimeField(allow_null=True)
    days = serializers.IntegerField()
    days_done = serializers.IntegerField()
    reactions = serializers.IntegerField()
    error = serializers.CharField()


class TestClockOutput(serializers.Serializer):
    """A clock as the list has it."""

    __test__ = False

    id = serializers.IntegerField()
    url = Link("api-testclock-detail")
    name = serializers.CharField()
    now = serializers.DateTimeField()
    account_count = serializers.IntegerField()
    is_moving = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class TestClockDetail(TestClockOutput):
    """A clock with its last step and the first accounts under it."""

    step = serializers.SerializerMethodField()
    accounts = serializers.SerializerMethodField()

    @extend_schema_field(ClockStepOutput(allow_null=True))
    def get_step(self, row: Any) -> Any:
        step = selectors.last_step(row.pk)
        return ClockStepOutput(step).data if step else None

    @extend_schema_field(AccountLink(many=True))
    def get_accounts(self, row: Any) -> Any:
        return AccountLink(selectors.accounts_of(row.pk)[:MOST_ACCOUNTS], many=True).data


class TestClockAsked(Asked):
    """What it is called, and the moment that it begins at (UTC, if it names no zone)."""

    __test__ = False

    name = serializers.CharField(max_length=80)
    now = serializers.DateTimeField()


class AdvanceAsked(Asked):
    """How far: exactly one of the three. A day is 24 hours, a month is one of the calendar."""

    to = serializers.DateTimeField(required=False)
    days = serializers.IntegerField(min_value=1, max_value=MOST_DAYS, required=False)
    months = serializers.IntegerField(min_value=1, max_value=36, required=False)


class PutUnderAsked(Asked):
    """Which account, and its reference once more: no real one comes here by accident."""

    account = KeyOrReference()
    confirm = serializers.CharField(max_length=40, help_text="The reference of the account.")


class TakeOffAsked(Asked):
    account = KeyOrReference()


class TestClockFilter(filters.FilterSet):
    __test__ = False

    name = filters.CharFilter()

    class Meta:
        model = TestClock
        fields = ("name",)


class TestClockViewSet(Noun):
    """Moments that accounts live in, for tests."""

    __test__ = False

    queryset = TestClock.objects.all()
    filterset_class = TestClockFilter
    doors = dict.fromkeys(("list", "retrieve"), VIEW) | dict.fromkeys(
        ("create", "advance", "go_on", "stop", "accounts", "take_off"), RUN
    )

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.clocks_for_list()

    def get_serializer_class(self) -> type[serializers.Serializer]:
        return TestClockOutput if self.action == "list" else TestClockDetail

    @extend_schema(request=TestClockAsked, responses={201: TestClockDetail})
    @once
    def create(self, request: Request) -> Response:
        """Open a test clock."""
        asked = self.asked(TestClockAsked)
        opened = services.open_clock(actor_id=self.user_id, **asked)
        return self.created(opened.pk)

    @extend_schema(request=AdvanceAsked, responses={202: TestClockDetail})
    @action(detail=True, methods=["post"])
    @once
    def advance(self, request: Request, pk: str) -> Response:
        """Let days pass: workers live them one by one; ask again for `step` until it is done."""
        asked = self.asked(AdvanceAsked)
        if len(asked) != 1:
            raise Malformed(_("Say exactly one of to, days and months."))
        services.ask_step(clock_id=self.key(), actor_id=self.user_id, **asked)
        return self._moving()

    @extend_schema(request=None, responses={202: TestClockDetail})
    @action(detail=True, methods=["post"], url_path="go-on")
    @once
    def go_on(self, request: Request, pk: str) -> Response:
        """Try the day again that failed, and live those that are left."""
        services.resume_step(clock_id=self.key(), actor_id=self.user_id)
        return self._moving()

    @extend_schema(request=None, responses=TestClockDetail)
    @action(detail=True, methods=["post"])
    @once
    def stop(self, request: Request, pk: str) -> Response:
        """Go no further than the day that is being lived."""
        services.stop_step(clock_id=self.key(), actor_id=self.user_id)
        return self.shown(self.key())

    @extend_schema(request=PutUnderAsked, responses=TestClockDetail)
    @action(detail=True, methods=["post"])
    @once
    def accounts(self, request: Request, pk: str) -> Response:
        """Put an account under the clock with which nothing has happened yet."""
        asked = self.asked(PutUnderAsked)
        services.put_under(
            clock_id=self.key(),
            account_id=account_named(asked["account"]).pk,
            confirm=asked["confirm"],
            traces_of=traces_of,
            at=clock.now(),
            actor_id=self.user_id,
        )
        return self.shown(self.key())

    @extend_schema(request=TakeOffAsked, responses=TestClockDetail)
    @action(detail=True, methods=["post"], url_path="take-off")
    @once
    def take_off(self, request: Request, pk: str) -> Response:
        """Give an account back to real time, if nothing happened to it under the clock."""
        services.take_off(
            clock_id=self.key(),
            account_id=account_named(self.asked(TakeOffAsked)["account"]).pk,
            traces_of=traces_of,
            at=clock.now(),
            actor_id=self.user_id,
        )
        return self.shown(self.key())

    def _moving(self) -> Response:
        response = self.shown(self.key())
        response.status_code = status.HTTP_202_ACCEPTED
        return response


router = SimpleRouter(trailing_slash=False)
router.register("test-clocks", TestClockViewSet, basename="api-testclock")
urlpatterns = [path("", include(router.urls))]
