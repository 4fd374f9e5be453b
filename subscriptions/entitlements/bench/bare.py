"""The yardstick: a row by its primary key, as bare SQL and behind a bare endpoint."""

from typing import Any

from django.db import connection
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from o2b.api.tokens import HashedToken

# Seven columns, as many as the check's row has, and as wide.
READ = """
SELECT id, item_id, product_version_id, lower(valid), upper(valid), standing, quantity
    FROM subscriptions_itemversion WHERE id = %s
"""


def read(pk: int) -> tuple[Any, ...]:
    """One row by its key."""
    with connection.cursor() as cursor:
        cursor.execute(READ, [pk])
        return cursor.fetchone()


class BareRead(APIView):
    """The token is looked at, one row is read and told; nothing else."""

    authentication_classes = (HashedToken,)
    permission_classes = (IsAuthenticated,)
    schema = None

    def get(self, request: Request, pk: int) -> Response:
        names = ("id", "item", "version", "start", "end", "standing", "quantity")
        return Response(dict(zip(names, read(pk), strict=True)))
