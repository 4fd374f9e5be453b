"""QuotedChange: which service a line of a quote changes, and how; QuotedDelta: what that brings."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from quotes.models import Quote, QuoteLine
from subscriptions.models.items import Item


class QuotedChange(models.Model):
    """What a line of a quote asks of one service, as somebody drafted it.

    `revision` is the service's as it was when the quote was sent: one that changes afterwards
    refuses the acceptance. `fee` is what leaving the agreed term was said to cost.
    """

    line = models.OneToOneField(
        QuoteLine, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="+")
    asked = models.JSONField(
        default=dict, help_text=_("The wish, without what the line of the quote says itself.")
    )
    revision = models.PositiveIntegerField(null=True)
    on = models.DateField(null=True, help_text=_("The first day on which it holds, when sent."))
    fee = models.DecimalField(max_digits=19, decimal_places=4, null=True)

    class Meta:
        ordering = ["line"]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.item_id}"


class QuotedDelta(models.Model):
    """What the changes of a quote bring to the bills, as was shown when it was sent."""

    quote = models.OneToOneField(
        Quote, primary_key=True, on_delete=models.CASCADE, related_name="+"
    )
    body = models.JSONField()

    class Meta:
        ordering = ["quote"]

    def __str__(self) -> str:
        return str(self.quote_id)
