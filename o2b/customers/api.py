"""REST of accounts: who is billed."""

from django.db.models import QuerySet
from django.urls import include, path
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.routers import SimpleRouter

from o2b.api.fields import Link, State
from o2b.api.views import Noun
from o2b.customers.models import Account


class CustomerOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    segment = serializers.CharField()


class AccountOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-account-detail")
    reference = serializers.CharField()
    name = serializers.CharField()
    state = State(name="AccountState", choices=Account.State.choices)
    customer = CustomerOutput()
    legal_entity = serializers.CharField(source="legal_entity.code")
    parent = serializers.CharField(source="parent.reference", default=None, allow_null=True)
    advocate = serializers.CharField(source="advocate.username")
    currency = serializers.CharField()
    bill_day = serializers.IntegerField()
    time_zone = serializers.CharField()
    payment_days = serializers.IntegerField()
    tax_exempt = serializers.BooleanField()
    dunning_profile = serializers.CharField()
    invoice_grouping = serializers.CharField()
    address = serializers.CharField()
    created_at = serializers.DateTimeField()


class AccountFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=Account.State.choices)
    reference = filters.CharFilter()
    legal_entity = filters.CharFilter(field_name="legal_entity__code")
    advocate = filters.CharFilter(field_name="advocate__username")
    customer = filters.NumberFilter(field_name="customer_id")

    class Meta:
        model = Account
        fields = ("state", "reference", "legal_entity", "advocate", "customer")


class AccountViewSet(Noun):
    """Who is billed."""

    queryset = Account.objects.all()
    serializer_class = AccountOutput
    filterset_class = AccountFilter
    doors = dict.fromkeys(("list", "retrieve"), "customers.view_account")

    def get_queryset(self) -> QuerySet[Account]:
        return Account.objects.select_related("customer", "legal_entity", "parent", "advocate")


router = SimpleRouter(trailing_slash=False)
router.register("accounts", AccountViewSet, basename="api-account")
urlpatterns = [path("", include(router.urls))]
