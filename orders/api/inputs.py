"""What a client may say of orders, lines and tasks; it validates and never saves."""

from rest_framework import serializers

from o2b.api.fields import Asked, Exact, Facts, Key, KeyOrReference
from o2b.api.lines import MOST_LINES, LineAsked

LONGEST_REASON = 2000


class OrderOfQuoteAsked(Asked):
    """The order that a sent quote becomes: what was offered, under the very same Terms."""

    quote = Key()
    by = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=200,
        help_text="Who accepts for the customer; whoever asks, if nobody is named.",
    )


class OrderAsked(Asked):
    """An order without a quote; its prices are resolved, never sent."""

    account = KeyOrReference()
    lines = LineAsked(many=True, min_length=1, max_length=MOST_LINES)  # type: ignore[call-arg]
    start_on = serializers.DateField(
        required=False, allow_null=True, default=None, help_text="Empty: from delivery."
    )
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    legacy = serializers.BooleanField(
        required=False,
        default=False,
        help_text="The lines are from a legacy form: a retired product stands for its successor, "
        "and the order's note says which.",
    )


class AcceptAsked(Asked):
    by = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class DeclineAsked(Asked):
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_REASON
    )
    by = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class ReasonAsked(Asked):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class EvidenceAsked(Asked):
    """What was delivered; what is left unsaid was delivered as promised."""

    version = serializers.IntegerField(required=False, min_value=1, max_value=32767)
    serial = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
    quantity = Exact(required=False)
    data = Facts(required=False)  # type: ignore[assignment]
