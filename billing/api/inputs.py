"""What a client may say of bill runs and payments; it validates and never saves."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from o2b.api.fields import Asked, Exact, Key, KeyOrReference


class RunAsked(Asked):
    """A run over all accounts of a legal entity, or over some."""

    legal_entity = serializers.CharField(max_length=50, help_text="Its code.")
    on = serializers.DateField(help_text="Everything due up to this day; the invoices' date.")
    accounts = serializers.ListField(
        child=KeyOrReference(), required=False, min_length=1, max_length=10_000
    )


class ReversalAsked(Asked):
    """Why something final is taken back."""

    reason = serializers.CharField(max_length=2000)


class AllocationAsked(Asked):
    invoice = Key()
    amount = Exact()


class PaymentAsked(Asked):
    """Money received. Without allocations the oldest invoices are settled first."""

    account = KeyOrReference()
    amount = Exact()
    received_on = serializers.DateField()
    method = serializers.CharField(max_length=20, allow_blank=True, required=False, default="")
    reference = serializers.CharField(max_length=140, allow_blank=True, required=False, default="")
    allocations = AllocationAsked(many=True, required=False, max_length=1000)  # type: ignore[call-arg]

    def validate_allocations(self, parts: list[dict[str, Any]]) -> dict[int, Decimal]:
        """Invoice → amount; nothing at all keeps the money as credit."""
        told = {part["invoice"]: part["amount"] for part in parts}
        if len(told) < len(parts):
            raise serializers.ValidationError(_("An invoice stands twice."))
        return told
