"""Orders in the admin: shown, never written; queues and their members are set up here."""

from django.contrib import admin

from o2b.web.readonly_admin import ReadOnlyAdmin, ReadOnlyInline
from orders.models import Evidence, Order, OrderLine, Queue, QueueMember, Task


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
    list_display = ("name", "code")
    inlines = (MembersInline,)
