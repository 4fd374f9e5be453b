"""What a client may say of bill runs and payments; it validates and never saves."""

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from billing.models import BillRun
from billing.runs.services.taking_out import RULES
from o2b.api.fields import Asked, Exact, Key, KeyOrReference


class RunAsked(Asked):
    """A run over all accounts of a legal entity, or over some."""

    legal_entity = serializers.CharField(max_length=50, help_text="Its code.")
    on = serializers.DateField(help_text="Everything due up to this day; the invoices' date.")
    accounts = serializers.ListField(
        child=KeyOrReference(), required=False, min_length=1, max_length=10_000
    )
    bill_day = serializers.IntegerField(min_value=1, max_value=31, required=False)
    bill_group = serializers.SlugField(max_length=50, required=False, default="")
    kind = serializers.ChoiceField(
        choices=BillRun.Kind.choices,
        required=False,
        default=BillRun.Kind.BILLS,
        help_text="A rehearsal drafts and checks, is never approved, and stands in nobody's way.",
    )


class SetAsideAsked(Asked):
    """These accounts, or all of a rule: more, less, credit, first, changed."""

    accounts = serializers.ListField(
        child=KeyOrReference(), required=False, min_length=1, max_length=10_000
    )
    rule = serializers.ChoiceField(choices=RULES, required=False, default="")
    reason = serializers.CharField(max_length=1000)


class RunRetryAsked(Asked):
    """These accounts; without any, all that the run parked by itself."""

    accounts = serializers.ListField(
        child=KeyOrReference(), required=False, min_length=1, max_length=10_000
    )
    lift = serializers.BooleanField(
        required=False, default=False, help_text="Let them pass the fuses of this run."
    )


class LookAsked(Asked):
    """What the advocate of an account says of its bill."""

    account = KeyOrReference()
    verdict = serializers.ChoiceField(choices=("fine", "veto"))
    reason = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


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
