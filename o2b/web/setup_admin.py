"""An admin for set-up: what is sold is written here as drafts, and published by services."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from o2b.errors import Refused


class JSONOrDefault(forms.JSONField):
    """A JSON field in which nothing, however it is written, is the column's default."""

    def __init__(self, *, default: Callable[[], Any], **given: Any) -> None:
        super().__init__(**given)
        self.default = default

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        return self.default() if cleaned in self.empty_values else cleaned


class EmptyJSON:
    """An admin, or inline, in which an emptied JSON column is what a new row has there."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **given: Any) -> Any:
        if isinstance(db_field, models.JSONField):
            given |= {"form_class": JSONOrDefault, "default": db_field.get_default}
        return super().formfield_for_dbfield(db_field, request, **given)  # type: ignore[misc]


class SetUpAdmin(EmptyJSON, admin.ModelAdmin):
    """Add and change with one permission; nothing is deleted, and `fixed` fields stay for ever."""

    permission: ClassVar[str] = ""
    fixed: ClassVar[tuple[str, ...]] = ()

    def _may(self, request: HttpRequest) -> bool:
        user = request.user
        return bool(user.is_active and user.is_staff and user.has_perm(self.permission))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fixed if obj else ()


class DraftAdmin(SetUpAdmin):
    """Versions: to be written while they are drafts, to be looked at once they are published."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request) and (obj is None or obj.state == "draft")


class DraftInline(EmptyJSON, admin.TabularInline):
    """The rows of a draft, changed with it; those of a published version stand."""

    extra = 1
    permission: ClassVar[str] = ""

    def _may(self, request: HttpRequest, obj: Any) -> bool:
        user = request.user
        drafting = obj is None or obj.state == "draft"
        return bool(user.is_staff and user.has_perm(self.permission) and drafting)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_active and request.user.is_staff)


def each_by_service(
    request: HttpRequest, rows: "QuerySet[Any]", service: Callable[[int], object], done: str
) -> None:
    """Call a service for each chosen row; what it refuses is said, the others go on."""
    for row in rows:
        try:
            service(row.pk)
        except Refused as refusal:
            messages.error(request, f"{row}: {refusal.message}")
        else:
            messages.success(request, done % {"row": row})
