"""Orders in the admin: shown, never written; queues and their members are set up here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from o2b.web.readonly_admin import ReadOnlyAdmin, ReadOnlyInline
from o2b.web.setup_admin import EmptyJSON
from orders.models import (
    EscalationRule,
    Evidence,
    FalloutRule,
    Order,
    OrderLine,
    OutsideSystem,
    Queue,
    QueueMember,
    Task,
    WorkCalendar,
)


class LinesInline(ReadOnlyInline):
    model = OrderLine
    fields = ("position", "product_version", "quantity", "state", "delivered_on")


class TasksInline(ReadOnlyInline):
    model = Task
    fields = ("key", "name", "kind", "queue", "handler", "state", "attempts", "worker")
    fk_name = "line"


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("number", "account", "kind", "channel", "placed_at")
    list_filter = ("kind", "channel")
    list_select_related = ("account",)
    search_fields = ("=pk", "account__reference", "account__name")
    inlines = (LinesInline,)


@admin.register(OrderLine)
class OrderLineAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "product_version", "quantity", "state", "delivered_on")
    list_filter = ("state",)
    list_select_related = ("product_version__product",)
    search_fields = ("=pk", "=order__pk", "account__reference")
    inlines = (TasksInline,)


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("name", "line", "kind", "queue", "handler", "state", "attempts", "due_at")
    list_filter = ("state", "kind", "queue", "handler")
    list_select_related = ("line", "queue")
    search_fields = ("=pk", "=order__pk", "name")


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    list_display = ("line", "task", "product_version", "quantity", "serial", "at", "by")
    list_select_related = ("line", "task", "product_version__product", "by")
    search_fields = ("=serial", "=line__order__pk")


class MembersInline(admin.TabularInline):
    model = QueueMember
    extra = 1


@admin.register(Queue)
class QueueAdmin(admin.ModelAdmin):
    list_display = ("name", "code", "calendar", "owner", "hourly_rate", "amber_percent")
    list_select_related = ("calendar", "owner")
    inlines = (MembersInline,)


@admin.register(WorkCalendar)
class WorkCalendarAdmin(EmptyJSON, admin.ModelAdmin):
    list_display = ("name", "code", "time_zone", "country", "subdivision")
    list_filter = ("country",)


@admin.register(EscalationRule)
class EscalationRuleAdmin(admin.ModelAdmin):
    list_display = ("level", "after_minutes", "queue", "tell", "is_active")
    list_filter = ("level", "is_active", "queue")
    list_select_related = ("queue", "tell")


@admin.register(FalloutRule)
class FalloutRuleAdmin(ReadOnlyAdmin):
    """Shown here; written, tried and put in order on the page of the rules."""

    list_display = (
        "position",
        "handler",
        "failure_class",
        "product",
        "says",
        "queue",
        "remedy",
        "is_active",
    )
    list_filter = ("remedy", "is_active")
    list_select_related = ("queue",)


@admin.register(OutsideSystem)
class OutsideSystemAdmin(admin.ModelAdmin):
    """Its name and its patience are set up here; its circuit is switched on its page."""

    list_display = ("name", "code", "state", "failures", "threshold", "cool_down", "retry_at")
    list_filter = ("state",)
    fields = ("code", "name", "threshold", "cool_down", "state", "failures", "last_error")
    readonly_fields = ("code", "state", "failures", "last_error")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
