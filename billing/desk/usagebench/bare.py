"""The yardstick: an endpoint that COPYs a batch and dedupes it behind the product's door."""

from datetime import datetime
from decimal import Decimal
from io import StringIO
from typing import ClassVar

import msgspec
from django.db import connection, transaction
from django.http import HttpResponse
from django.urls import include, path
from rest_framework.request import Request

from o2b.api.views import Verbs


class Row(msgspec.Struct, gc=False):
    """As the product decodes it: neither side has the better parser."""

    id: str
    source: str
    meter: str
    subject: str
    time: datetime
    value: Decimal
    unit: str


_DECODER = msgspec.json.Decoder(list[Row])
STAGE = """
CREATE TEMP TABLE IF NOT EXISTS bare_stage (LIKE usage_bare) ON COMMIT DELETE ROWS
"""
INSERT = """
INSERT INTO usage_bare SELECT * FROM bare_stage ON CONFLICT DO NOTHING
"""


class BareViewSet(Verbs):
    """Who asks and whether he may: as for the product."""

    doors: ClassVar[dict[str, str]] = {"create": "subscriptions.send_usage"}

    def create(self, request: Request) -> HttpResponse:
        """COPY, INSERT ... ON CONFLICT DO NOTHING, and the number of new rows."""
        rows = _DECODER.decode(request._request.read())
        text = "".join(
            f"{row.source}\t{row.id}\t{row.meter}\t{row.subject}\t{row.time.isoformat()}"
            f"\t{row.value}\t{row.unit}\n"
            for row in rows
        )
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(STAGE)
            cursor.copy_expert("COPY bare_stage FROM STDIN", StringIO(text))
            cursor.execute(INSERT)
            taken = cursor.rowcount
        return HttpResponse(b'{"accepted":%d}' % taken, content_type="application/json")


urlpatterns = [
    path("bare", BareViewSet.as_view({"post": "create"})),
    path("", include("o2b.urls")),
]
