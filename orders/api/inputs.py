"""What a client may say of orders, lines and tasks; it validates and never saves."""

from typing import Any

from rest_framework import serializers

from o2b.api.fields import Asked, Exact, Facts, Key, KeyOrReference
from o2b.api.lines import MOST_LINES, LineAsked

LONGEST_REASON = 2000


class Day(serializers.DateField):
    """A day that need not be told."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_null": True, "default": None} | kwargs)


class PoNumber(serializers.CharField):
    """The customer's own number of an order."""

    def __init__(self, **kwargs: Any) -> None:
        usual: dict[str, Any] = {
            "required": False,
            "allow_blank": True,
            "default": "",
            "max_length": 60,
        }
        told = "The customer's own number of it, as invoices say it."
        if kwargs.get("required"):
            del usual["default"]
        super().__init__(**usual | {"help_text": told} | kwargs)


class PoNumberAsked(Asked):
    """The customer's own number of an order; empty: none."""

    po_number = PoNumber(required=True)


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
    work_from = Day(help_text="Nothing is begun before this day; empty: at once.")
    promised_on = Day(help_text="The day promised to the customer.")
    po_number = PoNumber()


class OrderAsked(Asked):
    """An order without a quote; its prices are resolved, never sent."""

    account = KeyOrReference()
    lines = LineAsked(many=True, min_length=1, max_length=MOST_LINES)  # type: ignore[call-arg]
    start_on = serializers.DateField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Billing starts on this day, or on delivery if that is later; before today: it is"
        " there already. Empty: from delivery.",
    )
    work_from = Day(help_text="Nothing is begun before this day; empty: at once.")
    promised_on = Day(help_text="The day promised to the customer.")
    priority = serializers.IntegerField(
        required=False, default=0, help_text="-1 low, 0 normal, 1 high, 2 urgent."
    )
    po_number = PoNumber()
    note = serializers.CharField(required=False, allow_blank=True, default="", max_length=2000)
    legacy = serializers.BooleanField(
        required=False,
        default=False,
        help_text="The lines are from a legacy form: a retired product stands for its successor, "
        "and the order's note says which.",
    )


class AcceptAsked(Asked):
    by = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)
    po_number = PoNumber()


class DeclineAsked(Asked):
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_REASON
    )
    by = serializers.CharField(required=False, allow_blank=True, default="", max_length=200)


class ReasonAsked(Asked):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class PriorityAsked(Asked):
    priority = serializers.IntegerField(help_text="-1 low, 0 normal, 1 high, 2 urgent.")
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_REASON
    )


class WorkFromAsked(ReasonAsked):
    """Another day on which work begins; null: now."""

    work_from = serializers.DateField(allow_null=True)


class EvidenceAsked(Asked):
    """What was delivered; what is left unsaid was delivered as promised."""

    version = serializers.IntegerField(required=False, min_value=1, max_value=32767)
    serial = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
    serials = serializers.ListField(
        child=serializers.CharField(max_length=120), required=False, max_length=1000
    )
    quantity = Exact(required=False)
    minutes = serializers.IntegerField(
        required=False, min_value=0, help_text="How long it took; as planned, if unsaid."
    )
    data = Facts(required=False)  # type: ignore[assignment]


class PartAsked(Asked):
    """So much of it is delivered; the rest is still to come."""

    quantity = Exact()
    version = serializers.IntegerField(required=False, min_value=1, max_value=32767)
    serial = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)
    serials = serializers.ListField(
        child=serializers.CharField(max_length=120), required=False, max_length=1000
    )


class AssignAsked(Asked):
    to = serializers.CharField(max_length=150, help_text="The user name of a member of its queue.")


class CommentAsked(Asked):
    text = serializers.CharField(max_length=2000, help_text="Who is named with @ hears of it.")


class TickAsked(Asked):
    item = serializers.IntegerField(min_value=0, max_value=32767, help_text="0 is the first.")
    is_done = serializers.BooleanField(required=False, default=True)
