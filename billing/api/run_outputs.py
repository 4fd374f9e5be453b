"""How the API shows bill runs."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.models import BillRun
from billing.runs.selectors import counts_of, totals_of
from o2b.api.fields import Link, State
from o2b.api.links import AccountLink
from o2b.money import quantise

COUNTS = (
    "shards",
    "shards_drafted",
    "shards_finalised",
    "planned_accounts",
    "done_accounts",
    "looked_at",
    "drafted",
    "nothing_due",
    "carried",
    "parked",
    "to_finalise",
    "set_aside",
    "invoices",
    "lines",
    "promises",
    "promises_kept",
)


class RunHeadOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-bill-run-detail")
    number = serializers.CharField()
    legal_entity = serializers.CharField(source="legal_entity.code")
    on = serializers.DateField()
    account_ids = serializers.ListField(child=serializers.IntegerField(), allow_null=True)
    kind = State(name="BillRunKind", choices=BillRun.Kind.choices)
    scope = serializers.CharField(help_text="How its accounts were chosen, in words.")
    bill_day = serializers.IntegerField(allow_null=True)
    bill_group = serializers.CharField()
    reverses_invoice = serializers.IntegerField(
        source="reverses_invoice_id", allow_null=True, help_text="The document that it takes back."
    )
    reverses_run = serializers.IntegerField(
        source="reverses_run_id", allow_null=True, help_text="The run that it takes back."
    )
    reason = serializers.CharField(help_text="Why it takes back.")
    state = State(name="BillRunState", choices=BillRun.State.choices)
    opened_by = serializers.CharField(source="opened_by.username")
    opened_at = serializers.DateTimeField()
    drafted_at = serializers.DateTimeField(allow_null=True)
    approved_by = serializers.CharField(
        source="approved_by.username", default=None, allow_null=True
    )
    approved_at = serializers.DateTimeField(allow_null=True)
    finalised_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)


class ProgressOutput(serializers.Serializer):
    """Counted in the database.

    `looked_at` is `drafted` + `nothing_due` + `carried` + `parked`; `drafted` is `to_finalise` +
    `set_aside`.
    """

    shards = serializers.IntegerField()
    shards_drafted = serializers.IntegerField()
    shards_finalised = serializers.IntegerField()
    planned_accounts = serializers.IntegerField()
    done_accounts = serializers.IntegerField()
    looked_at = serializers.IntegerField()
    drafted = serializers.IntegerField()
    nothing_due = serializers.IntegerField()
    carried = serializers.IntegerField(help_text="Their bills are below their minimum, and wait.")
    parked = serializers.IntegerField()
    to_finalise = serializers.IntegerField()
    set_aside = serializers.IntegerField()
    invoices = serializers.IntegerField()
    lines = serializers.IntegerField()
    promises = serializers.IntegerField()
    promises_kept = serializers.IntegerField()


class TotalOutput(serializers.Serializer):
    currency = serializers.CharField()
    net = serializers.CharField()
    tax = serializers.CharField()
    total = serializers.CharField()


class RunOutput(RunHeadOutput):
    progress = serializers.SerializerMethodField()
    totals = serializers.SerializerMethodField()

    @extend_schema_field(ProgressOutput)
    def get_progress(self, run: BillRun) -> Any:
        counts = counts_of(run_id=run.pk)
        return {name: getattr(counts, name) for name in COUNTS}

    @extend_schema_field(TotalOutput(many=True))
    def get_totals(self, run: BillRun) -> Any:
        return [
            {"currency": currency}
            | {name: amount_text(amount, currency) for name, amount in sums.items()}
            for currency, sums in totals_of(run_id=run.pk).items()
        ]


class ParkedOutput(serializers.Serializer):
    """An account that the run left out, and why."""

    account = AccountLink()
    code = serializers.CharField()
    reason = serializers.CharField(source="reason_text")
    owner = serializers.CharField(source="owner.username")
    facts = serializers.DictField()
    parked_at = serializers.DateTimeField()
    retry_asked_at = serializers.DateTimeField(allow_null=True)


def amount_text(amount: Decimal, currency: str) -> str:
    return f"{quantise(amount, currency):f}"
