"""Pages of what is computed: by numbers that stay, the highest first."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from o2b.api.paging import CursorPages


class NumberedPages(CursorPages):
    """A cursor is the number that the page stops above; one leads on, none leads back."""

    def some_of(self, rows: Sequence[tuple[int, Any]], request: Request) -> list[Any]:
        """The rows of the page that the request asks for; `rows` are numbered downwards."""
        size = self.get_page_size(request)
        told = request.query_params.get("cursor")
        if told is not None and not self.is_position(told):
            raise self._bad("cursor")
        below = [row for row in rows if told is None or row[0] < int(told)]
        self.here = request.build_absolute_uri()
        self.last = below[size - 1][0] if len(below) > size else None
        return [row for _number, row in below[:size]]

    def get_paginated_response(self, data: Any) -> Response:
        here = remove_query_param(self.here, "cursor")
        on = replace_query_param(here, "cursor", self.last) if self.last is not None else None
        return Response({"next": on, "previous": None, "results": data})
