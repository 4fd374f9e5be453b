"""How a charge is shown: in a price book, in a contract's price, in frozen Terms."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from o2b.api.fields import Plain
from o2b.asks import GrantWords, ask
from o2b.charging import Grant, Kind
from o2b.periods import Unit


class DiscountOutput(serializers.Serializer):
    kind = serializers.CharField()
    value = serializers.CharField()


class LengthOutput(serializers.Serializer):
    unit = serializers.ChoiceField(choices=[each.value for each in Unit])
    count = serializers.IntegerField()


class GrantOutput(serializers.Serializer):
    """What a charge brings into a pool or the wallet, in full and in words."""

    units = Plain(help_text="Units of the pool; without a meter money, in the charge's currency.")
    meter = serializers.CharField(help_text="The code of the meter whose pool it is.")
    lasts = LengthOutput(allow_null=True, help_text="How long; null: for its period, or for ever.")
    rollover = Plain(allow_null=True, help_text="The most that goes on unused.")
    rollover_periods = serializers.IntegerField(help_text="For how many times as long again.")
    priority = serializers.IntegerField(help_text="The lowest is drawn first.")
    prorated = serializers.BooleanField(help_text="Whether a part of a period brings its share.")
    per_unit = serializers.BooleanField(help_text="Whether each unit of the line brings as many.")
    text = serializers.CharField(help_text="The same in words.")


class MeasuredOutput(serializers.Serializer):
    """What the usage of a charge is measured by, and what it brings into a pool or the wallet."""

    meter = serializers.CharField(help_text="The meter's code; empty if it is no usage.")
    where = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The values of each dimension that count; empty: all usage of the meter.",
    )
    deck = serializers.CharField(help_text="The rate deck of calls; empty where none rates them.")
    number = serializers.CharField(help_text="The dimension that says which number was called.")
    grant = serializers.SerializerMethodField(help_text="Null of most charges.")

    @extend_schema_field(GrantOutput(allow_null=True))
    def get_grant(self, charge: Any) -> dict[str, Any] | None:
        """Of a stored charge, or of one told as names with values."""
        told = charge if isinstance(charge, dict) else {"grant": charge.grant, "kind": charge.kind}
        grant: Grant | None = told["grant"]
        if grant is None:
            return None
        text = self._words().say(grant, told["kind"] == Kind.RECURRING)
        return dict(GrantOutput(asdict(grant) | {"text": text}).data)

    def _words(self) -> GrantWords:
        """Asked once for an answer."""
        shared = vars(self.root)
        if "grant_words" not in shared:
            (shared["grant_words"],) = ask("grant_words")
        words: GrantWords = shared["grant_words"]
        return words


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
