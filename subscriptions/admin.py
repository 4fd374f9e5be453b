"""Subscriptions in the admin, to look things up: orders alone change them; and set-up of alerts."""

from django.contrib import admin

from o2b.web.readonly_admin import ReadOnlyAdmin, ReadOnlyInline
from o2b.web.setup_admin import SetUpAdmin
from subscriptions.models import Item, ItemVersion, Subscription, UsageAlertDefault


class ItemInline(ReadOnlyInline):
    model = Item
    fields = ("product_version", "serial", "state", "started_on", "ended_on", "revision")
    readonly_fields = fields


class VersionInline(ReadOnlyInline):
    model = ItemVersion
    fields = ("product_version", "quantity", "terms", "valid", "recorded")
    readonly_fields = fields


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("number", "account", "order", "state", "started_on")
    list_filter = ("state",)
    list_select_related = ("account", "order")
    search_fields = ("account__name", "account__reference")
    inlines = (ItemInline,)


@admin.register(Item)
class ItemAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "account", "product_version", "serial", "state", "started_on")
    list_filter = ("state",)
    list_select_related = ("account", "product_version__product", "subscription")
    search_fields = ("serial", "account__name", "account__reference")
    inlines = (VersionInline,)


@admin.register(UsageAlertDefault)
class UsageAlertDefaultAdmin(SetUpAdmin):
    permission = "subscriptions.change_usagealertdefault"
    fixed = ("legal_entity",)
    list_display = ("__str__", "thresholds", "active")
