"""The journal in the API: postings to read."""

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters
from rest_framework import serializers

from billing.journal.selectors.postings import postings_with_sellers
from billing.models import LedgerAccount, Posting
from o2b.api.fields import Amount, Plain, State
from o2b.api.views import Noun
from o2b.customers.models import LegalEntity


class PostingOutput(serializers.Serializer):
    """An amount from one ledger account to another; `entity_amount` is in the seller's currency."""

    id = serializers.IntegerField()
    on = serializers.DateField()
    legal_entity = serializers.CharField(
        source="seller", help_text="Whose journal it is: its code."
    )
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
    legal_entity = filters.CharFilter(method="of_seller", help_text="Its code.")
    account_id = filters.NumberFilter()
    invoice = filters.NumberFilter(field_name="invoice_id")
    currency = filters.CharFilter()

    class Meta:
        model = Posting
        fields = ("account_id", "currency")

    def of_seller(self, rows: QuerySet[Posting], name: str, value: str) -> QuerySet[Posting]:
        return rows.filter(legal_entity_id__in=LegalEntity.objects.filter(code=value).values("pk"))

    def touching(self, rows: QuerySet[Posting], name: str, value: str) -> QuerySet[Posting]:
        """On either side."""
        return rows.filter(Q(debit=value) | Q(credit=value))


class PostingViewSet(Noun):
    """The journal: each posting names both its sides."""

    queryset = Posting.objects.all()
    filterset_class = PostingFilter
    serializer_class = PostingOutput
    doors = dict.fromkeys(("list", "retrieve"), "billing.view_posting")

    def get_queryset(self) -> QuerySet[Posting]:
        return postings_with_sellers()
