"""Wallet, prepaid money of an account, and grants by hand that a second person approves."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.charging.terms.granted import DEFAULT_PRIORITY
from o2b.customers.models import Account
from o2b.fields import AmountField
from o2b.fsm import Stateful


class Covers(models.TextChoices):
    """Which lines of an invoice a wallet pays, with their tax."""

    USAGE = "usage", _("usage only")
    ALL = "all", _("everything that brings no money itself")


class Usable(models.TextChoices):
    """From when on money that was ordered may be drawn."""

    ON_INVOICE = "on_invoice", _("once it is invoiced")
    ON_PAYMENT = "on_payment", _("once its invoice is paid")


class Source(models.TextChoices):
    """Where the money of a lot comes from."""

    ORDER = "order", _("ordered")
    PROMOTION = "promotion", _("promotion")
    GOODWILL = "goodwill", _("goodwill")


BY_HAND = [Source.PROMOTION, Source.GOODWILL]


class Wallet(models.Model):
    """Prepaid money of an account in a currency; it is there from the first money on."""

    Covers, Usable = Covers, Usable

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    legal_entity_id = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    covers = models.CharField(max_length=10, choices=Covers.choices, default=Covers.USAGE)
    usable = models.CharField(max_length=10, choices=Usable.choices, default=Usable.ON_INVOICE)
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["account", "currency"]
        permissions = [
            ("grant_money", "Can ask for prepaid money as a gift, and set up wallets"),
            ("approve_grant", "Can approve prepaid money that somebody else asked for"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "currency"], name="one_wallet_an_account_and_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"W-{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("billing:wallet", args=[self.pk])


class GrantState(models.TextChoices):
    """Where a grant by hand stands."""

    ASKED = "asked", _("to approve")
    GRANTED = "granted", _("granted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


G = GrantState


class WalletGrant(Stateful):
    """Money that somebody wants to give to an account; a second person decides."""

    State = GrantState

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    source = models.CharField(max_length=10, choices=[(s.value, s.label) for s in BY_HAND])
    amount = AmountField()
    priority = models.PositiveSmallIntegerField(default=DEFAULT_PRIORITY)
    ends_on = models.DateField(null=True, help_text=_("First day on which it is gone."))
    reason = models.CharField(max_length=250)
    state = FSMField(choices=GrantState.choices, default=GrantState.ASKED, protected=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="wallet_grant_above_zero"),
            models.CheckConstraint(
                condition=~Q(decided_by=F("asked_by")) | Q(state=G.WITHDRAWN),
                name="wallet_grant_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"G-{self.pk}"

    # The life cycle, in the order in which a grant lives it.

    @transition(
        field=state,
        source=G.ASKED,
        target=G.GRANTED,
        custom={"event": "wallet_grant.approved", "stamp": "decided_at"},
    )
    def approve(self, *, at: datetime, by: int) -> None:
        self.decided_at, self.decided_by_id = at, by

    @transition(
        field=state,
        source=G.ASKED,
        target=G.REFUSED,
        custom={"event": "wallet_grant.refused", "stamp": "decided_at"},
    )
    def refuse(self, *, at: datetime, by: int) -> None:
        self.decided_at, self.decided_by_id = at, by

    @transition(
        field=state,
        source=G.ASKED,
        target=G.WITHDRAWN,
        custom={"event": "wallet_grant.withdrawn", "stamp": "decided_at"},
    )
    def withdraw(self, *, at: datetime, by: int) -> None:
        self.decided_at, self.decided_by_id = at, by
