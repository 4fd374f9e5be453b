"""What REST is asked of pools, and what its lists can be narrowed by."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from o2b.api.fields import Asked, Exact, KeyOrReference
from o2b.customers.models import Account
from subscriptions.models import Item, Pool
from subscriptions.pools.api.outputs import MOVES
from subscriptions.usage.selectors import services_named

LONGEST = 200
PRIORITY: dict[str, Any] = {
    "min_value": -(10**6),
    "max_value": 10**6,
}  # the service says which are good


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class AccountNamed(KeyOrReference):
    """An account by its number or reference."""

    default_error_messages = {"unknown": _("There is no such account.")}

    def to_internal_value(self, data: Any) -> Any:
        told = super().to_internal_value(data)
        named = {"pk": told} if isinstance(told, int) else {"reference": told.replace("\0", "")}
        account = Account.objects.filter(**named).first()
        return account or self.fail("unknown")


@extend_schema_field(OpenApiTypes.STR)
class ServiceNamed(serializers.Field):
    """A service by its number, S-3.7."""

    default_error_messages = {"unknown": _("There is no such service; its number is S-3.7.")}

    def to_internal_value(self, data: Any) -> Any:
        found = services_named(data) if isinstance(data, str) and "." in data else set()
        item = Item.objects.select_related("account").filter(pk__in=found).first()
        return item or self.fail("unknown")


class PoolAsked(Asked):
    """A pool that no order has opened."""

    account = AccountNamed(help_text="Its number or reference.")
    meter = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)


class PoolChange(Asked):
    """Another name, or another limit; what is not told stays."""

    name = serializers.CharField(max_length=80, required=False, allow_blank=True)
    hard = serializers.BooleanField(required=False)


class PoolMemberAsked(Asked):
    """An account, or one service."""

    account = AccountNamed(required=False, default=None, allow_null=True)
    service = ServiceNamed(required=False, default=None, allow_null=True)
    begins_on = serializers.DateField(required=False, default=None, allow_null=True)


class PoolGrantAsked(Asked):
    """Units by hand."""

    units = Exact()
    reason = serializers.CharField(max_length=LONGEST)
    priority = serializers.IntegerField(default=100, **PRIORITY)
    begins_on = serializers.DateField(default=None, allow_null=True, help_text="Null: today.")
    ends_on = serializers.DateField(
        default=None, allow_null=True, help_text="The first day after; null: until used up."
    )


class PoolRefillAsked(Asked):
    """A standing order; `active` false switches it off."""

    active = serializers.BooleanField(default=True)
    below = Exact(required=False)
    product = serializers.CharField(max_length=100, required=False)
    quantity = Exact(default=1)
    most_a_month = serializers.IntegerField(default=1, **PRIORITY)


class PoolFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference", help_text="Its reference.")
    meter = filters.CharFilter(help_text="The code of the meter.")
    hard = filters.BooleanFilter()

    class Meta:
        model = Pool
        fields = ()


class MovementsAsked(serializers.Serializer):
    """What the statement is narrowed by; `from` and `to` are days, both included."""

    what = serializers.ChoiceField(choices=MOVES, required=False)
    service = serializers.CharField(required=False, max_length=LONGEST)
    to = serializers.DateField(required=False)


MovementsAsked._declared_fields["from"] = serializers.DateField(required=False)  # no name in Python
