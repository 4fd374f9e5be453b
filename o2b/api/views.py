"""What every resource of the API is made of: the door, the noun, and the answers to nowhere."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, cast

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from rest_framework import mixins, status, viewsets
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from o2b import clock
from o2b.api.exact import ExactJSONParser
from o2b.api.problems import Malformed
from o2b.api.schema import Described
from o2b.api.tokens import HashedToken

Authentication = Sequence[type[BaseAuthentication]]

NO_ACTION = {None, "metadata"}  # the method is refused with a 405
PAGING = {"cursor", "page_size", "format"}


class Door(BasePermission):
    """Whoever has the permission that the view names for the action in `doors`; log-in always."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        doors = getattr(view, "doors", None)
        if doors is None or view.action in NO_ACTION:
            return True
        return request.user.has_perm(doors[view.action])


class Spoken(APIView):
    """Speaks JSON only, exactly; an unknown method is a 405 and a body that is no JSON a 400."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        HashedToken,
        SessionAuthentication,
    )
    parser_classes = (ExactJSONParser,)
    metadata_class = None
    schema = Described()


class Verbs(Spoken, viewsets.GenericViewSet):
    """Methods that call one service each.

    `doors` names the permission of every action; an action that it forgets is a bug, found by test.
    """

    queryset: QuerySet[Any]
    doors: ClassVar[dict[str, str]] = {}
    permission_classes = (Door,)
    lookup_value_regex = "[0-9]{1,19}"

    def asked(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """What the client asks, validated; raises for a 400 naming the fields."""
        asking = serializer(data=self.request.data)
        asking.is_valid(raise_exception=True)
        return dict(asking.validated_data)

    @property
    def user_id(self) -> int:
        """Who asks."""
        return cast(int, self.request.user.pk)  # nobody passes the door without one

    def key(self) -> int:
        """The number in the address; that there is such a row is for the service to see."""
        return int(self.kwargs["pk"])

    def require(self, permission: str) -> None:
        """For an action whose permission depends on what is asked."""
        if not self.request.user.has_perm(permission):
            raise PermissionDenied(permission)

    def account(self) -> Any:
        """The account of the row in the address; 404 without a row."""
        rows = self.queryset.select_related("account__test_clock")
        return rows.get(pk=self.key()).account

    def now(self) -> datetime:
        """The moment that the account of the row in the address lives in."""
        return clock.now(self.account())

    def shown(self, pk: int) -> Response:
        """The row as the client would read it now."""
        row = self.get_queryset().get(pk=pk)
        return Response(self.get_serializer_class()(row).data)

    def created(self, pk: int) -> Response:
        """The new row and its address."""
        response = self.shown(pk)
        response.status_code = status.HTTP_201_CREATED
        response["Location"] = response.data["url"]
        return response


class Noun(mixins.ListModelMixin, mixins.RetrieveModelMixin, Verbs):
    """A read-only resource with its verbs."""

    def filter_queryset(self, queryset: Any) -> Any:
        """A filter that is not known is refused: its typo would answer everything."""
        if self.action == "list":
            known = PAGING | set(self._filters())
            for name in self.request.query_params:
                if name not in known:
                    raise Malformed(_("This filter is not known."), field=name[:80])
            return super().filter_queryset(queryset)
        return queryset

    def _filters(self) -> Any:
        filters = getattr(self, "filterset_class", None)
        return filters.base_filters if filters else ()


class NotHere(APIView):
    """Every address under /api/ that nothing answers."""

    permission_classes = ()
    authentication_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound(_("There is nothing at this address."))


_not_here = NotHere.as_view()


@csrf_exempt  # the view that answers checks for itself, as each of DRF's does
def elsewhere(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """A slash too many at the end does no harm; all else is a problem, not a page."""
    bare = request.path_info.rstrip("/")
    if bare != request.path_info:
        try:
            match = resolve(bare)
        except Resolver404:
            return _not_here(request)
        if match.func is not elsewhere:
            return match.func(request, *match.args, **match.kwargs)
    return _not_here(request)


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """The schema to read and to try, without a line of script in the page."""
    return render(request, "api/docs.html")
