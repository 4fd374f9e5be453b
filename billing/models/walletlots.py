"""What a wallet holds: lots of money, every movement of them, and which invoice they paid."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from billing.models.charges import Charge
from billing.models.frozen import LOT_KEPT, LOT_MOVES
from billing.models.invoices import Invoice
from billing.models.payments import Payment
from billing.models.wallets import BY_HAND, Source, Wallet, WalletGrant
from o2b.catalog.frozen import NEVER, NOT_TRUNCATED
from o2b.charging.terms.granted import DEFAULT_PRIORITY
from o2b.fields import AmountField


class WalletLot(models.Model):
    """Money that came at once; `left` is the sum of its movements, kept by Postgres alone."""

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="lots")
    source = models.CharField(max_length=10, choices=Source.choices)
    amount = AmountField()
    left = AmountField(default=0)
    priority = models.PositiveSmallIntegerField(default=DEFAULT_PRIORITY)
    begins_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("First day on which it is gone."))
    charge = models.ForeignKey(Charge, null=True, on_delete=models.PROTECT, related_name="+")
    period_start = models.DateField(null=True)
    invoice = models.ForeignKey(
        Invoice, null=True, on_delete=models.PROTECT, related_name="+", help_text=_("Bills it.")
    )
    grant = models.OneToOneField(
        WalletGrant, null=True, on_delete=models.PROTECT, related_name="lot"
    )
    text = models.CharField(max_length=250, help_text=_("What was ordered, or the reason."))

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="wallet_lot_above_zero"),
            models.CheckConstraint(
                condition=Q(left__gte=0, left__lte=F("amount")), name="wallet_lot_never_overdrawn"
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gt=F("begins_on")),
                name="wallet_lot_is_good_for_a_day",
            ),
            models.CheckConstraint(
                condition=Q(
                    source=Source.ORDER,
                    charge__isnull=False,
                    period_start__isnull=False,
                    invoice__isnull=False,
                    grant=None,
                )
                | Q(source__in=BY_HAND, charge=None, invoice=None, grant__isnull=False),
                name="wallet_lot_has_one_source",
            ),
            models.UniqueConstraint(
                fields=["invoice", "charge", "period_start"], name="one_wallet_lot_a_bill_of_it"
            ),
        ]
        indexes = [
            models.Index(fields=["wallet", "id"], name="wallet_lot_good", condition=Q(left__gt=0)),
            models.Index(
                fields=["ends_on"],
                name="wallet_lot_to_lapse",
                condition=Q(left__gt=0, ends_on__isnull=False),
            ),
        ]
        triggers = [*LOT_KEPT, NOT_TRUNCATED]

    def __str__(self) -> str:
        return f"L-{self.pk}"


class MovementKind(models.TextChoices):
    """What moves a lot; what comes in is above zero, what goes out below."""

    GRANTED = "granted", _("came in")
    DRAWN = "drawn", _("paid an invoice")
    RETURNED = "returned", _("given back")
    TAKEN = "taken", _("taken back")
    LAPSED = "lapsed", _("lapsed")


M = MovementKind


class WalletMovement(models.Model):
    """An amount that came into a lot or left it; never changed.

    `drawn` and `returned` name the invoice or credit note that they settle, `granted` and `taken`
    the one that bills the money; `returned` also names the draw that it undoes.
    """

    Kind = MovementKind

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="movements")
    lot = models.ForeignKey(WalletLot, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=10, choices=MovementKind.choices)
    amount = AmountField()
    on = models.DateField()
    at = models.DateTimeField()
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="+")
    undoes = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="undone")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=[M.GRANTED, M.RETURNED], amount__gt=0)
                | Q(kind__in=[M.DRAWN, M.TAKEN, M.LAPSED], amount__lt=0),
                name="wallet_movement_has_its_sign",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=[M.DRAWN, M.RETURNED, M.TAKEN]) | Q(invoice__isnull=False),
                name="wallet_movement_has_its_invoice",
            ),
            models.CheckConstraint(
                condition=Q(kind=M.RETURNED, undoes__isnull=False)
                | (~Q(kind=M.RETURNED) & Q(undoes=None)),
                name="wallet_movement_undoes_a_draw",
            ),
            models.UniqueConstraint(
                fields=["lot"], condition=Q(kind=M.GRANTED), name="a_wallet_lot_comes_once"
            ),
            models.UniqueConstraint(
                fields=["invoice", "lot"],
                condition=Q(kind=M.DRAWN),
                name="a_wallet_lot_pays_an_invoice_once",
            ),
            models.UniqueConstraint(
                fields=["invoice", "undoes"],
                condition=Q(kind=M.RETURNED),
                name="an_invoice_undoes_a_draw_once",
            ),
        ]
        indexes = [models.Index(fields=["wallet", "-id"], name="wallet_movement_newest")]
        triggers = [*NEVER, LOT_MOVES]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} of L-{self.lot_id}"


class WalletDraw(models.Model):
    """What a wallet paid on an invoice, once; below zero, what it was given back by one.

    Its payment stands beside it; its parts, lot by lot, are the movements `drawn` or `returned` of
    the same invoice.
    """

    invoice = models.OneToOneField(
        Invoice, primary_key=True, on_delete=models.PROTECT, related_name="wallet_draw"
    )
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="draws")
    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="wallet_draw")
    amount = AmountField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="wallet_draw_is_not_nothing"),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.amount} on invoice {self.invoice_id}"
