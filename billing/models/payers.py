"""Who else pays for an account: agreements with their shares, and what charges know of them."""

from datetime import datetime

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from billing.models.charges import Charge
from o2b.catalog.frozen import NEVER, NOT_TRUNCATED
from o2b.customers.models import Account
from o2b.fsm import Stateful
from subscriptions.models import Item

# What was agreed stays; it is decided once, and its end only ever comes nearer.
AGREED = [
    pgtrigger.Trigger(
        name="stays_as_agreed",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        func="""
        IF (to_jsonb(OLD) - ARRAY['state', 'decided_by_id', 'decided_at', 'ends_on', 'ended_by_id',
                                  'ended_at', 'end_reason'])
                IS DISTINCT FROM
                (to_jsonb(NEW) - ARRAY['state', 'decided_by_id', 'decided_at', 'ends_on',
                                       'ended_by_id', 'ended_at', 'end_reason'])
                OR OLD.state <> 'asked' AND NEW.state <> OLD.state
                OR NEW.ends_on IS DISTINCT FROM OLD.ends_on
                    AND (NEW.ends_on IS NULL OR NEW.ends_on > OLD.ends_on) THEN
            RAISE EXCEPTION 'o2b: of an agreement of payers only an earlier end can be told'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
        """,
    ),
    pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
    NOT_TRUNCATED,
]

# Its shares are told with it, before anybody agrees; together they are at most the whole.
AT_MOST_ALL = pgtrigger.Trigger(
    name="at_most_all",
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    declare=[
        ("agreed", "billing_payeragreement%ROWTYPE"),
        ("customer", "customers_account%ROWTYPE"),
        ("payer", "customers_account%ROWTYPE"),
        ("told", "NUMERIC"),
    ],
    func="""
    SELECT * INTO agreed FROM billing_payeragreement WHERE id = NEW.agreement_id FOR UPDATE;
    SELECT * INTO customer FROM customers_account WHERE id = agreed.account_id;
    SELECT * INTO payer FROM customers_account WHERE id = NEW.payer_id;
    SELECT sum(percent) INTO told FROM billing_payershare WHERE agreement_id = NEW.agreement_id;
    IF told > 100 THEN
        RAISE EXCEPTION 'o2b: % %% are more than all', told USING ERRCODE = 'check_violation';
    END IF;
    IF agreed.state <> 'asked' THEN
        RAISE EXCEPTION 'o2b: this agreement is decided, it gets no more payers'
            USING ERRCODE = 'check_violation';
    END IF;
    IF payer.id = customer.id OR payer.legal_entity_id <> customer.legal_entity_id
            OR payer.currency <> customer.currency THEN
        RAISE EXCEPTION 'o2b: account % cannot pay for account %', payer.id, customer.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
    """,
)


class AgreementState(models.TextChoices):
    """Where an agreement stands."""

    ASKED = "asked", _("to approve")
    AGREED = "agreed", _("agreed")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


A = AgreementState


class PayerAgreement(Stateful):
    """From a day on others pay parts of what an account, or one service of it, is billed.

    A second person decides. For a service with an agreement of its own that one holds, not the
    account's. `service` is the first item of its chain. An agreement that ends on the day on which
    it starts never held.
    """

    State = AgreementState

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(Item, null=True, on_delete=models.PROTECT, related_name="+")
    starts_on = models.DateField(help_text=_("First day whose billing periods are shared."))
    ends_on = models.DateField(null=True, help_text=_("First day outside."))
    reason = models.CharField(max_length=250)
    state = FSMField(choices=AgreementState.choices, default=AgreementState.ASKED, protected=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=250, blank=True, default="")

    class Meta:
        ordering = ["account", "starts_on", "pk"]
        permissions = [
            ("share_charges", "Can ask that others pay a part of an account, and end that"),
            ("approve_payers", "Can approve payers that somebody else asked for"),
        ]
        constraints = [
            ExclusionConstraint(
                name="one_agreement_of_payers_at_a_time",
                expressions=[
                    ("account", RangeOperators.EQUAL),
                    (Coalesce(F("service"), Value(0)), RangeOperators.EQUAL),
                    (
                        Func(F("starts_on"), F("ends_on"), Value("[)"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(state=A.AGREED),
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="payer_agreement_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("asked_by")) | Q(state=A.WITHDRAWN),
                name="payer_agreement_by_two_people",
            ),
        ]
        triggers = AGREED

    def __str__(self) -> str:
        return f"PA-{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("billing:payers", args=[self.pk])

    # The life cycle, in the order in which an agreement lives it.

    @transition(
        field=state,
        source=A.ASKED,
        target=A.AGREED,
        custom={"event": "payer_agreement.approved", "stamp": "decided_at"},
    )
    def approve(self, *, at: datetime, by: int) -> None:
        self.decided_at, self.decided_by_id = at, by

    @transition(
        field=state,
        source=A.ASKED,
        target=A.REFUSED,
        custom={"event": "payer_agreement.refused", "stamp": "decided_at"},
    )
    def refuse(self, *, at: datetime, by: int) -> None:
        self.decided_at, self.decided_by_id = at, by

    @transition(
        field=state,
        source=A.ASKED,
        target=A.WITHDRAWN,
        custom={"event": "payer_agreement.withdrawn", "stamp": "decided_at"},
    )
    def withdraw(self, *, at: datetime, by: int) -> None:
        self.decided_at, self.decided_by_id = at, by


class PayerShare(models.Model):
    """One payer of an agreement, and the percent of each amount; the account pays the rest."""

    agreement = models.ForeignKey(PayerAgreement, on_delete=models.PROTECT, related_name="shares")
    position = models.PositiveSmallIntegerField()
    payer = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    percent = models.DecimalField(max_digits=9, decimal_places=6)

    class Meta:
        ordering = ["agreement", "position"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "position"], name="one_share_a_position"),
            models.UniqueConstraint(fields=["agreement", "payer"], name="one_share_a_payer"),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=100), name="payer_share_percent"
            ),
        ]
        triggers = [*NEVER, AT_MOST_ALL]

    def __str__(self) -> str:
        return f"{self.percent.normalize():f} %"


class ChargeShare(models.Model):
    """The part of a shared charge that its account pays, by day, as drafting reads it.

    `parts` is what `billing.rules.sharing` writes. `mark` grows when they change; a draft that has
    seen it leaves it in `seen`, so that what changed meanwhile is still due.
    """

    charge = models.OneToOneField(
        Charge, primary_key=True, on_delete=models.PROTECT, related_name="sharing"
    )
    account_id = models.BigIntegerField(help_text="So that a shard reads a range of it.")
    parts = models.TextField()
    mark = models.PositiveIntegerField(default=1)
    seen = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["account_id"], name="charge_share_by_account")]

    def __str__(self) -> str:
        return f"C-{self.charge_id}: {self.parts}"
