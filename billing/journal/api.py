"""The journal in the API: postings to read."""

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from billing.models import LedgerAccount, Posting
from o2b.api.fields import Amount, Plain, State
from o2b.api.views import Noun


class PostingOutput(serializers.Serializer):
    """An amount from one ledger account to another; `entity_amount` is in the seller's currency."""

    id = serializers.IntegerField()
    on = serializers.DateField()
    account = serializers.IntegerField(source="account_id")
    invoice = serializers.IntegerField(source="invoice_id", allow_null=True)
    payment = serializers.IntegerField(source="payment_id", allow_null=True)
    debit = State(name="LedgerAccount", choices=LedgerAccount.choices)
    credit = State(name="LedgerAccount", choices=LedgerAccount.choices)
    currency = serializers.CharField()
    amount = Amount()
    entity_amount = Plain(allow_null=True)
    rate = Plain(allow_null=True)
    rate_on = serializers.DateField(allow_null=True)


class PostingFilter(filters.FilterSet):
    on_after = filters.DateFilter(field_name="on", lookup_expr="gte")
    on_before = filters.DateFilter(field_name="on", lookup_expr="lt")
    ledger = filters.ChoiceFilter(choices=LedgerAccount.choices, method="touching")
    account_id = filters.NumberFilter()
    invoice = filters.NumberFilter(field_name="invoice_id")
    currency = filters.CharFilter()

    class Meta:
        model = Posting
        fields = ("account_id", "currency")

    def touching(self, rows: QuerySet[Posting], name: str, value: str) -> QuerySet[Posting]:
        """On either side."""
        return rows.filter(Q(debit=value) | Q(credit=value))


class PostingViewSet(Noun):
    """The journal: each posting names both its sides."""

    queryset = Posting.objects.all()
    filterset_class = PostingFilter
    serializer_class = PostingOutput
    doors = dict.fromkeys(("list", "retrieve"), "billing.view_posting")
