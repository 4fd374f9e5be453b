"""REST of alerts: rules, to read, set, replace and delete; and what was told, to read."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Amount, Asked, Exact, KeyOrReference, Link, Plain
from o2b.api.idempotency import once
from o2b.api.views import Noun
from o2b.customers.models import Account
from o2b.customers.references import account_named
from subscriptions.models import AlertOf, Item, UsageAlert, UsageAlertSent
from subscriptions.usage.alerts import selectors, services
from subscriptions.usage.alerts.refusals import AlertInvalid
from subscriptions.usage.api.reading import SEE, SERVICE, Word
from subscriptions.usage.selectors import services_named, services_of_text

SET = "subscriptions.set_usage_alerts"
MOST_SENT = 100  # more thresholds than a rule takes: how many are too many is for the service


class AlertChangeAsked(Asked):
    """Thresholds in place of those that stand."""

    thresholds = serializers.ListField(child=Exact(), max_length=MOST_SENT)
    active = serializers.BooleanField(default=True, help_text="False: nothing is told.")


class AlertAsked(AlertChangeAsked):
    """A rule of an account, or of one service of it."""

    account = KeyOrReference()
    service = serializers.CharField(
        default=None,
        allow_null=True,
        max_length=40,
        help_text="Number of a service (S-3.7); null: every service of the account.",
    )
    meter = serializers.CharField(
        default=None, allow_null=True, max_length=40, help_text="Its code; null: every meter."
    )
    of = serializers.ChoiceField(choices=AlertOf.choices)


class UsageAlertOutput(serializers.Serializer):
    """A rule; thresholds are percents, units, or amounts in the currency of the account."""

    id = serializers.IntegerField()
    url = Link("api-usage-alert-detail")
    account = serializers.CharField(source="account.reference")
    service = serializers.CharField(source="service.number", default=None, allow_null=True)
    meter = serializers.CharField(source="meter.code", default=None, allow_null=True)
    of = serializers.ChoiceField(choices=AlertOf.choices)
    thresholds = serializers.ListField(child=Plain())
    active = serializers.BooleanField()
    at = serializers.DateTimeField(help_text="When it was set or changed.")


class UsageAlertSentOutput(serializers.Serializer):
    """A threshold that was passed; figures are of that moment."""

    id = serializers.IntegerField()
    account = serializers.CharField(source="account.reference")
    service = serializers.CharField(source="item.number", default=None, allow_null=True)
    charge = serializers.CharField()
    meter = serializers.CharField(source="meter.code", default=None, allow_null=True)
    of = serializers.ChoiceField(choices=AlertOf.choices)
    threshold = Plain()
    told = serializers.BooleanField(help_text="False: a higher one was passed at the same time.")
    period_start = serializers.DateField()
    period_end = serializers.DateField(help_text="The first day after.")
    reached = Plain()
    limit = Plain(allow_null=True, help_text="What percents are of.")
    used = Plain()
    unit = serializers.CharField()
    forecast = Plain(allow_null=True)
    amount = Amount()
    currency = serializers.CharField()
    at = serializers.DateTimeField()
    mailed_at = serializers.DateTimeField(allow_null=True, help_text="When the customer was told.")


class AlertFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference", help_text="Its reference.")
    service = Word(help_text=SERVICE)
    meter = filters.CharFilter(field_name="meter__code", help_text="The code of the meter.")
    of = filters.ChoiceFilter(choices=AlertOf.choices)
    active = filters.BooleanFilter()

    class Meta:
        model = UsageAlert
        fields = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(_of_services(queryset, self.form, "service"))


class SentFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference", help_text="Its reference.")
    service = Word(help_text=SERVICE)
    meter = filters.CharFilter(field_name="meter__code", help_text="The code of the meter.")
    of = filters.ChoiceFilter(choices=AlertOf.choices)
    told = filters.BooleanFilter()

    class Meta:
        model = UsageAlertSent
        fields = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(_of_services(queryset, self.form, "item"))

    def sent_from(self, rows: QuerySet[Any], name: str, told: Any) -> QuerySet[Any]:
        return selectors.sent_from(rows, told)

    def sent_until(self, rows: QuerySet[Any], name: str, told: Any) -> QuerySet[Any]:
        return selectors.sent_until(rows, told)


# `from` is no name in Python.
SentFilter.base_filters["from"] = filters.DateFilter(
    method="sent_from", help_text="Passed on this day (UTC) or later."
)
SentFilter.base_filters["to"] = filters.DateFilter(
    method="sent_until", help_text="Passed on this day (UTC) or earlier."
)


def _of_services(rows: QuerySet[Any], form: Any, field: str) -> QuerySet[Any]:
    told = form.cleaned_data.get("service")
    if not told:
        return rows
    named = services_of_text(told)
    if field == "item":
        return rows.filter(item__in=[each.pk for each in selectors.items_of(named)])
    return rows.filter(service__in=named)


class AlertViewSet(Noun):
    """Rules that tell when usage passes a threshold."""

    queryset = selectors.alerts_for_list()
    serializer_class = UsageAlertOutput
    filterset_class = AlertFilter
    doors = {
        **dict.fromkeys(("list", "retrieve"), SEE),
        **dict.fromkeys(("create", "update", "destroy"), SET),
    }

    @extend_schema(request=AlertAsked, responses={201: UsageAlertOutput})
    @once
    def create(self, request: Request) -> Response:
        """Set a rule; one that exists of the same service, meter and kind is to be replaced."""
        asked = self.asked(AlertAsked)
        account = account_named(asked.pop("account"))
        rule = services.set_alert(
            account_id=account.pk,
            item_id=_item_named(account, asked.pop("service")),
            meter_code=asked.pop("meter") or "",
            **asked,
            at=clock.now(account),
            actor_id=self.user_id,
        )
        return self.created(rule.pk)

    @extend_schema(request=AlertChangeAsked, responses=UsageAlertOutput)
    @once
    def update(self, request: Request, pk: str) -> Response:
        """Replace the thresholds of a rule, and switch it on or off."""
        asked = self.asked(AlertChangeAsked)
        services.change_alert(alert_id=self.key(), **asked, at=self.now(), actor_id=self.user_id)
        return self.shown(self.key())

    @extend_schema(responses={204: None})
    @once
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a rule: a wider one, or the default, counts again."""
        services.remove_alert(alert_id=self.key(), at=self.now(), actor_id=self.user_id)
        return Response(status=204)


class SentViewSet(Noun):
    """Thresholds that were passed."""

    queryset = selectors.sent_for_list()
    serializer_class = UsageAlertSentOutput
    filterset_class = SentFilter
    doors = {"list": SEE}

    @extend_schema(operation_id="usage_alerts_sent_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every threshold that was passed, told or noted beneath a higher one."""
        return super().list(request, *args, **kwargs)


def _item_named(account: Account, number: str | None) -> int | None:
    """An item of the account of the service with this number."""
    if number is None:
        return None
    items = Item.objects.filter(account=account)
    named = [] if "." not in number else selectors.items_of(services_named(number))
    mine = items.filter(pk__in=[each.pk for each in named]).order_by("-pk").first()
    if mine is None:
        message = _("%(account)s has no such service.") % {"account": account.name}
        raise AlertInvalid(message, field="service")
    return mine.pk
