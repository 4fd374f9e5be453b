"""Pages by cursor: stable while rows come in, and as cheap at the end as at the beginning."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from o2b.api.problems import Malformed

LARGEST_KEY = 2**63 - 1


class CursorPages(CursorPagination):
    """Newest first by key, `page_size` up to 200; a cursor or size that is none is a 400."""

    ordering = "-pk"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size")
        if asked is None:
            return self.page_size or self.max_page_size
        if not (asked.isascii() and asked.isdigit() and len(asked) < 4) or int(asked) < 1:
            raise self._bad("page_size")
        if int(asked) > self.max_page_size:
            raise self._bad("page_size")
        return int(asked)

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as exc:
            raise self._bad("cursor") from exc
        position = cursor.position if cursor else None
        if position is not None and not self.is_position(str(position)):
            raise self._bad("cursor")
        return cursor

    def is_position(self, position: str) -> bool:
        """Whether a row may stand there: a key."""
        digits = position.isascii() and position.isdigit()
        return digits and len(position) <= 19 and int(position) <= LARGEST_KEY

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        return (self.ordering,)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def _bad(self, field: str) -> Malformed:
        if field == "cursor":
            return Malformed(_("This is no cursor of ours."), field=field)
        return Malformed(
            _("A page holds 1 to %(most)s rows.") % {"most": self.max_page_size}, field=field
        )
