"""What a client says of one line that it wants: product, how many, characteristics; no price."""

from rest_framework import serializers

from o2b.api.fields import Asked, Exact, Facts

MOST_LINES = 1000


class LineAsked(Asked):
    """One line as it is wanted."""

    product = serializers.CharField(max_length=60, help_text="The code of the product.")
    quantity = Exact()
    characteristics = Facts(required=False, default=dict)


class DiscountedLineAsked(LineAsked):
    """A line of an offer, which may have a discount."""

    discount_percent = Exact(required=False, default=0)
