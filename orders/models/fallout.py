"""Rules of fallout: what fails like this goes to that queue, and this helps as a rule."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from orders.models.queues import Queue


class FalloutRule(models.Model):
    """Which queue mends what fell out, and what helps as a rule: the first that matches counts."""

    class Remedy(models.TextChoices):
        RETRY = "retry", _("retry")
        EDIT = "edit", _("edit and retry")
        SKIP = "skip", _("skip")
        BY_HAND = "by_hand", _("complete by hand")
        CANCEL = "cancel", _("cancel the line")

    position = models.PositiveSmallIntegerField(unique=True)
    handler = models.CharField(max_length=60, blank=True, default="")
    failure_class = models.CharField(max_length=12, blank=True, default="")
    product = models.SlugField(max_length=60, blank=True, default="")
    says = models.CharField(
        max_length=200, blank=True, default="", help_text=_("A part of the failure's text.")
    )
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    remedy = models.CharField(max_length=8, choices=Remedy.choices)
    advice = models.CharField(max_length=300, blank=True, default="")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        matches = [self.handler, self.failure_class, self.product, self.says]
        return f"{self.position}: {' · '.join(filter(None, matches)) or '*'} → {self.remedy}"
