"""User, and what O2B tells a person: notices in the app and by mail, as each one prefers."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """Django's user, ours from the first migration so that it can grow."""

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Topic(models.TextChoices):
    """What a notice can be about; each person says by topic how they want to hear of it."""

    ACCEPTED = "accepted", _("an order was accepted")
    JEOPARDY = "jeopardy", _("something is in danger or late")
    FALLOUT = "fallout", _("something fell out")
    DELIVERED = "delivered", _("something was delivered")
    FIRST_BILL = "first_bill", _("a first bill was written")
    QUESTION = "question", _("a customer asks")
    COMPLAINT = "complaint", _("a customer complains")
    APPROVAL = "approval", _("an approval is asked of me, or was given")
    MENTION = "mention", _("somebody mentions me")
    WORK = "work", _("work is assigned to me or escalated")
    RENEWALS = "renewals", _("a renewal or another price comes up, or fails")
    USAGE = "usage", _("usage passes a threshold")


class Notice(models.Model):
    """One thing told to one person, once: shown in the app, and mailed if they want it so."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    topic = models.CharField(max_length=12, choices=Topic.choices)
    key = models.CharField(
        max_length=120, help_text=_("What it is about: the same thing is told once.")
    )
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True, default="")
    url = models.CharField(max_length=300, blank=True, default="")
    tone = models.CharField(max_length=4, blank=True, default="")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    in_app = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mail_error = models.CharField(max_length=300, blank=True, default="")
    mail_after = models.DateTimeField(
        null=True, help_text=_("Until then it is under way, or waits after a failure.")
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="told_once"),
        ]
        indexes = [
            models.Index(
                fields=["user", "-id"],
                name="notice_unread",
                condition=models.Q(in_app=True, read_at=None),
            ),
            models.Index(
                fields=["id"],
                name="notice_to_mail",
                condition=models.Q(by_mail=True, mailed_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NoticePreference(models.Model):
    """How a person wants to hear of a topic; without one, both ways."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=12, choices=Topic.choices)
    in_app = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "topic"], name="one_preference_a_topic"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.topic}"
