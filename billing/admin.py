"""Billing in the admin: to look things up; nothing billed is ever changed here."""

from django.contrib import admin

from billing.models import (
    Allocation,
    BillRun,
    Breach,
    Charge,
    Invoice,
    ParkedAccount,
    Payment,
    Promise,
    PromiseFact,
    Shard,
)
from o2b.web.readonly_admin import ReadOnlyAdmin, ReadOnlyInline


class ShardInline(ReadOnlyInline):
    model = Shard
    fields = ("n", "state", "planned_accounts", "drafted", "nothing_due", "carried", "parked")
    readonly_fields = fields


class ParkedInline(ReadOnlyInline):
    model = ParkedAccount
    fields = ("account", "code", "reason", "owner")
    readonly_fields = fields


class FactInline(ReadOnlyInline):
    model = PromiseFact
    fields = ("kind", "product", "version", "quantity", "at")
    readonly_fields = fields


class AllocationInline(ReadOnlyInline):
    model = Allocation
    fields = ("invoice", "amount", "at", "by")
    readonly_fields = fields


@admin.register(BillRun)
class BillRunAdmin(ReadOnlyAdmin):
    list_display = ("number", "legal_entity", "on", "state", "opened_by", "approved_by")
    list_filter = ("state", "legal_entity")
    list_select_related = ("legal_entity", "opened_by", "approved_by")
    inlines = (ShardInline, ParkedInline)


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = ("number", "account", "kind", "issued_on", "due_on", "total", "currency")
    list_filter = ("kind", "currency")
    list_select_related = ("account",)
    search_fields = ("number", "account__name", "account__reference")


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account", "amount", "currency", "received_on", "method")
    list_select_related = ("account",)
    search_fields = ("reference", "account__name", "account__reference")
    inlines = (AllocationInline,)


@admin.register(Promise)
class PromiseAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account", "order_id", "opened_at")
    list_select_related = ("account",)
    search_fields = ("product", "account__name", "account__reference")
    inlines = (FactInline,)


@admin.register(Breach)
class BreachAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account", "stage", "found_at", "owner", "resolved_at")
    list_filter = ("stage",)
    list_select_related = ("account", "owner")


@admin.register(Charge)
class ChargeAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account", "item", "terms_charge", "started_on", "anchor_day")
    list_select_related = ("account", "item", "terms_charge__terms")
    search_fields = ("account__name", "account__reference")
