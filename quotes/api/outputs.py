"""How the API shows quotes."""

from rest_framework import serializers

from o2b.api.charges import TermsOutput
from o2b.api.fields import Amount, Link, Plain, State
from o2b.api.links import AccountLink
from quotes.models import Quote, QuoteLine


class QuoteHeadOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-quote-detail")
    number = serializers.CharField()
    kind = State(name="QuoteKind", choices=Quote.Kind.choices)
    account = AccountLink()
    title = serializers.CharField()
    state = State(name="QuoteState", choices=Quote.State.choices)
    revision = serializers.IntegerField()
    currency = serializers.CharField()
    valid_until = serializers.DateField()
    start_on = serializers.DateField(allow_null=True)
    owner = serializers.CharField(source="owner.username")
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    accepted_by = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    monthly_total = Amount(help_text="Recurring a month, from the moment it is sent.")
    one_time_total = Amount()


class WhyOutput(serializers.Serializer):
    """One price that might have won."""

    source = serializers.CharField()  # type: ignore[assignment]
    won = serializers.BooleanField()
    reason = serializers.CharField()


class QuoteLineOutput(serializers.Serializer):
    id = serializers.IntegerField()
    position = serializers.IntegerField()
    action = State(
        name="QuoteLineAction",
        choices=QuoteLine.Action.choices,
        help_text="What it does; all but add say what a service is afterwards.",
    )
    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    quantity = Plain()
    characteristics = serializers.DictField()
    discount_percent = Plain()
    start_rule = serializers.CharField(help_text="As it was asked for; the Terms say what holds.")
    terms = TermsOutput(allow_null=True)
    why = WhyOutput(many=True)


class QuoteOutput(QuoteHeadOutput):
    lines = QuoteLineOutput(many=True)
