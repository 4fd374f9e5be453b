"""The yardstick: an endpoint that COPYs a batch and dedupes it, and does nothing else."""

from datetime import datetime
from decimal import Decimal
from io import StringIO

import msgspec
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


class Row(msgspec.Struct):
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


@csrf_exempt
def take(request: HttpRequest) -> HttpResponse:
    """COPY, INSERT ... ON CONFLICT DO NOTHING, and the number of new rows."""
    rows = _DECODER.decode(request.read())
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


urlpatterns = [path("bare", take), path("", include("o2b.urls"))]
