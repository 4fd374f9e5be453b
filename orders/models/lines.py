"""OrderLine, with the life cycle from acceptance to service."""

from datetime import date, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.models import (
    Contract,
    DeliveryPlan,
    PriceBookVersion,
    ProductVersion,
    Terms,
)
from o2b.customers.models import Account
from o2b.fields import QuantityField
from o2b.fsm import Stateful
from orders.models.orders import Order
from orders.models.words import LineAction, LineState
from quotes.models import QuoteLine

S = LineState


class OrderLine(Stateful):
    """One product ordered: the quoted Terms, the plan version it is delivered by, and its days."""

    State = LineState

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    parent = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="parts",
        help_text=_("The line of the bundle that this one is part of."),
    )
    quote_line = models.OneToOneField(
        QuoteLine, null=True, on_delete=models.PROTECT, related_name="+"
    )
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    delivery_plan = models.ForeignKey(DeliveryPlan, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    characteristics = models.JSONField(default=dict)
    components = models.JSONField(
        default=list,
        help_text=_("Its technical parts, as its plan came out: key, name, quantity and settings."),
    )
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    book_version = models.ForeignKey(
        PriceBookVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, related_name="+")
    start_on = models.DateField(null=True, help_text=_("For Terms that start on a date."))
    action = models.CharField(max_length=8, choices=LineAction.choices, default=LineAction.START)
    change_on = models.DateField(
        null=True, help_text=_("The first day on which a change of what is in service holds.")
    )
    in_service = models.JSONField(
        null=True, help_text=_("What a change found: item, revision, version, quantity, Terms.")
    )
    state = FSMField(choices=State.choices, default=State.ACCEPTED, protected=True)
    paused_from = models.CharField(
        max_length=12, blank=True, default="", help_text=_("Where a pause goes back to.")
    )
    accepted_at = models.DateTimeField()
    scheduled_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
    delivered_fraction = models.DecimalField(
        max_digits=9, decimal_places=8, default=0, help_text=_("0 to 1, by accepted evidence.")
    )
    standing_since = models.DateTimeField(
        null=True, help_text=_("Since when the customer is awaited, so that no clock runs.")
    )
    delivered_at = models.DateTimeField(null=True)
    delivered_on = models.DateField(null=True, help_text=_("The account's own day of delivery."))
    completed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["order", "position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="one_order_line_a_position"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="order_line_quantity_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["delivered", "completed"])
                | models.Q(delivered_on__isnull=False),
                name="a_delivered_line_has_its_day",
            ),
            models.CheckConstraint(
                condition=models.Q(action=LineAction.START)
                | models.Q(change_on__isnull=False, in_service__isnull=False),
                name="a_change_keeps_what_it_found",
            ),
        ]
        indexes = [models.Index(fields=["state", "id"], name="order_line_by_state")]

    def __str__(self) -> str:
        return f"O-{self.order_id}/{self.position}"

    @property
    def is_over(self) -> bool:
        return self.state in (S.COMPLETED, S.CANCELLED)

    @property
    def is_moving(self) -> bool:
        """Will change by itself; a page that shows it should look again."""
        return self.state in (S.ACCEPTED, S.SCHEDULED, S.PROVISIONING, S.DELIVERED, S.CANCELLING)

    # The life cycle, in the order in which a line lives it.

    @transition(
        field=state,
        source=S.ACCEPTED,
        target=S.SCHEDULED,
        custom={"event": "order_line.scheduled", "stamp": "scheduled_at"},
    )
    def schedule(self, *, at: datetime) -> None:
        self.scheduled_at = at

    @transition(
        field=state,
        source=S.SCHEDULED,
        target=S.PROVISIONING,
        custom={"event": "order_line.began", "stamp": "began_at"},
    )
    def begin(self, *, at: datetime) -> None:
        self.began_at = at

    @transition(
        field=state,
        source=S.PROVISIONING,
        target=S.DELIVERED,
        custom={"event": "order_line.delivered", "stamp": "delivered_at"},
    )
    def deliver(self, *, at: datetime, on: date) -> None:
        self.delivered_at, self.delivered_on = at, on

    @transition(
        field=state,
        source=S.DELIVERED,
        target=S.COMPLETED,
        custom={"event": "order_line.completed", "stamp": "completed_at"},
    )
    def complete(self, *, at: datetime) -> None:
        self.completed_at = at

    # Three ways to stand still, each with the way back: by us, for the customer, for a failed task.

    @transition(
        field=state,
        source=[S.SCHEDULED, S.PROVISIONING],
        target=S.HELD,
        custom={"event": "order_line.held"},
    )
    def hold(self, *, at: datetime, reason: str) -> None:
        self.paused_from, self.reason = self.state, reason

    @transition(
        field=state,
        source=[S.SCHEDULED, S.PROVISIONING],
        target=S.WAITING,
        custom={"event": "order_line.waiting"},
    )
    def wait(self, *, at: datetime, reason: str) -> None:
        self.paused_from, self.reason = self.state, reason

    @transition(
        field=state,
        source=[S.SCHEDULED, S.PROVISIONING],
        target=S.FALLOUT,
        custom={"event": "order_line.fell_out"},
    )
    def fall_out(self, *, at: datetime, reason: str) -> None:
        self.paused_from, self.reason = self.state, reason

    def _came_from_scheduled(self) -> bool:
        return self.paused_from == S.SCHEDULED

    def _came_from_provisioning(self) -> bool:
        return self.paused_from == S.PROVISIONING

    @transition(
        field=state,
        source=[S.HELD, S.WAITING],
        target=S.SCHEDULED,
        conditions=[_came_from_scheduled],  # type: ignore[list-item]
        custom={"event": "order_line.resumed"},
    )
    def resume_to_scheduled(self, *, at: datetime) -> None:
        self.paused_from, self.reason = "", ""

    @transition(
        field=state,
        source=[S.HELD, S.WAITING],
        target=S.PROVISIONING,
        conditions=[_came_from_provisioning],  # type: ignore[list-item]
        custom={"event": "order_line.resumed"},
    )
    def resume_to_provisioning(self, *, at: datetime) -> None:
        self.paused_from, self.reason = "", ""

    @transition(
        field=state,
        source=S.FALLOUT,
        target=S.PROVISIONING,
        custom={"event": "order_line.mended"},
    )
    def mend(self, *, at: datetime) -> None:
        self.paused_from, self.reason = "", ""

    @transition(
        field=state,
        source=[S.ACCEPTED, S.SCHEDULED, S.PROVISIONING, S.HELD, S.WAITING, S.FALLOUT],
        target=S.CANCELLING,
        custom={"event": "order_line.cancelling"},
    )
    def cancel(self, *, at: datetime, reason: str) -> None:
        self.reason = reason

    @transition(
        field=state,
        source=S.CANCELLING,
        target=S.CANCELLED,
        custom={"event": "order_line.cancelled", "stamp": "closed_at"},
    )
    def close(self, *, at: datetime) -> None:
        self.closed_at = at
