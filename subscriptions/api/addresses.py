"""What an address asks behind its question mark: a name that nobody knows answers nothing."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from o2b.api.problems import Malformed

TAKEN_BY_REST = {"format"}


def asked_in_address(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    """What is asked, validated; what is said twice is refused, with what is not known."""
    said = request.query_params
    for name, values in said.lists():
        if len(values) > 1:
            raise Malformed(_("This was said more than once."), field=name[:80])
    asking = serializer(data={n: v for n, v in said.items() if n not in TAKEN_BY_REST})
    asking.is_valid(raise_exception=True)
    return dict(asking.validated_data)
