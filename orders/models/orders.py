"""Order: what was ordered at one moment, by when, and how it stands."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.customers.models import Account
from orders.models.words import Jeopardy, Priority
from quotes.models import Quote


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
    work_from = models.DateField(null=True, help_text=_("Nothing is begun before this day."))
    promised_on = models.DateField(null=True, help_text=_("The day promised to the customer."))
    forecast_at = models.DateTimeField(
        null=True, help_text=_("When it will be delivered, by the critical path.")
    )
    forecast_made_at = models.DateTimeField(null=True, help_text=_("By the machine's clock."))
    forecast_when_promised = models.DateTimeField(
        null=True, help_text=_("The forecast of the moment when the day was promised.")
    )
    jeopardy = models.CharField(max_length=6, choices=Jeopardy.choices, default=Jeopardy.GREEN)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    bulk = models.ForeignKey(
        "orders.BulkOrder", null=True, on_delete=models.PROTECT, related_name="orders"
    )
    po_number = models.CharField(
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("The customer's own number of it, such as that of their purchase order."),
    )
    note = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("place_order", "Can enter orders"),
            ("accept_quote", "Can accept quotes for the customer"),
            ("work_tasks", "Can work in queues"),
            ("approve_work", "Can approve steps, skips and substitutions"),
            ("manage_work", "Can assign work, mend rules of fallout and switch outside systems"),
            ("hear_complaints", "Can take down and resolve complaints"),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="order_by_account"),
            models.Index(
                fields=["work_from"],
                name="order_to_begin",
                condition=models.Q(work_from__isnull=False),
            ),
            models.Index(
                fields=["jeopardy", "id"],
                name="order_in_jeopardy",
                condition=~models.Q(jeopardy=Jeopardy.GREEN),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"O-{self.pk}"
