"""Quote, with its life cycle, and its lines."""

from datetime import date, datetime

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from o2b.catalog.models import Contract, PriceBookVersion, ProductVersion, Terms
from o2b.catalog.models.prices import choices_of
from o2b.charging import StartRule
from o2b.customers.models import Account
from o2b.fields import AmountField, QuantityField
from o2b.fsm import Stateful


class Quote(Stateful):
    """One version of an offer to an account; its lines point at frozen Terms once it is sent."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        IN_APPROVAL = "in_approval", _("in approval")
        APPROVED = "approved", _("approved")
        SENT = "sent", _("sent")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")
        SUPERSEDED = "superseded", _("superseded")

    class Kind(models.TextChoices):
        NEW = "new", _("new")
        CHANGE = "change", _("change")

    kind = models.CharField(
        max_length=6,
        choices=Kind.choices,
        default=Kind.NEW,
        db_default=Kind.NEW,
        help_text=_("Of new services only, or also against what is in service."),
    )
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveSmallIntegerField(default=1, help_text=_("The version of the offer."))
    supersedes = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="superseded_by"
    )
    title = models.CharField(max_length=200, blank=True, default="")
    currency = models.CharField(max_length=3)
    valid_until = models.DateField(help_text=_("The last day on which it can be accepted."))
    start_on = models.DateField(
        null=True,
        blank=True,
        help_text=_(
            "Billing starts on this day, or on delivery if that is later; empty: on delivery."
        ),
    )
    state = FSMField(choices=State.choices, default=State.DRAFT, protected=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.CharField(
        max_length=200, blank=True, default="", help_text=_("Who accepted: a user or a signer.")
    )
    closed_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="", help_text=_("Why it was declined."))
    monthly_total = AmountField(
        default=0,
        help_text=_("Recurring a month, when sent; of changes, by how much it becomes more."),
    )
    one_time_total = AmountField(default=0, help_text=_("One-time, when sent."))

    class Meta:
        ordering = ["-pk"]
        permissions = [
            ("edit_quote", "Can draft and edit quotes"),
            ("send_quote", "Can send quotes"),
        ]
        indexes = [
            models.Index(fields=["state", "valid_until"], name="quote_by_state"),
            models.Index(fields=["account", "-id"], name="quote_by_account"),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("quotes:detail", args=[self.pk])

    @property
    def number(self) -> str:
        return f"Q-{self.pk}" if self.revision == 1 else f"Q-{self.pk} v{self.revision}"

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @transition(
        field=state,
        source=[State.DRAFT, State.APPROVED],
        target=State.SENT,
        custom={"event": "quote.sent", "stamp": "sent_at"},
    )
    def send(self, *, at: datetime) -> None:
        self.sent_at = at

    @transition(field=state, source=State.DRAFT, target=State.IN_APPROVAL)
    def submit(self, *, at: datetime) -> None:
        pass

    @transition(field=state, source=State.IN_APPROVAL, target=State.APPROVED)
    def approve(self, *, at: datetime) -> None:
        pass

    @transition(field=state, source=[State.IN_APPROVAL, State.APPROVED], target=State.DRAFT)
    def reopen(self, *, at: datetime) -> None:
        pass

    @transition(
        field=state,
        source=State.SENT,
        target=State.ACCEPTED,
        custom={"event": "quote.accepted", "stamp": "accepted_at"},
    )
    def accept(self, *, at: datetime, by: str) -> None:
        self.accepted_at, self.accepted_by = at, by

    @transition(
        field=state,
        source=State.SENT,
        target=State.DECLINED,
        custom={"event": "quote.declined", "stamp": "closed_at"},
    )
    def decline(self, *, at: datetime, reason: str) -> None:
        self.closed_at, self.reason = at, reason

    @transition(
        field=state,
        source=State.SENT,
        target=State.EXPIRED,
        custom={"event": "quote.expired", "stamp": "closed_at"},
    )
    def expire(self, *, at: datetime) -> None:
        self.closed_at = at

    @transition(
        field=state,
        source=[State.DRAFT, State.IN_APPROVAL, State.APPROVED, State.SENT],
        target=State.WITHDRAWN,
        custom={"event": "quote.withdrawn", "stamp": "closed_at"},
    )
    def withdraw(self, *, at: datetime) -> None:
        self.closed_at = at

    @transition(
        field=state,
        source=[State.SENT, State.DECLINED, State.EXPIRED, State.WITHDRAWN],
        target=State.SUPERSEDED,
        custom={"event": "quote.superseded", "stamp": "closed_at"},
    )
    def supersede(self, *, at: datetime) -> None:
        self.closed_at = at

    @property
    def is_change(self) -> bool:
        return self.kind == self.Kind.CHANGE

    def may_be_accepted_on(self, day: date) -> bool:
        """Whether that day still lies within its validity."""
        return day <= self.valid_until


class QuoteLine(models.Model):
    """One product offered: a wish while the quote is a draft, a promise (`terms`) once sent.

    A line that does not add says of a service what it is after the change; which service that is
    is known a stage above.
    """

    class Action(models.TextChoices):
        """What a line does. Source: TMF648 (quote item action), Salesforce CPQ (amend, renew)."""

        ADD = "add", _("add")
        CHANGE = "change", _("change")
        RENEW = "renew", _("renew")
        CO_TERM = "co_term", _("co-term")
        END = "end", _("end")

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    action = models.CharField(
        max_length=7, choices=Action.choices, default=Action.ADD, db_default=Action.ADD
    )
    product_version = models.ForeignKey(ProductVersion, on_delete=models.PROTECT, related_name="+")
    quantity = QuantityField()
    characteristics = models.JSONField(default=dict, blank=True)
    discount_percent = models.DecimalField(max_digits=7, decimal_places=4, default=0)
    start_rule = models.CharField(
        max_length=12,
        blank=True,
        default="",
        db_default="",
        choices=choices_of(StartRule),
        help_text=_(
            "When billing starts; empty: on the agreed day if there is one, else on delivery."
        ),
    )
    terms = models.ForeignKey(Terms, null=True, on_delete=models.PROTECT, related_name="+")
    book_version = models.ForeignKey(
        PriceBookVersion, null=True, on_delete=models.PROTECT, related_name="+"
    )
    contract = models.ForeignKey(Contract, null=True, on_delete=models.PROTECT, related_name="+")
    why = models.JSONField(default=list, help_text=_("Every price candidate, and why it won."))

    class Meta:
        ordering = ["quote", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["quote", "position"],
                name="one_quote_line_a_position",
                deferrable=models.Deferrable.DEFERRED,
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="quote_line_quantity_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(discount_percent__range=(0, 100)),
                name="quote_line_discount_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=models.Q(action__in=["add", "change", "renew", "co_term", "end"]),
                name="quote_line_of_a_known_action",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quote_id}/{self.position}"
