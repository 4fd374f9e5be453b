"""What a client says of one line that it wants: product, how many, characteristics; no price."""

from rest_framework import serializers

from o2b.api.fields import Asked, Exact, Facts

MOST_LINES = 1000


class LineAsked(Asked):
    """One line as it is wanted."""

    product = serializers.CharField(max_length=60, help_text="The code of the product.")
    quantity = Exact()
    characteristics = Facts(required=False, default=dict)
    start_rule = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=12,
        help_text="When billing starts: on_delivery, each_part (each part from its own day on) or"
        " on_date (`start_on`); empty: on_date if there is a day, else on_delivery.",
    )


class DiscountedLineAsked(LineAsked):
    """A line of an offer, which may have a discount."""

    discount_percent = Exact(required=False, default=0)
