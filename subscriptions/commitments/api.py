"""REST of commitments: how long the services of a subscription are agreed; agree another term."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from o2b.api.fields import Asked, Exact, Key, Link, Plain
from o2b.api.idempotency import once
from o2b.api.views import Verbs
from orders.models import Order
from subscriptions.changes.permission import may_change
from subscriptions.changes.refusals import ItemUnknown
from subscriptions.commitments import selectors, services
from subscriptions.models import Item, LeavingFee, Renewal, Subscription

VIEW = "subscriptions.view_subscription"


class CommitmentAsked(Asked):
    """A term of one service, and what comes when it ends."""

    item = Key(help_text="A service of this subscription.")
    months = serializers.IntegerField(max_value=10**6, min_value=-(10**6))
    renewal = serializers.ChoiceField(choices=Renewal.choices, default=Renewal.SAME)
    uplift_percent = Exact(default=0, help_text="For a renewal with an uplift.")
    notice_days = serializers.IntegerField(default=0, max_value=10**6, min_value=-(10**6))
    leaving_fee = serializers.ChoiceField(choices=LeavingFee.choices, default=LeavingFee.NONE)
    leaving_value = Exact(default=0, help_text="Percent, or an amount.")
    starts_on = serializers.DateField(default=None, allow_null=True, help_text="Null: today.")


class CommitmentOutput(serializers.Serializer):
    """One agreed term; of each item the one with the highest number holds."""

    item = serializers.IntegerField(source="item_id")
    number = serializers.IntegerField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="First day after it.")
    months = serializers.IntegerField(allow_null=True)
    renewal = serializers.ChoiceField(choices=Renewal.choices)
    uplift_percent = Plain()
    notice_days = serializers.IntegerField()
    leaving_fee = serializers.ChoiceField(choices=LeavingFee.choices)
    leaving_value = Plain()
    order = serializers.IntegerField(source="order_line.order_id")
    order_url = Link("api-order-detail", key="order_line.order_id")


class CommitmentsOutput(serializers.Serializer):
    commitments = CommitmentOutput(many=True)


class CommitmentViewSet(Verbs):
    """How long services are agreed."""

    queryset: QuerySet[Subscription] = Subscription.objects.all()
    # Whoever may order a change may agree a term: there is more than one such permission.
    doors: ClassVar[dict[str, str]] = dict.fromkeys(("all_of", "agree"), VIEW)
    pagination_class = None
    filter_backends = ()

    @extend_schema(responses=CommitmentsOutput, operation_id="subscriptions_commitments_retrieve")
    def all_of(self, request: Request, pk: str) -> Response:
        """Every term of the subscription's services, the newest of each first."""
        return self._told(self.queryset.get(pk=self.key()))

    @extend_schema(request=CommitmentAsked, responses={201: CommitmentsOutput})
    @once
    def agree(self, request: Request, pk: str) -> Response:
        """Agree a term of one service, by a change order; a running one can be made longer."""
        if not may_change(request.user):
            raise PermissionDenied
        found = self.queryset.select_related("account__test_clock").get(pk=self.key())
        asked = self.asked(CommitmentAsked)
        item = asked.pop("item")
        if not Item.objects.filter(pk=item, subscription=found).exists():
            message = _("%(subscription)s has no service %(item)s.")
            raise ItemUnknown(message % {"subscription": found, "item": item}, field="item")
        services.commit(
            account_id=found.account_id,
            wishes=[services.Commit(item_id=item, **asked)],
            at=self.now(),
            actor_id=self.user_id,
            channel=Order.Channel.REST,
        )
        return self._told(found, status=status.HTTP_201_CREATED)

    def _told(self, found: Subscription, **given: Any) -> Response:
        rows = selectors.commitments_of(subscription_id=found.pk)
        return Response(CommitmentsOutput({"commitments": rows}).data, **given)
