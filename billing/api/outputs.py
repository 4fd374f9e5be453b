"""How the API shows invoices and payments."""

from rest_framework import serializers

from billing.adjustments.api_outputs import AdjustmentOutput
from billing.api.correction_outputs import CorrectionOutput
from billing.api.part_outputs import PartOutput
from billing.invoices.selectors import STATUSES
from billing.models import Invoice
from o2b.api.fields import Amount, Link, Plain, State
from o2b.api.links import AccountLink


class InvoiceHeadOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-invoice-detail")
    pdf_url = Link("api-invoice-pdf")
    number = serializers.CharField()
    kind = State(name="InvoiceKind", choices=Invoice.Kind.choices)
    status = State(name="InvoiceStatus", choices=STATUSES)
    legal_entity = serializers.CharField(source="legal_entity.code")
    account = AccountLink()
    run = serializers.IntegerField(source="run_id")
    reverses = serializers.IntegerField(
        source="reverses_id", allow_null=True, help_text="The document that it takes back."
    )
    split = serializers.CharField(help_text="What the account's bills were split by; empty: not.")
    about = serializers.CharField(help_text="The purchase order, site or item that it is for.")
    currency = serializers.CharField()
    issued_on = serializers.DateField()
    due_on = serializers.DateField()
    net = Amount()
    tax = Amount()
    total = Amount()
    allocated = Amount(help_text="What was paid on it.")
    open_amount = Amount(help_text="What is still to pay.")


class InvoiceLineOutput(serializers.Serializer):
    position = serializers.IntegerField()
    account = serializers.CharField(
        source="account_reference", help_text="Whose line it is: on a family's document a member."
    )
    text = serializers.CharField()
    product = serializers.CharField(source="charge.item.product_version.product.code")
    subscription = serializers.IntegerField(source="charge.item.subscription_id")
    item = serializers.IntegerField(source="charge.item_id")
    order_line = serializers.IntegerField(source="charge.item.order_line_id")
    terms_digest = serializers.CharField(source="charge.terms.digest")
    charge_key = serializers.CharField(source="charge.terms_charge.key")
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="First day outside.")
    served_from = serializers.DateField()
    served_to = serializers.DateField(help_text="First day outside.")
    segment = serializers.IntegerField()
    revision = serializers.IntegerField()
    cause = serializers.CharField()
    quantity = Plain()
    amount = Amount(currency="charge.currency")
    tax_code = serializers.CharField()
    tax_rate = Plain(help_text="In percent.")
    tax = Amount(currency="charge.currency")


class LineStepOutput(serializers.Serializer):
    """A line of arithmetic; the result may be exact, with more decimals than the currency."""

    label = serializers.CharField()  # type: ignore[assignment]
    arithmetic = serializers.CharField()
    result = serializers.CharField()


class LineFactOutput(serializers.Serializer):
    """Units or days that the arithmetic begins with."""

    label = serializers.CharField()  # type: ignore[assignment]
    text = serializers.CharField()


class ExplanationOutput(serializers.Serializer):
    """A line computed again; `equal` is null where it cannot be, `code` and `reason` say why."""

    line = serializers.IntegerField()
    invoice = serializers.CharField()
    position = serializers.IntegerField()
    currency = serializers.CharField()
    charge_key = serializers.CharField()
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="First day outside.")
    served_from = serializers.DateField()
    served_to = serializers.DateField(help_text="First day outside.")
    segment = serializers.IntegerField()
    revision = serializers.IntegerField()
    quantity = serializers.CharField()
    equal = serializers.BooleanField(allow_null=True)
    code = serializers.CharField(help_text="no_basis: billed before its basis was kept.")
    reason = serializers.CharField()
    steps = LineStepOutput(many=True)
    facts = LineFactOutput(many=True)
    pools = serializers.ListField(child=serializers.IntegerField())
    target = serializers.CharField(allow_null=True, help_text="What the piece costs in all.")
    billed_before = serializers.CharField(allow_null=True)
    amount = serializers.CharField(allow_null=True, help_text="Target less billed before.")
    billed = serializers.CharField(help_text="The amount on the invoice.")
    inputs_agree = serializers.BooleanField(
        allow_null=True, help_text="Whether the row says what it was computed from."
    )
    tax = serializers.CharField()
    tax_billed = serializers.CharField()
    tax_rounded_per = serializers.CharField(allow_null=True)
    tax_steps = LineStepOutput(many=True)


class TaxOfRateOutput(serializers.Serializer):
    rate = Plain(help_text="In percent.")
    net = Plain()
    tax = Plain()


class PrepaidOutput(serializers.Serializer):
    """What a lot of prepaid money paid; below zero, what was given back to it."""

    lot = serializers.IntegerField(source="lot.pk")
    bought_by = serializers.IntegerField(
        source="lot.invoice_id", allow_null=True, help_text="The invoice that bills the lot."
    )
    amount = Plain()


class InvoiceOutput(InvoiceHeadOutput):
    taxes = TaxOfRateOutput(many=True, source="shown_taxes", help_text="Of each rate.")
    lines = InvoiceLineOutput(many=True, source="shown_lines")
    parts = PartOutput(
        many=True, source="shown_parts", help_text="Of a family's document; else none."
    )
    adjustments = AdjustmentOutput(
        many=True, source="shown_adjustments", help_text="Discounts and true-ups."
    )
    corrections = CorrectionOutput(
        many=True, source="shown_corrections", help_text="What it corrects of earlier documents."
    )
    prepaid = PrepaidOutput(many=True, source="shown_prepaid", help_text="Paid from wallets.")


class PaymentHeadOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-payment-detail")
    account = AccountLink()
    currency = serializers.CharField()
    amount = Amount()
    allocated = Amount()
    credit = Amount(help_text="What is left of it.")
    received_on = serializers.DateField()
    method = serializers.CharField()
    reference = serializers.CharField()
    recorded_by = serializers.CharField(
        source="recorded_by.username", default=None, allow_null=True
    )
    recorded_at = serializers.DateTimeField()


class AllocationOutput(serializers.Serializer):
    invoice = serializers.IntegerField(source="invoice_id")
    invoice_url = Link("api-invoice-detail", key="invoice_id")
    number = serializers.CharField(source="invoice.number")
    amount = Amount(currency="invoice.currency")


class PaymentOutput(PaymentHeadOutput):
    allocations = AllocationOutput(many=True)


class BalanceOutput(serializers.Serializer):
    """How an account stands: `owed` is billed less paid."""

    currency = serializers.CharField()
    billed = serializers.CharField()
    paid = serializers.CharField()
    owed = serializers.CharField()
    open = serializers.CharField()
    credit = serializers.CharField()
