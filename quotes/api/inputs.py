"""What a client may say of a quote; it validates and never saves."""

from typing import Any

from rest_framework import serializers

from o2b.api.fields import Asked, KeyOrReference
from o2b.api.lines import MOST_LINES, DiscountedLineAsked
from quotes.inputs import LineInput


class QuoteAsked(Asked):
    """An offer to be drafted."""

    account = KeyOrReference()
    valid_until = serializers.DateField(help_text="The last day on which it can be accepted.")
    start_on = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Billing starts on this day, or on delivery if that is later; before today: it is"
        " there already. Empty: from delivery.",
    )
    title = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    lines = DiscountedLineAsked(many=True, min_length=1, max_length=MOST_LINES)  # type: ignore[call-arg]


def line_inputs(lines: list[dict[str, Any]]) -> list[LineInput]:
    """Validated lines as the services take them."""
    return [LineInput(**line) for line in lines]
