"""How the API shows what a document corrects: one net adjustment a document and rate of tax."""

from typing import Any

from rest_framework import serializers

from billing.invoices.correcting import Correction
from billing.invoices.notes import causes_in_words
from o2b.api.fields import Amount, Plain


class CauseOutput(serializers.Serializer):
    act = serializers.CharField(help_text="What was done to the service.")
    on = serializers.DateField(help_text="From which day on it holds.")
    order = serializers.IntegerField(source="order_id")


class CorrectionOutput(serializers.Serializer):
    corrects = serializers.IntegerField(source="corrects.pk", help_text="The earlier document.")
    corrects_number = serializers.CharField(source="corrects.number")
    tax_rate = Plain(help_text="In percent.")
    net = Amount(currency="corrects.currency")
    tax = Amount(currency="corrects.currency")
    total = Amount(currency="corrects.currency")
    kinds = serializers.ListField(
        child=serializers.CharField(),
        help_text="Causes of its lines: change, late_usage, pool.",
    )
    causes = CauseOutput(many=True, help_text="The changes that it comes from.")
    text = serializers.SerializerMethodField(help_text="The causes in words.")
    lines = serializers.SerializerMethodField(help_text="Positions of its lines.")
    adjustments = serializers.SerializerMethodField(help_text="Positions of its adjustments.")

    def get_text(self, each: Correction) -> str:
        return "; ".join(causes_in_words(each))

    def get_lines(self, each: Correction) -> list[int]:
        return _positions(each.lines)

    def get_adjustments(self, each: Correction) -> list[int]:
        return _positions(each.adjustments)


def _positions(rows: Any) -> list[int]:
    return [row.position for row in rows]
