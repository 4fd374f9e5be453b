"""Order, and OrderLine with the life cycle from acceptance to service."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.urls import reverse
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
from quotes.models import Quote, QuoteLine


class Order(models.Model):
    """What was ordered at one moment; its state is derived from its lines."""

    class Kind(models.TextChoices):
        NEW = "new", _("new")
        CHANGE = "change", _("change")
        RENEW = "renew", _("renew")
        SUSPEND = "suspend", _("suspend")
        RESUME = "resume", _("resume")
        MOVE = "move", _("move")
        TRANSFER = "transfer", _("transfer")
        CANCEL = "cancel", _("cancel")
        PRICE_CHANGE = "price_change", _("price change")

    class Channel(models.TextChoices):
        QUOTE = "quote", _("quote")
        SCREEN = "screen", _("screen")
        REST = "rest", "REST"
        TMF622 = "tmf622", "TMF622"
        BULK = "bulk", _("bulk")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    quote = models.OneToOneField(Quote, null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.NEW)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    start_on = models.DateField(null=True, help_text=_("Billing starts on this day, if given."))
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("place_order", "Can enter orders"),
            ("accept_quote", "Can accept quotes for the customer"),
            ("work_tasks", "Can work in queues"),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="order_by_account")]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"O-{self.pk}"


class LineState(models.TextChoices):
    """Where a line stands on its way from acceptance to service."""

    ACCEPTED = "accepted", _("accepted")
    SCHEDULED = "scheduled", _("scheduled")
    PROVISIONING = "provisioning", _("provisioning")
    HELD = "held", _("held")
    WAITING = "waiting", _("waiting for customer")
    FALLOUT = "fallout", _("fallout")
    DELIVERED = "delivered", _("delivered")
    COMPLETED = "completed", _("completed")
    CANCELLING = "cancelling", _("cancelling")
    CANCELLED = "cancelled", _("cancelled")


S = LineState


class OrderLine(Stateful):
    """One product ordered: the quoted Terms, the plan version it is delivered by, and its days."""

    State = LineState

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()
    quote_line = models.OneToOneField(
        QuoteLine, null=True, on_delete=models.PROTECT, related_name="+"
    )
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    delivery_plan = models.ForeignKey(DeliveryPlan, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    characteristics = models.JSONField(default=dict)
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+")
    book_version = models.ForeignKey(
        PriceBookVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, related_name="+")
    start_on = models.DateField(null=True, help_text=_("For Terms that start on a date."))
    state = FSMField(choices=State.choices, default=State.ACCEPTED, protected=True)
    paused_from = models.CharField(
        max_length=12, blank=True, default="", help_text=_("Where a pause goes back to.")
    )
    accepted_at = models.DateTimeField()
    scheduled_at = models.DateTimeField(null=True)
    began_at = models.DateTimeField(null=True)
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
