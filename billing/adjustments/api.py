"""REST of coupons and minimums: read them, grant and end a coupon, set and end a minimum."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.adjustments import api_outputs as outputs
from billing.adjustments.selectors import listing
from billing.adjustments.services import granting, minimums
from billing.adjustments.services.refusals import LONGEST_REASON
from billing.models import Coupon, CouponGrant, MinimumSpend
from billing.models.coupons import CouponKind
from billing.models.minimums import Counted
from o2b import clock
from o2b.api.fields import Asked, Exact, KeyOrReference
from o2b.api.idempotency import once
from o2b.api.views import Noun
from o2b.catalog.models.products import Lifecycle
from o2b.customers.references import account_named

VIEW, GRANT, COMMIT = "billing.view_invoice", "billing.grant_coupon", "billing.set_minimum"


class CouponFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=Lifecycle.choices)
    kind = filters.MultipleChoiceFilter(choices=CouponKind.choices)

    class Meta:
        model = Coupon
        fields = ("state", "kind")


class CouponViewSet(Noun):
    """Coupons, to read: they are written and published on pages."""

    queryset = Coupon.objects.all()
    filterset_class = CouponFilter
    serializer_class = outputs.CouponOutput
    doors = dict.fromkeys(("list", "retrieve"), VIEW)

    def get_queryset(self) -> QuerySet[Any]:
        return listing.coupons_with_products()


class CouponGrantAsked(Asked):
    """A coupon for an account."""

    account = KeyOrReference()
    coupon = serializers.SlugField(max_length=40)
    reason = serializers.CharField(max_length=LONGEST_REASON)
    starts_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Today, if it is not told."
    )


class Ended(Asked):
    """From when on it gives nothing, and why."""

    on = serializers.DateField(help_text="First day outside.")
    reason = serializers.CharField(max_length=LONGEST_REASON)


class OfAccountFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()


class CouponGrantFilter(OfAccountFilter):
    coupon = filters.CharFilter(field_name="coupon__code")

    class Meta:
        model = CouponGrant
        fields = ("account_id",)


class CouponGrantViewSet(Noun):
    """Coupons that accounts have."""

    queryset = CouponGrant.objects.all()
    filterset_class = CouponGrantFilter
    serializer_class = outputs.CouponGrantOutput
    doors = dict.fromkeys(("list", "retrieve"), VIEW) | dict.fromkeys(("create", "end"), GRANT)

    def get_queryset(self) -> QuerySet[Any]:
        return listing.grants_for_list()

    @extend_schema(request=CouponGrantAsked, responses={201: outputs.CouponGrantOutput})
    @once
    def create(self, request: Request) -> Response:
        """Grant a published coupon: periods that begin from the day on are reduced."""
        asked = self.asked(CouponGrantAsked)
        account = account_named(asked.pop("account"))
        coupon_id = listing.coupon_named(asked.pop("coupon"))
        made = granting.grant_coupon(
            account_id=account.pk,
            coupon_id=coupon_id,
            by=self.user_id,
            at=clock.now(account),
            **asked,
        )
        return self.created(made.pk)

    @extend_schema(request=Ended, responses=outputs.CouponGrantOutput)
    @action(detail=True, methods=["post"])
    @once
    def end(self, request: Request, pk: str) -> Response:
        """End it from a day on; what it has given stays."""
        asked = self.asked(Ended)
        granting.end_grant(grant_id=self.key(), by=self.user_id, at=self.now(), **asked)
        return self.shown(self.key())


class MinimumSpendAsked(Asked):
    """At least so much for each period, in the account's currency."""

    account = KeyOrReference()
    text = serializers.CharField(max_length=120)
    minimum = Exact()
    months = serializers.ChoiceField(choices=outputs.MONTHS)
    starts_on = serializers.DateField()
    counted = serializers.ChoiceField(choices=Counted.choices, default=Counted.CALENDAR)
    prorated = serializers.BooleanField(default=True)
    tax_code = serializers.CharField(max_length=50, required=False, allow_blank=True, default="")
    reason = serializers.CharField(max_length=LONGEST_REASON)


class MinimumSpendFilter(OfAccountFilter):
    class Meta:
        model = MinimumSpend
        fields = ("account_id",)


class MinimumSpendViewSet(Noun):
    """What accounts are billed at least."""

    queryset = MinimumSpend.objects.all()
    filterset_class = MinimumSpendFilter
    serializer_class = outputs.MinimumSpendOutput
    doors = dict.fromkeys(("list", "retrieve"), VIEW) | dict.fromkeys(("create", "end"), COMMIT)

    def get_queryset(self) -> QuerySet[Any]:
        return listing.minimums_for_list()

    @extend_schema(request=MinimumSpendAsked, responses={201: outputs.MinimumSpendOutput})
    @once
    def create(self, request: Request) -> Response:
        """Set a minimum; a period of it that is over is looked at by the next run."""
        asked = self.asked(MinimumSpendAsked)
        account = account_named(asked.pop("account"))
        made = minimums.set_minimum(
            account_id=account.pk, by=self.user_id, at=clock.now(account), **asked
        )
        return self.created(made.pk)

    @extend_schema(request=Ended, responses=outputs.MinimumSpendOutput)
    @action(detail=True, methods=["post"])
    @once
    def end(self, request: Request, pk: str) -> Response:
        """End it from a day on; what was billed for days after is credited by the next run."""
        asked = self.asked(Ended)
        minimums.end_minimum(minimum_id=self.key(), by=self.user_id, at=self.now(), **asked)
        return self.shown(self.key())
