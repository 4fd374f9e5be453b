"""Top-up, the standing order that a wallet is refilled by, and each order that it has made."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from billing.models.wallets import Wallet
from o2b.catalog.models import Product
from o2b.fields import AmountField, QuantityField
from o2b.fsm import Stateful
from orders.models import Order


class TopUp(models.Model):
    """Order so much of a product once less than `below` is left, at most so often a month."""

    wallet = models.OneToOneField(Wallet, on_delete=models.PROTECT, related_name="top_up")
    below = AmountField()
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    most_a_month = models.PositiveSmallIntegerField(default=1)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Whose standing order it is: who set it last."),
    )
    active = models.BooleanField(default=True)
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["wallet"]
        constraints = [
            models.CheckConstraint(condition=Q(below__gt=0), name="top_up_below_something"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="top_up_of_something"),
            models.CheckConstraint(
                condition=Q(most_a_month__gte=1, most_a_month__lte=100), name="top_up_so_often"
            ),
        ]

    def __str__(self) -> str:
        return f"top-up of W-{self.wallet_id}"


class TopUpState(models.TextChoices):
    """Where one refill stands."""

    OPEN = "open", _("ordered")
    FILLED = "filled", _("money came in")
    CANCELLED = "cancelled", _("order cancelled")
    FAILED = "failed", _("refused")


T = TopUpState


class TopUpOrder(Stateful):
    """One refill: its order while it is under way, or why it was refused; one is open at most."""

    State = TopUpState

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="top_up_orders")
    account_id = models.BigIntegerField()
    on = models.DateField()
    asked_at = models.DateTimeField()
    left = AmountField(help_text=_("What was left when it was asked for."))
    order = models.OneToOneField(Order, null=True, on_delete=models.PROTECT, related_name="+")
    state = FSMField(choices=TopUpState.choices, default=TopUpState.OPEN, protected=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["wallet"], condition=Q(state=T.OPEN), name="one_open_top_up_a_wallet"
            ),
        ]

    def __str__(self) -> str:
        return f"T-{self.pk}"

    # The life cycle, in the order in which a refill lives it.

    @transition(
        field=state, source=T.OPEN, target=T.FILLED, custom={"event": "wallet_top_up.filled"}
    )
    def fill(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state, source=T.OPEN, target=T.CANCELLED, custom={"event": "wallet_top_up.cancelled"}
    )
    def cancel(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state, source=T.OPEN, target=T.FAILED, custom={"event": "wallet_top_up.failed"}
    )
    def fail(self, *, at: datetime) -> None:
        pass
