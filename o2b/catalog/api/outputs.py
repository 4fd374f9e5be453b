"""What the catalog is asked by REST, and how it answers."""

from rest_framework import serializers

from o2b.api.charges import ChargeOutput, DiscountOutput, MeasuredOutput
from o2b.api.fields import Asked, Exact, Link, Plain, State
from o2b.catalog.models.products import Lifecycle
from o2b.charging import Aggregation


class VersionOutput(serializers.Serializer):
    number = serializers.IntegerField()
    state = State(name="LifecycleState", choices=Lifecycle.choices)
    published_at = serializers.DateTimeField(allow_null=True)
    retired_on = serializers.DateField(allow_null=True)


class ProductVersionOutput(VersionOutput):
    characteristics = serializers.ListField(child=serializers.DictField())


class ProductHeadOutput(serializers.Serializer):
    url = Link("api-product-detail", key="code")
    code = serializers.CharField()
    name = serializers.CharField()
    family = serializers.CharField()
    unit = serializers.CharField()
    quantity_places = serializers.IntegerField(help_text="Decimals that a quantity may have.")


class ProductOutput(ProductHeadOutput):
    versions = ProductVersionOutput(many=True)


class PriceOutput(ChargeOutput):
    product = serializers.CharField(source="product.code")
    from_version = serializers.IntegerField()
    to_version = serializers.IntegerField(allow_null=True)
    tiers = serializers.ListField(child=serializers.DictField())
    details = serializers.DictField(help_text="What only some charges have; empty for most.")
    match = serializers.DictField(help_text="The characteristics that it is for; empty: any.")
    discount_limit = Plain(allow_null=True)


class BookVersionOutput(VersionOutput):
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    policy = serializers.CharField(help_text="What it does to subscriptions that run already.")
    policy_on = serializers.DateField(allow_null=True)
    notice_days = serializers.IntegerField()
    prices = PriceOutput(many=True)


class BookHeadOutput(serializers.Serializer):
    url = Link("api-price-book-detail", key="code")
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    segment = serializers.CharField()
    is_default = serializers.BooleanField()
    account = serializers.CharField(
        source="account.reference", allow_null=True, help_text="Whose own book it is, if anybody's."
    )


class BookOutput(BookHeadOutput):
    versions = BookVersionOutput(many=True)


class DimensionOutput(serializers.Serializer):
    name = serializers.CharField()
    required = serializers.BooleanField(help_text="Whether every event says it.")  # type: ignore[assignment]
    choices = serializers.ListField(
        child=serializers.CharField(), help_text="What it may say; empty: any text."
    )
    digits = serializers.IntegerField(
        default=0, help_text="Of a called number the digits that totals keep; 0: it is none."
    )


class MeterVersionOutput(VersionOutput):
    starts_on = serializers.DateField(help_text="The first day whose events it judges.")
    decimals = serializers.IntegerField()
    least = Plain(help_text="The lowest value of an event.")
    most = Plain(help_text="The highest value of an event.")
    dimensions = DimensionOutput(many=True)
    timed = serializers.BooleanField(help_text="Whether prices hang on the time of the day.")


class MeterHeadOutput(serializers.Serializer):
    url = Link("api-meter-detail", key="code")
    code = serializers.CharField()
    name = serializers.CharField()
    unit = serializers.CharField()
    aggregation = serializers.ChoiceField(
        choices=[each.value for each in Aggregation],
        help_text="How the events of a period become its quantity.",
    )


class MeterOutput(MeterHeadOutput):
    versions = MeterVersionOutput(many=True)


class DeckVersionOutput(VersionOutput):
    starts_on = serializers.DateField(help_text="The first day whose calls it rates.")
    rates = serializers.IntegerField(help_text="How many prefixes it has.")


class RateDeckHeadOutput(serializers.Serializer):
    url = Link("api-rate-deck-detail", key="code")
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    per_seconds = serializers.IntegerField(help_text="For so many seconds is a rate.")


class RateDeckOutput(RateDeckHeadOutput):
    versions = DeckVersionOutput(many=True)


class DeckRateOutput(serializers.Serializer):
    prefix = serializers.CharField()
    destination = serializers.CharField()
    rate = Plain()
    connect_fee = Plain()
    first_seconds = serializers.IntegerField(help_text="The first increment.")
    next_seconds = serializers.IntegerField(help_text="Each further one.")


class NumberRateOutput(serializers.Serializer):
    number = serializers.CharField(help_text="Its digits.")
    version = serializers.IntegerField()
    rate = DeckRateOutput()


class PriceAsked(Asked):
    account = serializers.CharField(max_length=40)
    quantity = Exact(required=False, default=1)
    on = serializers.DateField(required=False)
    characteristics = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=500), required=False
    )


class ReasonOutput(serializers.Serializer):
    source = serializers.CharField()  # type: ignore[assignment]
    won = serializers.BooleanField()
    reason = serializers.CharField()


class ResolvedChargeOutput(MeasuredOutput):
    key = serializers.CharField()
    kind = serializers.CharField()
    model = serializers.CharField()
    unit_price = Plain()
    list_price = Plain(help_text="Of the whole quantity, for one full period, before discounts.")
    discounts = DiscountOutput(many=True)


class ResolvedOutput(serializers.Serializer):
    product = serializers.CharField()
    version = serializers.IntegerField()
    quantity = serializers.CharField()
    currency = serializers.CharField()
    charges = ResolvedChargeOutput(many=True)
    why = ReasonOutput(many=True)


class StepOutput(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]
    arithmetic = serializers.CharField()
    result = Plain()


class CandidateChargeOutput(ResolvedChargeOutput):
    price = Plain(help_text="Of the whole quantity, for one full period, with discounts.")
    steps = StepOutput(many=True)


class CandidateOutput(serializers.Serializer):
    kind = serializers.CharField(help_text="contract or book")
    level = serializers.CharField(
        help_text="contract, account (its own book), segment or default: the order of precedence"
    )
    source = serializers.CharField()  # type: ignore[assignment]
    state = serializers.CharField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    won = serializers.BooleanField()
    code = serializers.CharField(help_text="Why it won or lost, for programs.")
    reason = serializers.CharField()
    charges = CandidateChargeOutput(many=True)


class ExplainedOutput(serializers.Serializer):
    product = serializers.CharField()
    version = serializers.IntegerField()
    quantity = serializers.CharField()
    currency = serializers.CharField()
    on = serializers.DateField()
    winner = serializers.CharField(allow_null=True, help_text="The source that won, if any did.")
    candidates = CandidateOutput(many=True)
