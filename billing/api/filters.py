"""By what the lists of bill runs, invoices and payments are narrowed."""

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from billing.invoices import selectors as invoices
from billing.models import BillRun, Invoice, InvoicePart, Payment


class RunFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=BillRun.Kind.choices)
    state = filters.MultipleChoiceFilter(choices=BillRun.State.choices)
    legal_entity = filters.CharFilter(field_name="legal_entity__code")
    on_after = filters.DateFilter(field_name="on", lookup_expr="gte")
    on_before = filters.DateFilter(field_name="on", lookup_expr="lt")

    class Meta:
        model = BillRun
        fields = ("state",)


class InvoiceFilter(filters.FilterSet):
    status = filters.MultipleChoiceFilter(choices=invoices.STATUSES)
    kind = filters.ChoiceFilter(choices=Invoice.Kind.choices)
    number = filters.CharFilter()
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    about = filters.CharFilter(help_text="The purchase order, site or item that it is for.")
    bills = filters.CharFilter(
        method="of_account",
        help_text="An account by reference: its own documents, and its payer's that bill it.",
    )
    run = filters.NumberFilter(field_name="run_id")
    currency = filters.CharFilter()
    issued_after = filters.DateFilter(field_name="issued_on", lookup_expr="gte")
    issued_before = filters.DateFilter(field_name="issued_on", lookup_expr="lt")
    due_after = filters.DateFilter(field_name="due_on", lookup_expr="gte")
    due_before = filters.DateFilter(field_name="due_on", lookup_expr="lt")

    class Meta:
        model = Invoice
        fields = ("kind", "number", "account_id", "run", "currency")

    def of_account(self, rows: QuerySet[Invoice], name: str, reference: str) -> QuerySet[Invoice]:
        parts = InvoicePart.objects.filter(account__reference=reference).values("invoice_id")
        return rows.filter(Q(account__reference=reference) | Q(pk__in=parts))


class PaymentFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    reference = filters.CharFilter()
    method = filters.CharFilter()
    received_after = filters.DateFilter(field_name="received_on", lookup_expr="gte")
    received_before = filters.DateFilter(field_name="received_on", lookup_expr="lt")

    class Meta:
        model = Payment
        fields = ("account_id", "reference", "method")
