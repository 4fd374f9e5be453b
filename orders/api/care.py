"""REST of complaints: read them, open one about a line, take, hand over, resolve, open again."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Asked, Key, Link, State
from o2b.api.idempotency import once
from o2b.api.links import AccountLink
from o2b.api.views import Noun
from o2b.customers.references import UnknownReference
from o2b.people.models import User
from orders.care import selectors, services
from orders.care.services import LONGEST_NAME, LONGEST_TEXT
from orders.models import Complaint, OrderLine

VIEW, HEAR = "orders.view_order", "orders.hear_complaints"


class ComplaintAsked(Asked):
    """What somebody complains about; the account's advocate owns it first."""

    line = Key()
    text = serializers.CharField(
        max_length=LONGEST_TEXT, help_text="The customer reads it on the page of the order."
    )
    name = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_NAME
    )
    about = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=80,
        help_text="What else it names: the number of an invoice, for example.",
    )


class HandOverAsked(Asked):
    to = serializers.CharField(max_length=150, help_text="A user name.")


class ResolutionAsked(Asked):
    resolution = serializers.CharField(max_length=LONGEST_TEXT)


class ReopenAsked(Asked):
    reason = serializers.CharField(max_length=LONGEST_TEXT)


class ComplaintOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-complaint-detail")
    order = serializers.IntegerField(source="order_id")
    line = serializers.IntegerField(source="line_id")
    account = AccountLink()
    source = State(  # type: ignore[assignment]
        name="ComplaintSource", choices=Complaint.Source.choices
    )
    about = serializers.CharField()
    name = serializers.CharField()
    text = serializers.CharField()
    owner = serializers.CharField(source="owner.username")
    state = State(name="ComplaintState", choices=Complaint.State.choices)
    is_overdue = serializers.BooleanField()
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    resolution = serializers.CharField()
    resolved_at = serializers.DateTimeField(allow_null=True)


class ComplaintFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=Complaint.State.choices)
    order = filters.NumberFilter(field_name="order_id")
    line = filters.NumberFilter(field_name="line_id")
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    owner = filters.CharFilter(field_name="owner__username")
    overdue = filters.BooleanFilter(field_name="is_overdue")

    class Meta:
        model = Complaint
        fields = ("state", "order", "line", "account_id")


class ComplaintViewSet(Noun):
    """What is not as it was promised, says the customer."""

    queryset = Complaint.objects.all()
    serializer_class = ComplaintOutput
    filterset_class = ComplaintFilter
    doors = dict.fromkeys(("list", "retrieve", "create"), VIEW) | dict.fromkeys(
        ("take", "hand_over", "resolve", "reopen"), HEAR
    )

    def get_queryset(self) -> QuerySet[Any]:
        return selectors.complaints(machine_now=clock.now())

    @extend_schema(request=ComplaintAsked, responses={201: ComplaintOutput})
    @once
    def create(self, request: Request) -> Response:
        """Take down a complaint about a line of an order."""
        asked = self.asked(ComplaintAsked)
        line_id = asked.pop("line")
        try:
            account = selectors.line_of(line_id).order.account
        except OrderLine.DoesNotExist as exc:
            message = _("There is no order line %(line)s.") % {"line": line_id}
            raise UnknownReference(message, field="line") from exc
        source = Complaint.Source.INVOICE if asked["about"] else Complaint.Source.STAFF
        complaint = services.open_complaint(
            line_id=line_id, at=clock.now(account), source=source, actor_id=self.user_id, **asked
        )
        return self.created(complaint.pk)

    @extend_schema(request=None, responses=ComplaintOutput)
    @action(detail=True, methods=["post"])
    @once
    def take(self, request: Request, pk: str) -> Response:
        """Take it in hand: it is yours."""
        services.take_complaint(complaint_id=self.key(), at=self.now(), actor_id=self.user_id)
        return self.shown(self.key())

    @extend_schema(request=HandOverAsked, responses=ComplaintOutput)
    @action(detail=True, methods=["post"], url_path="hand-over")
    @once
    def hand_over(self, request: Request, pk: str) -> Response:
        """Let somebody else own it."""
        to = self.asked(HandOverAsked)["to"]
        user = User.objects.filter(username=to).first()
        services.hand_over_complaint(
            complaint_id=self.key(),
            to_id=user.pk if user else 0,
            at=self.now(),
            actor_id=self.user_id,
        )
        return self.shown(self.key())

    @extend_schema(request=ResolutionAsked, responses=ComplaintOutput)
    @action(detail=True, methods=["post"])
    @once
    def resolve(self, request: Request, pk: str) -> Response:
        """It is settled, and how; the customer reads that on the page of the order."""
        services.resolve_complaint(
            complaint_id=self.key(),
            at=self.now(),
            actor_id=self.user_id,
            **self.asked(ResolutionAsked),
        )
        return self.shown(self.key())

    @extend_schema(request=ReopenAsked, responses=ComplaintOutput)
    @action(detail=True, methods=["post"])
    @once
    def reopen(self, request: Request, pk: str) -> Response:
        """It was not settled after all: its clock runs anew."""
        services.reopen_complaint(
            complaint_id=self.key(), at=self.now(), actor_id=self.user_id, **self.asked(ReopenAsked)
        )
        return self.shown(self.key())
