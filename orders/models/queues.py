"""Queues where people take work, who works in them, and the calendars that they keep."""

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from o2b.customers.validators import validate_time_zone
from o2b.fields import AmountField
from orders.rules.worktime import HoursInvalid, hours_of, knows_country, standard_hours


def validate_hours(said: Any) -> None:
    """Refuse hours that overlap, run backwards or belong to no day of the week."""
    try:
        hours_of(said)
    except HoursInvalid as fault:
        raise ValidationError(str(fault)) from fault


class WorkCalendar(models.Model):
    """When people work: hours by day of the week, without the holidays of a country."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    time_zone = models.CharField(max_length=60, default="UTC", validators=[validate_time_zone])
    country = models.CharField(
        max_length=2, blank=True, default="", validators=[RegexValidator(r"^[A-Z]{2}$")]
    )
    subdivision = models.CharField(max_length=10, blank=True, default="")
    hours = models.JSONField(
        default=standard_hours,
        validators=[validate_hours],
        help_text=_('{"mon": [["08:00", "17:00"]], …}; a day that is missing is free.'),
    )
    closed_on = ArrayField(
        models.DateField(), default=list, blank=True, help_text=_("Further days without work.")
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse a place whose holidays nobody knows."""
        if self.subdivision and not self.country:
            raise ValidationError({"subdivision": _("A part of which country?")})
        if self.country and not knows_country(self.country):
            raise ValidationError({"country": _("The holidays of this country are not known.")})
        if self.country and not knows_country(self.country, self.subdivision):
            raise ValidationError({"subdivision": _("The country has no such part.")})


class Queue(models.Model):
    """Where manual work of one kind waits."""

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    calendar = models.ForeignKey(
        WorkCalendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("Who hears of jeopardy and escalations."),
    )
    hourly_rate = AmountField(default=0, help_text=_("What an hour of this work costs us."))
    amber_percent = models.PositiveSmallIntegerField(
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("A task turns amber when so much of its estimate has passed."),
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class QueueMember(models.Model):
    """Who works in a queue, what they are skilled in, and how much they take at once."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    skills = ArrayField(models.SlugField(max_length=40), default=list, blank=True)
    capacity = models.PositiveSmallIntegerField(
        default=0, help_text=_("Most tasks claimed at once in this queue; 0: no limit.")
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "user"], name="one_membership")]

    def __str__(self) -> str:
        return f"{self.user} in {self.queue}"


class EscalationRule(models.Model):
    """Who is told when a task of a queue has stood in jeopardy for too long."""

    class Level(models.TextChoices):
        AMBER = "amber", _("amber")
        RED = "red", _("red")
        FALLOUT = "fallout", _("fallout")

    queue = models.ForeignKey(
        Queue,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="escalations",
        help_text=_("Empty: every queue, and automatic work."),
    )
    level = models.CharField(max_length=8, choices=Level.choices)
    after_minutes = models.PositiveIntegerField(help_text=_("Working minutes in that state."))
    tell = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["queue", "level", "after_minutes"]
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "level", "after_minutes", "tell"],
                name="one_escalation",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.queue or '*'}: {self.level} + {self.after_minutes} min → {self.tell}"
