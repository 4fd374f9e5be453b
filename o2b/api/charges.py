"""How a charge is shown: in a price book, in a contract's price, in frozen Terms."""

from rest_framework import serializers

from o2b.api.fields import Plain


class DiscountOutput(serializers.Serializer):
    kind = serializers.CharField()
    value = serializers.CharField()


class MeasuredOutput(serializers.Serializer):
    """What the usage of a charge is measured by."""

    meter = serializers.CharField(help_text="The meter's code; empty if it is no usage.")
    where = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The values of each dimension that count; empty: all usage of the meter.",
    )
    deck = serializers.CharField(help_text="The rate deck of calls; empty where none rates them.")
    number = serializers.CharField(help_text="The dimension that says which number was called.")


class ChargeOutput(MeasuredOutput):
    """One charge; what a client may not choose is said in words, not in codes of its own."""

    key = serializers.CharField()
    kind = serializers.CharField()
    model = serializers.CharField()
    unit_price = Plain()
    interval_unit = serializers.CharField()
    interval_count = serializers.IntegerField()
    timing = serializers.CharField()
    alignment = serializers.CharField()
    proration = serializers.CharField()
    tax_code = serializers.CharField()


class TermsChargeOutput(ChargeOutput):
    discounts = DiscountOutput(many=True)


class TermsOutput(serializers.Serializer):
    """What a line was promised, frozen; the digest is the same wherever the promise is the same."""

    digest = serializers.CharField()
    currency = serializers.CharField()
    start_rule = serializers.CharField()
    charges = TermsChargeOutput(many=True)
