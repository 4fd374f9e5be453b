"""REST of commitments: how long services are agreed; agree, co-term, renew, say what comes then."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Asked, Exact, Key, Link, Plain
from o2b.api.idempotency import once
from o2b.api.views import Verbs
from orders.models import Order
from subscriptions.changes.permission import require_change
from subscriptions.changes.refusals import ItemUnknown
from subscriptions.commitments import selectors, services
from subscriptions.models import Item, LeavingFee, Renewal, Subscription

VIEW = "subscriptions.view_subscription"
MOST_ITEMS = 500  # in one order


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


class RenewalAsked(Asked):
    """What comes when the term of one service ends."""

    item = Key(help_text="A service of this subscription.")
    renewal = serializers.ChoiceField(
        choices=Renewal.choices, help_text="`end`: it is not renewed; that wants its notice."
    )
    uplift_percent = Exact(default=0, help_text="For a renewal with an uplift.")
    months = serializers.IntegerField(
        default=None,
        allow_null=True,
        max_value=10**6,
        min_value=-(10**6),
        help_text="How long a renewal is; null: as before.",
    )
    waive_notice = serializers.BooleanField(
        default=False, help_text="Without the notice; for who approves work."
    )


class CoTermAsked(Asked):
    """One end for the terms of several services."""

    items = serializers.ListField(
        child=Key(),
        max_length=MOST_ITEMS,
        help_text="Services of the account; one of them at least of this subscription.",
    )
    to = serializers.DateField(help_text="The first day after the terms; none ends earlier by it.")


class RenewAsked(Asked):
    """Services whose next term begins as agreed, without waiting for the day."""

    items = serializers.ListField(
        child=Key(), max_length=MOST_ITEMS, help_text="Services of this subscription."
    )


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
    doors: ClassVar[dict[str, str]] = dict.fromkeys(
        ("all_of", "agree", "change_renewal", "co_term", "renew"), VIEW
    )
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
        found = self._to_change(request)
        asked = self.asked(CommitmentAsked)
        item = asked.pop("item")
        self._require(found, [item], field="item")
        wish = services.Commit(item_id=item, **asked)
        services.commit(wishes=[wish], **self._by(found))
        return self._told(found, status=status.HTTP_201_CREATED)

    @extend_schema(request=RenewalAsked, responses={201: CommitmentsOutput})
    @once
    def change_renewal(self, request: Request, pk: str) -> Response:
        """Say what comes when the running term of one service ends, by a change order."""
        found = self._to_change(request)
        asked = self.asked(RenewalAsked)
        item = asked.pop("item")
        self._require(found, [item], field="item")
        services.change_renewal(item_ids=[item], **asked, **self._by(found))
        return self._told(found, status=status.HTTP_201_CREATED)

    @extend_schema(request=CoTermAsked, responses={201: CommitmentsOutput})
    @once
    def co_term(self, request: Request, pk: str) -> Response:
        """Let the terms of several services of the account end on one day; answers the new ones."""
        found = self._to_change(request)
        asked = self.asked(CoTermAsked)
        here = Item.objects.filter(subscription=found, pk__in=asked["items"])
        self._require(found, asked["items"] if not here.exists() else [], field="items")
        new = services.co_term(item_ids=asked["items"], to=asked["to"], **self._by(found))
        data = CommitmentsOutput({"commitments": new}).data
        return Response(data, status=status.HTTP_201_CREATED)

    @extend_schema(request=RenewAsked, responses={201: CommitmentsOutput})
    @once
    def renew(self, request: Request, pk: str) -> Response:
        """Agree the next term now, at the price of the day on which it begins."""
        found = self._to_change(request)
        asked = self.asked(RenewAsked)
        self._require(found, asked["items"], field="items")
        services.renew_by_hand(item_ids=asked["items"], **self._by(found))
        return self._told(found, status=status.HTTP_201_CREATED)

    def _to_change(self, request: Request) -> Subscription:
        """The subscription, for who may order a change."""
        require_change(request.user)
        return self.queryset.select_related("account__test_clock").get(pk=self.key())

    def _require(self, found: Subscription, items: Sequence[int], *, field: str) -> None:
        """Refuse a service of another subscription."""
        own = Item.objects.filter(pk__in=items, subscription=found).values_list("pk", flat=True)
        if missing := set(items) - set(own):
            message = _("%(subscription)s has no service %(item)s.")
            told = {"subscription": found, "item": min(missing)}
            raise ItemUnknown(message % told, field=field)

    def _by(self, found: Subscription) -> dict[str, Any]:
        """Who asks it of whom, and when."""
        return {
            "account_id": found.account_id,
            "at": clock.now(found.account),
            "actor_id": self.user_id,
            "channel": Order.Channel.REST,
        }

    def _told(self, found: Subscription, **given: Any) -> Response:
        rows = selectors.commitments_of(subscription_id=found.pk)
        return Response(CommitmentsOutput({"commitments": rows}).data, **given)
