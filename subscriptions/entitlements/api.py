"""REST of entitlements: what may be used now, and yes or no for one product; cheap to ask again."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags, urlencode
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import Asked, Key, Plain, plain
from o2b.api.problems import Malformed
from o2b.api.views import NO_ACTION, Door, Verbs
from subscriptions.entitlements import selectors
from subscriptions.entitlements.rules import Reason
from subscriptions.entitlements.selectors import Checked, Whose
from subscriptions.entitlements.statements import WHOSE
from subscriptions.models import Item

CHECK = "subscriptions.check_entitlement"
FRESH_SECONDS = 30  # so long a product may rely on what it was told
TAKEN_BY_REST = {"format"}


class WhoseAsked(Asked):
    """Of whom: one of five ways to say it. And on which day, if not today."""

    account = serializers.CharField(max_length=40, required=False, help_text="Its reference.")
    account_id = Key(required=False)
    customer = Key(required=False, help_text="All accounts of the customer with this id.")
    serial = serializers.CharField(
        max_length=120, required=False, help_text="A serial at the customer's: what carries it."
    )
    key = serializers.CharField(
        max_length=120, required=False, help_text="A licence key that was issued: what it is for."
    )
    on = serializers.DateField(required=False, help_text="A day; today, where the account lives.")

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        named = [name for name in WHOSE if name in said]
        if len(named) != 1:
            text = _("Say of whom by exactly one of: %(names)s.") % {"names": ", ".join(WHOSE)}
            raise serializers.ValidationError({(named or ["account"])[-1]: [text]})
        return said | {"whose": Whose(named[0], said[named[0]])}


class CheckAsked(WhoseAsked):
    """One product."""

    product = serializers.CharField(max_length=60, help_text="The code of the product.")


class EntitlementsAsked(WhoseAsked):
    """All products, or one; a thousand items at once, after the one named."""

    product = serializers.CharField(max_length=60, required=False)
    after = Key(required=False, help_text="As the answer's `next` has it.")


class Day(serializers.DateField):
    """A day or null."""

    def __init__(self, help_text: str) -> None:
        super().__init__(allow_null=True, help_text=help_text)


UNTIL = "First day on which it may not be used; null: no end is known."
SINCE = "First day of the reason: of suspension, after the end, or the start to come."


class CheckOutput(serializers.Serializer):
    """Yes or no."""

    entitled = serializers.BooleanField()
    product = serializers.CharField()
    quantity = Plain()
    until = Day(UNTIL)
    reason = serializers.ChoiceField(
        choices=[each.value for each in Reason], allow_null=True, help_text="Why not."
    )
    since = Day(SINCE)
    account = serializers.CharField(allow_null=True, help_text="Null where there are several.")
    on = serializers.DateField(help_text="The account's own day that was looked at.")


class EntitlementOutput(serializers.Serializer):
    """One item."""

    item = serializers.CharField(help_text="Its number.")
    account = serializers.CharField()
    product = serializers.CharField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    quantity = Plain()
    characteristics = serializers.DictField()
    serials = serializers.ListField(child=serializers.CharField())
    on = serializers.DateField(help_text="The account's own day that was looked at.")
    until = Day(UNTIL)


class SuspendedOutput(EntitlementOutput):
    """One item that is had and may not be used."""

    until = None  # type: ignore[assignment]
    reason = serializers.CharField()
    since = Day(SINCE)


class EntitlementsOutput(serializers.Serializer):
    """What may be used, and what not."""

    entitlements = EntitlementOutput(many=True, source="usable")
    suspended = SuspendedOutput(many=True)
    next = serializers.CharField(allow_null=True, help_text="Where there is more.")


class NarrowDoor(Door):
    """Looks for one permission alone, for it is passed at every log-in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not (request.user and request.user.is_authenticated) or view.action in NO_ACTION:
            return super().has_permission(request, view)
        return selectors.may_ask(request.user)


class EntitlementViewSet(Verbs):
    """What a customer may use now. A key for these two questions opens nothing else."""

    queryset: QuerySet[Item] = Item.objects.none()
    doors: ClassVar[dict[str, str]] = {"list": CHECK, "check": CHECK}
    permission_classes = (NarrowDoor,)
    pagination_class = None
    filter_backends = ()

    @extend_schema(parameters=[EntitlementsAsked], responses=EntitlementsOutput)
    def list(self, request: Request) -> Response:
        """What may be used on the day, item by item, and what is suspended since when."""
        asked = self._asked(EntitlementsAsked)
        found = selectors.entitlements(
            whose=asked["whose"],
            on=asked.get("on"),
            product=asked.get("product", ""),
            after=asked.get("after", 0),
            machine_now=clock.now(),
        )
        told = EntitlementsOutput(
            {
                "usable": found.usable,
                "suspended": found.suspended,
                "next": self._next(found.after),
            }
        )
        return self._answer(told.data)

    @extend_schema(parameters=[CheckAsked], responses=CheckOutput)
    @action(detail=False)
    def check(self, request: Request) -> Response:
        """Whether a product may be used on the day, how many, until when; or why not."""
        asked = self._asked(CheckAsked)
        found = selectors.check(
            whose=asked["whose"],
            product=asked["product"],
            on=asked.get("on"),
            machine_now=clock.now(),
        )
        return self._answer(_told(found))

    def _asked(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """What the address asks; a name that comes twice or that nobody knows is refused."""
        said = self.request.query_params
        for name, values in said.lists():
            if len(values) > 1:
                raise Malformed(_("This was said more than once."), field=name[:80])
        asking = serializer(data={n: v for n, v in said.items() if n not in TAKEN_BY_REST})
        asking.is_valid(raise_exception=True)
        return dict(asking.validated_data)

    def _next(self, after: int | None) -> str | None:
        if after is None:
            return None
        query = self.request.query_params.dict() | {"after": str(after)}
        return f"{self.request.path}?{urlencode(query)}"

    def _answer(self, told: Mapping[str, Any]) -> Response:
        """The answer with its tag, or 304 where the client has it already."""
        tag = f'"{sha256(repr(told).encode()).hexdigest()[:32]}"'
        known = parse_etags(self.request.headers.get("If-None-Match", ""))
        same = "*" in known or tag in [each.removeprefix("W/") for each in known]
        response = Response(None if same else told)
        if same:
            response.status_code = status.HTTP_304_NOT_MODIFIED
        response["ETag"] = tag
        response["Cache-Control"] = f"private, max-age={FRESH_SECONDS}"
        patch_vary_headers(response, ["Authorization"])
        return response


def _told(found: Checked) -> dict[str, Any]:
    """As CheckOutput describes it."""
    verdict = found.verdict
    return {
        "entitled": verdict.entitled,
        "product": found.product,
        "quantity": plain(verdict.quantity),
        "until": verdict.until,
        "reason": verdict.reason and verdict.reason.value,
        "since": verdict.since,
        "account": found.account,
        "on": found.on,
    }
