"""Commitment: for how long a service is agreed, what comes then, what leaving earlier costs.

RenewalDue says of each service that is committed to a day when that is and what is known of it;
PriceMove says who was told of a price list's new version, and from when it counts for them.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NEVER
from o2b.catalog.models import PriceBookVersion
from o2b.customers.models import Account
from orders.models import OrderLine
from subscriptions.models.items import Item


class Renewal(models.TextChoices):
    """What happens when a commitment ends. Sources: Zuora (renewal terms), Salesforce Revenue."""

    SAME = "same", _("renews at the same price")
    UPLIFT = "uplift", _("renews with an uplift")
    CURRENT = "current", _("renews at the price list of that day")
    MONTHLY = "monthly", _("goes on from month to month")
    END = "end", _("ends")


class LeavingFee(models.TextChoices):
    """What ending within a commitment costs. Sources: Chargebee, Zuora (early termination)."""

    NONE = "none", _("nothing")
    REMAINING = "remaining", _("all that remains")
    PERCENT = "percent", _("a percentage of what remains")
    FIXED = "fixed", _("a fixed amount")


class Commitment(models.Model):
    """One agreed term of a service; the one with the highest number holds. Written once.

    It stands on the first item of the chain, whoever has the service since. Without `ends_on` it
    goes on until somebody ends it, with notice. Renewals end on `anchor_day`, or the month's last.
    """

    Renewal = Renewal
    LeavingFee = LeavingFee

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="commitments")
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("The first day after it."))
    months = models.PositiveSmallIntegerField(null=True, help_text=_("How long a renewal is."))
    anchor_day = models.PositiveSmallIntegerField(
        help_text=_("The day of the month on which its terms begin and end.")
    )
    renewal = models.CharField(max_length=8, choices=Renewal.choices)
    uplift_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    notice_days = models.PositiveSmallIntegerField(default=0)
    leaving_fee = models.CharField(
        max_length=9, choices=LeavingFee.choices, default=LeavingFee.NONE
    )
    leaving_value = models.DecimalField(
        max_digits=19, decimal_places=4, default=0, help_text=_("Percent, or an amount.")
    )
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["item", "number"]
        constraints = [
            models.UniqueConstraint(fields=["item", "number"], name="one_commitment_a_number"),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True)
                | models.Q(ends_on__gt=models.F("starts_on")),
                name="a_commitment_ends_after_it_starts",
            ),
        ]
        indexes = [
            models.Index(
                fields=["ends_on"],
                name="commitment_by_end",
                condition=models.Q(ends_on__isnull=False),
            ),
        ]
        triggers = NEVER

    def __str__(self) -> str:
        return f"{self.item_id}: {self.starts_on} to {self.ends_on or '…'}"


class RenewalDue(models.Model):
    """When the running commitment of a service ends: its one row that moves, and what was told."""

    item = models.OneToOneField(
        Item, primary_key=True, on_delete=models.PROTECT, related_name="renewal_due"
    )
    commitment = models.OneToOneField(Commitment, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    remind_on = models.DateField(
        null=True, help_text=_("From when its advocate is told; empty once that is done.")
    )
    waits = models.BooleanField(
        default=False, help_text=_("It was due, and waits until the service is in use again.")
    )
    tried_on = models.DateField(null=True, help_text=_("Looked at in vain; once a day."))
    fault = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering = ["due_on", "item"]
        indexes = [
            models.Index(fields=["due_on", "item"], name="renewal_by_day"),
            models.Index(
                fields=["remind_on", "item"],
                name="renewal_to_remind",
                condition=models.Q(remind_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} on {self.due_on}"


class PriceMove(models.Model):
    """A service that moves to a new version of the book that sold it: told when, moving when.

    With `at_renewal` it moves at the first renewal on or after `moves_on`. Where a letter is owed
    to the customer nothing moves before it went out, and its notice counts from then.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="price_moves")
    book_version = models.ForeignKey(PriceBookVersion, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", help_text=_("Who was told.")
    )
    at_renewal = models.BooleanField()
    told_on = models.DateField()
    moves_on = models.DateField()
    letter_owed = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)
    settled_on = models.DateField(null=True, help_text=_("When it moved, or was found the same."))
    order_line = models.ForeignKey(OrderLine, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["item", "book_version"]
        constraints = [
            models.UniqueConstraint(
                fields=["item", "book_version"], name="one_price_move_a_book_version"
            ),
        ]
        indexes = [
            models.Index(
                fields=["moves_on", "item"],
                name="price_move_to_come",
                condition=models.Q(settled_on__isnull=True),
            ),
            models.Index(
                fields=["account"],
                name="price_move_to_mail",
                condition=models.Q(letter_owed=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} to {self.book_version_id} from {self.moves_on}"
