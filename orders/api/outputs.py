"""How the API shows orders, lines and tasks."""

from rest_framework import serializers

from o2b.api.charges import TermsOutput
from o2b.api.fields import Amount, Link, Plain, State
from o2b.api.links import AccountLink
from orders.models import FailureClass, Jeopardy, Order, OrderLine, Task, TaskCost, WaitsFor
from orders.selectors import STANDINGS as DERIVED

STANDINGS = [(state.value, state.label) for state in DERIVED]
WAITS = [("", "nothing"), *WaitsFor.choices]
FAILURES = [("", "none"), *FailureClass.choices]


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
    delivered_fraction = Plain()
    part_of = serializers.IntegerField(source="parent_id", allow_null=True)
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
    work_from = serializers.DateField(allow_null=True)
    promised_on = serializers.DateField(allow_null=True)
    forecast_at = serializers.DateTimeField(allow_null=True)
    jeopardy = State(name="Jeopardy", choices=Jeopardy.choices)
    priority = serializers.IntegerField()
    bulk = serializers.IntegerField(source="bulk_id", allow_null=True)
    po_number = serializers.CharField(help_text="The customer's own number of it.")
    note = serializers.CharField()


class OrderOutput(OrderHeadOutput):
    lines = LineHeadOutput(many=True)


class LineResultOutput(serializers.Serializer):
    """What became of one line when the whole order was told something."""

    line = serializers.IntegerField(source="line_id")
    position = serializers.IntegerField()
    done = serializers.BooleanField()
    state = State(name="OrderLineState", choices=OrderLine.State.choices)
    reason = serializers.CharField()


class OrderResultOutput(serializers.Serializer):
    """The order as it stands now, and what became of each line."""

    order = OrderHeadOutput()
    results = LineResultOutput(many=True)


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
    component = serializers.CharField()
    system = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField())
    wants = serializers.ListField(child=serializers.CharField())
    after = serializers.ListField(child=serializers.IntegerField())
    waiting_on = serializers.IntegerField()
    compensates = serializers.IntegerField(source="compensates_id", allow_null=True)
    minutes = serializers.IntegerField()
    estimate = serializers.IntegerField()
    maximum = serializers.IntegerField()
    planned_cost = Plain()
    weight = Plain()
    point_of_no_return = serializers.BooleanField()
    priority = serializers.IntegerField()
    state = State(name="TaskState", choices=Task.State.choices)
    waits_for = State(name="WaitsFor", choices=WAITS)
    resume_at = serializers.DateTimeField(allow_null=True)
    jeopardy = State(name="Jeopardy", choices=Jeopardy.choices)
    amber_at = serializers.DateTimeField(allow_null=True)
    red_at = serializers.DateTimeField(allow_null=True)
    claimed_by = serializers.CharField(source="claimed_by.username", default=None, allow_null=True)
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    ready_at = serializers.DateTimeField(allow_null=True)
    claimed_at = serializers.DateTimeField(allow_null=True)
    began_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)
    failure = serializers.CharField()
    failure_class = State(name="FailureClass", choices=FAILURES)


class EvidenceOutput(serializers.Serializer):
    product = serializers.CharField(source="product_version.product.code")
    version = serializers.IntegerField(source="product_version.number")
    quantity = Plain()
    serial = serializers.CharField()
    serials = serializers.ListField(child=serializers.CharField())
    is_part = serializers.BooleanField()
    data = serializers.DictField()  # type: ignore[assignment]
    at = serializers.DateTimeField()
    by = serializers.CharField(source="by.username", default=None, allow_null=True)


class TaskCostOutput(serializers.Serializer):
    kind = State(name="TaskCostKind", choices=TaskCost.Kind.choices)
    amount = Amount()
    currency = serializers.CharField()
    minutes = serializers.IntegerField()
    note = serializers.CharField()
    at = serializers.DateTimeField()


class TaskDetailOutput(TaskOutput):
    checklist = serializers.ListField(child=serializers.CharField())
    ticked = serializers.ListField(child=serializers.IntegerField())
    evidence = EvidenceOutput(many=True)
    costs = TaskCostOutput(many=True)
