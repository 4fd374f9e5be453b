"""How the API shows orders, lines and tasks."""

from rest_framework import serializers

from o2b.api.charges import TermsOutput
from o2b.api.fields import Link, Plain, State
from o2b.api.links import AccountLink
from orders.models import Order, OrderLine, Task
from orders.selectors import STANDINGS as DERIVED

STANDINGS = [(state.value, state.label) for state in DERIVED]


class LineHeadOutput(serializers.Serializer):
    """A line as its order shows it; the line itself shows the Terms in full."""

    id = serializers.IntegerField()
    url = Link("api-order-line-detail")
    position = serializers.IntegerField()
    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    quantity = Plain()
    characteristics = serializers.DictField()
    state = State(name="OrderLineState", choices=OrderLine.State.choices)
    reason = serializers.CharField()
    start_on = serializers.DateField(allow_null=True)
    delivered_on = serializers.DateField(allow_null=True)
    terms_digest = serializers.CharField(source="terms.digest")


class OrderHeadOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-order-detail")
    number = serializers.CharField()
    account = AccountLink()
    quote = serializers.IntegerField(source="quote_id", allow_null=True)
    kind = State(name="OrderKind", choices=Order.Kind.choices)
    channel = State(name="OrderChannel", choices=Order.Channel.choices)
    state = State(name="OrderState", choices=STANDINGS, source="standing")
    placed_at = serializers.DateTimeField()
    placed_by = serializers.CharField(source="placed_by.username", default=None, allow_null=True)
    start_on = serializers.DateField(allow_null=True)
    note = serializers.CharField()


class OrderOutput(OrderHeadOutput):
    lines = LineHeadOutput(many=True)


class OrderLineOutput(LineHeadOutput):
    order = serializers.IntegerField(source="order_id")
    order_url = Link("api-order-detail", key="order_id")
    account = AccountLink()
    quote_line = serializers.IntegerField(source="quote_line_id", allow_null=True)
    accepted_at = serializers.DateTimeField()
    scheduled_at = serializers.DateTimeField(allow_null=True)
    began_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class OrderLineDetailOutput(OrderLineOutput):
    terms = TermsOutput()


class TaskOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-task-detail")
    order = serializers.IntegerField(source="order_id")
    line = serializers.IntegerField(source="line_id")
    account = serializers.IntegerField(source="account_id")
    key = serializers.CharField()
    name = serializers.CharField()
    kind = State(name="TaskKind", choices=Task.Kind.choices)
    queue = serializers.CharField(source="queue.code", default=None, allow_null=True)
    handler = serializers.CharField()
    wants = serializers.ListField(child=serializers.CharField())
    after = serializers.ListField(child=serializers.CharField())
    waiting_on = serializers.IntegerField()
    minutes = serializers.IntegerField()
    state = State(name="TaskState", choices=Task.State.choices)
    claimed_by = serializers.CharField(source="claimed_by.username", default=None, allow_null=True)
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    claimed_at = serializers.DateTimeField(allow_null=True)
    began_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.CharField()


class EvidenceOutput(serializers.Serializer):
    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    quantity = Plain()
    serial = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)


class TaskDetailOutput(TaskOutput):
    evidence = EvidenceOutput(many=True)
