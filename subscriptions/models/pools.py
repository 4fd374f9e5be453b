"""Pool, prepaid units of one meter that services share; who draws from it; units given by hand.

What orders bring into a pool stands in the Terms of items and nowhere else; what was drawn is
computed from totals. `PoolService` is a projection: which services may ever draw from a pool.
"""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.fields.ranges import DateRangeField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from o2b.catalog.frozen import NOT_TRUNCATED
from o2b.customers.models import Account
from o2b.fields import QuantityField
from subscriptions.models.items import Item


def _only(*columns: str) -> list[pgtrigger.Trigger]:
    """A row stays, and these columns of it may be told once more."""
    less = " - ".join(f"'{column}'" for column in columns)
    return [
        pgtrigger.Trigger(
            name="only_its_end",
            operation=pgtrigger.Update,
            when=pgtrigger.Before,
            func=f"""
            IF (to_jsonb(OLD) - {less}) IS DISTINCT FROM (to_jsonb(NEW) - {less}) THEN
                RAISE EXCEPTION 'o2b: of a row of % only its end can be told', TG_TABLE_NAME;
            END IF;
            RETURN NEW;
            """,
        ),
        pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        NOT_TRUNCATED,
    ]


class Pool(models.Model):
    """Units of a meter that an account holds ready; its own services draw from it, and members.

    `revision` counts what changed of days that are over: usage told late, grants and members told
    for a day before. Billing looks at all who draw from the pool again. From a *hard* pool no more
    is drawn than it holds: usage beyond it is refused.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    meter = models.CharField(max_length=40, help_text=_("The code of the meter."))
    name = models.CharField(max_length=80, blank=True, default="")
    hard = models.BooleanField(default=False, db_default=False)
    revision = models.PositiveIntegerField(default=0, db_default=0)
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["account", "meter"]
        permissions = [
            ("manage_pool", "Can share pools of units, and make them hard limits"),
            ("grant_units", "Can give units by hand"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "meter"], name="one_pool_a_meter"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.account}: {self.meter}"

    def get_absolute_url(self) -> str:
        return reverse("subscriptions:pool", args=[self.pk])

    @property
    def number(self) -> str:
        return f"U-{self.pk}"


def _days() -> Func:
    return Func(F("begins_on"), F("ends_on"), function="DATERANGE", output_field=DateRangeField())


class PoolMember(models.Model):
    """Another account, or one service, that draws from a pool on some days.

    A service that is named draws from that pool alone while its holder has it; else its account's
    membership counts; else the account's own pool. `service` is the first of its chain.
    """

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="members")
    meter = models.CharField(max_length=40)
    account = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(Item, null=True, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(
        Account,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text=_("Of a service: whose it is; with whoever gets it, it draws no more."),
    )
    begins_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("The first day after."))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pool", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=True, service__isnull=False)
                | Q(account__isnull=False, service__isnull=True),
                name="pool_member_is_an_account_or_a_service",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("begins_on")),
                name="pool_membership_ends_after_it_begins",
            ),
            ExclusionConstraint(
                name="an_account_draws_from_one_pool",
                expressions=[
                    ("account", RangeOperators.EQUAL),
                    ("meter", RangeOperators.EQUAL),
                    (_days(), RangeOperators.OVERLAPS),
                ],
                condition=Q(account__isnull=False),
            ),
            ExclusionConstraint(
                name="a_service_draws_from_one_pool",
                expressions=[
                    ("service", RangeOperators.EQUAL),
                    ("meter", RangeOperators.EQUAL),
                    (_days(), RangeOperators.OVERLAPS),
                ],
                condition=Q(service__isnull=False),
            ),
        ]
        triggers = _only("ends_on")

    def __str__(self) -> str:
        return f"{self.account or self.service} draws from {self.pool_id}"


class PoolGrant(models.Model):
    """Units given by hand, for a reason; ended when they are taken back, but for what was drawn."""

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="grants")
    units = QuantityField()
    priority = models.PositiveSmallIntegerField(default=100)
    begins_on = models.DateField()
    ends_on = models.DateField(null=True, help_text=_("The first day after."))
    kept = models.DecimalField(
        max_digits=30,
        decimal_places=12,
        null=True,
        help_text=_("How many of them were drawn when they were taken back."),
    )
    reason = models.CharField(max_length=200)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    granted_at = models.DateTimeField()

    class Meta:
        ordering = ["pool", "begins_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(units__gt=0), name="pool_grant_above_zero"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("begins_on")),
                name="pool_grant_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(kept__isnull=True) | Q(kept__gte=0, kept__lte=F("units")),
                name="pool_grant_keeps_no_more_than_it_gave",
            ),
        ]
        triggers = _only("ends_on", "kept")

    def __str__(self) -> str:
        return f"{self.units} for {self.pool_id}"


class PoolService(models.Model):
    """A service that may draw from a pool on some day; only ever added to."""

    pk = models.CompositePrimaryKey("service_id", "meter_id", "pool_id")
    service_id = models.BigIntegerField()
    meter_id = models.BigIntegerField()
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="services")

    def __str__(self) -> str:
        return f"{self.service_id} of {self.pool_id}"
