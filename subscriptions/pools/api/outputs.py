"""What REST shows of pools."""

from typing import Any

from rest_framework import serializers

from o2b.api.fields import Link, Plain
from o2b.api.links import AccountLink
from subscriptions.models import PoolGrant, PoolMember, PoolRefill
from subscriptions.pools import shown
from subscriptions.pools.movements import What
from subscriptions.pools.pace import EMPTY, ENOUGH, LOW

STANDINGS = [(each, each) for each in (EMPTY, LOW, ENOUGH)]
MOVES = [(str(each), str(each)) for each in What]


class PoolOutput(serializers.Serializer):
    """A pool as it stands today; a row has `now`, how it stands."""

    id = serializers.IntegerField(source="pk")
    url = Link("api-pool-detail")
    number = serializers.CharField()
    name = serializers.CharField(help_text="Empty: that of its account and meter.")
    account = AccountLink()
    meter = serializers.CharField()
    unit = serializers.CharField(source="now.unit")
    hard = serializers.BooleanField(help_text="Usage beyond what it holds is refused.")
    left = Plain(source="now.left")
    drawn_this_month = Plain(source="now.pace.drawn")
    uncovered_this_month = Plain(source="now.pace.uncovered")
    standing = serializers.ChoiceField(
        choices=STANDINGS,
        source="now.standing",
        help_text="low: at the pace of this month what is left lasts less than a week.",
    )
    a_day = Plain(
        source="now.pace.a_day",
        help_text="Units wanted a day on average, from the first of the month to today.",
    )
    forecast_this_month = Plain(
        source="now.pace.forecast", help_text="Units wanted to its end at this pace."
    )
    forecast_uncovered = Plain(
        source="now.uncovered_to_end", help_text="What nothing would cover of them."
    )
    runs_empty_on = serializers.DateField(
        source="now.empty_on",
        allow_null=True,
        help_text="The first day ahead that is not covered at this pace, with the units that come "
        "and lapse by then; null: none up to and with `looked_until`.",
    )
    looked_until = serializers.DateField(source="now.until")
    opened_at = serializers.DateTimeField()


class PoolLotOutput(serializers.Serializer):
    """Units that came at once; `ends_on` is the first day on which they are gone, null: never."""

    ref = serializers.CharField(source="lot.ref")
    units = Plain(source="lot.units")
    left = Plain()
    begins_on = serializers.DateField(source="lot.begins")
    ends_on = serializers.SerializerMethodField()
    priority = serializers.IntegerField(source="lot.priority")
    item = serializers.IntegerField(source="source.item.pk", default=None, allow_null=True)
    order = serializers.IntegerField(source="order_id", allow_null=True)
    grant = serializers.IntegerField(source="source.grant.pk", default=None, allow_null=True)
    source = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="The product, or why units were given."
    )

    def get_ends_on(self, row: Any) -> str | None:
        ends = shown.ends_shown(row.ends)
        return ends.isoformat() if ends else None

    def get_source(self, row: Any) -> str:
        return shown.source_title(row.source)


class PoolMovementOutput(serializers.Serializer):
    """One line of the statement; `units` are below zero where they leave the pool."""

    number = serializers.IntegerField()
    day = serializers.DateField()
    what = serializers.ChoiceField(choices=MOVES)
    units = Plain()
    left = Plain(help_text="After it.")
    lot = serializers.CharField(help_text="The ref of the lot; empty where none covered it.")
    service = serializers.CharField(help_text="S-3.7 of who drew; empty where nobody did.")
    account = serializers.CharField(help_text="The reference of its account.")
    said = serializers.CharField(help_text="In words: whose, or from where.")


class PoolMemberOutput(serializers.Serializer):
    """An account or a service that draws from the pool; `ends_on` is the first day after."""

    id = serializers.IntegerField(source="pk")
    account = AccountLink(allow_null=True)
    service = serializers.CharField(source="service.number", default=None, allow_null=True)
    begins_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    recorded_at = serializers.DateTimeField()

    class Meta:
        model = PoolMember


class PoolGrantOutput(serializers.Serializer):
    """Units given by hand; `ends_on` is the first day after."""

    id = serializers.IntegerField(source="pk")
    units = Plain()
    priority = serializers.IntegerField()
    begins_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True)
    reason = serializers.CharField()
    granted_by = serializers.CharField()
    granted_at = serializers.DateTimeField()

    class Meta:
        model = PoolGrant


class PoolRefillOutput(serializers.Serializer):
    """The standing order that tops the pool up."""

    below = Plain()
    product = serializers.CharField(source="product.code")
    quantity = Plain()
    most_a_month = serializers.IntegerField()
    active = serializers.BooleanField()
    set_by = serializers.CharField()
    set_at = serializers.DateTimeField()
    fault = serializers.CharField(help_text="Why the last try failed; it is tried again daily.")
    orders = serializers.SerializerMethodField(help_text="The last ones, the newest first.")

    def get_orders(self, refill: PoolRefill) -> list[int]:
        return list(refill.orders.values_list("order_id", flat=True)[:12])
