"""How the API shows coupons, minimums and what documents were adjusted by."""

from rest_framework import serializers

from billing.models.adjustments import AdjustmentKind
from billing.models.coupons import CouponKind, Every
from billing.models.minimums import Counted
from o2b.api.fields import Amount, Link, Plain, State
from o2b.api.links import AccountLink
from o2b.catalog.models.products import Lifecycle

MONTHS = [(each.value, each.label) for each in Every]


class AdjustmentOutput(serializers.Serializer):
    """A discount of a charge's period, below zero; or what a minimum asks for, of no charge."""

    position = serializers.IntegerField()
    kind = State(name="AdjustmentKind", choices=AdjustmentKind.choices)
    source = serializers.IntegerField(  # type: ignore[assignment]
        source="source_id", help_text="The grant of the coupon, or the minimum."
    )
    charge = serializers.IntegerField(source="charge_id", allow_null=True)
    text = serializers.CharField()
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="First day outside.")
    revision = serializers.IntegerField()
    amount = Amount(currency="invoice.currency")
    tax_code = serializers.CharField()
    tax_rate = Plain(help_text="In percent.")
    tax = Amount(currency="invoice.currency")


class AdjustmentStepOutput(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]
    arithmetic = serializers.CharField()
    result = serializers.CharField()


class AdjustmentExplainedOutput(serializers.Serializer):
    """Computed again; `equal` is null where it cannot be, and `reason` says why."""

    position = serializers.IntegerField()
    equal = serializers.BooleanField(allow_null=True)
    reason = serializers.CharField()
    steps = AdjustmentStepOutput(many=True)
    target = serializers.CharField(allow_null=True, help_text="What is given in all.")
    given_before = serializers.CharField(allow_null=True)
    amount = serializers.CharField(allow_null=True, help_text="Target less given before.")
    billed = serializers.CharField(help_text="The amount on the invoice.")
    tax = serializers.CharField()
    tax_billed = serializers.CharField()
    tax_steps = AdjustmentStepOutput(many=True)


class CouponOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-coupon-detail")
    code = serializers.CharField()
    name = serializers.CharField()
    state = State(name="CouponState", choices=Lifecycle.choices)
    kind = State(name="CouponKind", choices=CouponKind.choices)
    value = Plain(help_text="Percent, or an amount in the currency.")
    currency = serializers.CharField(help_text="Of an amount.")
    months = serializers.IntegerField(help_text="A period of it: 1, 3 or 12 months.")
    periods = serializers.IntegerField(
        allow_null=True, help_text="For how many periods from the day of the grant; null: for ever."
    )
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True, help_text="First day outside.")
    products = serializers.SerializerMethodField(help_text="Codes; none: everything.")
    retired_on = serializers.DateField(allow_null=True)

    def get_products(self, coupon: object) -> list[str]:
        return [each.product.code for each in coupon.products.all()]  # type: ignore[attr-defined]


class CouponGrantOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-coupon-grant-detail")
    number = serializers.CharField(source="__str__")
    account = AccountLink()
    coupon = serializers.CharField(source="coupon.code")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="First day outside.")
    reason = serializers.CharField()
    granted_by = serializers.CharField(source="granted_by.username", default=None, allow_null=True)
    granted_at = serializers.DateTimeField()
    end_reason = serializers.CharField()
    ended_by = serializers.CharField(source="ended_by.username", default=None, allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class MinimumSpendOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-minimum-spend-detail")
    number = serializers.CharField(source="__str__")
    account = AccountLink()
    text = serializers.CharField()
    minimum = Amount()
    currency = serializers.CharField()
    months = serializers.IntegerField(help_text="A period of it: 1, 3 or 12 months.")
    counted = State(name="MinimumSpendCounted", choices=Counted.choices)
    prorated = serializers.BooleanField()
    tax_code = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="First day outside.")
    reason = serializers.CharField()
    made_by = serializers.CharField(source="made_by.username", default=None, allow_null=True)
    made_at = serializers.DateTimeField()
    end_reason = serializers.CharField()
    ended_by = serializers.CharField(source="ended_by.username", default=None, allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
