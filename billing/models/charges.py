"""Charge, what a payer owes of one item under one charge of its Terms; where its billing stands."""

from django.db import models

from o2b.catalog.frozen import NEVER
from o2b.catalog.models import Terms, TermsCharge
from o2b.customers.models import Account
from subscriptions.models import Item


class Charge(models.Model):
    """One item under one TermsCharge; written once, for what moves lives in ChargeState.

    Each payer has one of its own: `account` is who is billed, the item's account or another that
    pays a part of it (ChargeShare).
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    terms = models.ForeignKey(Terms, on_delete=models.PROTECT, related_name="+", db_index=False)
    terms_charge = models.ForeignKey(
        TermsCharge, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    legal_entity_id = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    started_on = models.DateField()
    anchor_day = models.PositiveSmallIntegerField()
    brings_money = models.BooleanField(
        db_default=False, help_text="Its Terms grant money for the account's wallet."
    )

    class Meta:
        ordering = ["account", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "terms_charge", "account"],
                name="one_charge_an_item_terms_charge_and_payer",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "id"], name="charge_by_account"),
            models.Index(
                fields=["account"],
                name="charge_that_brings_money",
                condition=models.Q(brings_money=True),
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"C-{self.pk}"


class ChargeState(models.Model):
    """The only row of a charge that a run updates: narrow, and with room on its page."""

    charge = models.OneToOneField(
        Charge, primary_key=True, on_delete=models.PROTECT, related_name="standing"
    )
    account_id = models.BigIntegerField(help_text="So that a shard reads a range of it.")
    billed_through = models.DateField(null=True, help_text="First day not billed yet.")
    next_due_on = models.DateField(null=True)
    seen_revision = models.PositiveIntegerField(
        default=0, help_text="The item's revision that the last bill saw."
    )
    seen_usage = models.PositiveIntegerField(
        db_default=0, help_text="The mark of usage that came late, as the last bill saw it."
    )
    taken_back_to = models.DateField(
        null=True,
        help_text="First day after all that was reversed; billed again by difference up to it.",
    )

    class Meta:
        indexes = [models.Index(fields=["account_id"], name="charge_state_by_account")]

    def __str__(self) -> str:
        return f"C-{self.charge_id} billed to {self.billed_through}"
