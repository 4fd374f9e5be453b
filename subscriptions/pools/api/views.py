"""GET, POST and PATCH of /api/v1/pools and what belongs to a pool."""

import contextlib
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.idempotency import once
from o2b.api.problems import Malformed
from o2b.api.views import PAGING, Noun
from o2b.asks import held_by
from subscriptions.models import Pool, PoolGrant, PoolMember
from subscriptions.pools import services, shown
from subscriptions.pools.api.inputs import (
    MovementsAsked,
    PoolAsked,
    PoolChange,
    PoolFilter,
    PoolGrantAsked,
    PoolMemberAsked,
    PoolRefillAsked,
)
from subscriptions.pools.api.outputs import (
    PoolGrantOutput,
    PoolLotOutput,
    PoolMemberOutput,
    PoolMovementOutput,
    PoolOutput,
    PoolRefillOutput,
)
from subscriptions.pools.api.paging import NumberedPages
from subscriptions.pools.movements import Movement
from subscriptions.pools.scene import (
    Scene,
    members_of,
    pools_for_list,
    refill_of,
    scene_of,
    scenes_of,
)
from subscriptions.pools.services import RefillRefused

SEE, MANAGE, GRANT = (
    "subscriptions.see_usage",
    "subscriptions.manage_pool",
    "subscriptions.grant_units",
)
ORDER = "orders.place_order"


class PoolViewSet(Noun):
    """Pools of prepaid units."""

    queryset = pools_for_list()
    serializer_class = PoolOutput
    filterset_class = PoolFilter
    doors: ClassVar[dict[str, str]] = {
        **dict.fromkeys(("list", "retrieve", "lots", "movements", "members", "refill"), SEE),
        **dict.fromkeys(("create", "change", "share", "end_member", "set_refill"), MANAGE),
        **dict.fromkeys(("grants", "give", "end_grant"), SEE),
    }

    @extend_schema(operation_id="pools_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every pool, with what is left today."""
        page: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(PoolOutput(_dressed(page), many=True).data)

    @extend_schema(operation_id="pools_retrieve")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One pool as it stands today."""
        return Response(PoolOutput(_dressed([self.get_object()])[0]).data)

    @extend_schema(request=PoolAsked, responses={201: PoolOutput})
    @once
    def create(self, request: Request) -> Response:
        """Open a pool that no order has opened."""
        told = self.asked(PoolAsked)
        account = told.pop("account")
        pool = services.open_pool(
            account_id=account.pk, **told, at=clock.now(account), by=self.user_id
        )
        return self._told(pool.pk, status.HTTP_201_CREATED)

    @extend_schema(request=PoolChange, responses=PoolOutput)
    def change(self, request: Request, pk: str) -> Response:
        """Another name; a hard limit, or none any more."""
        told = self.asked(PoolChange)
        by = self._by()
        if "name" in told:
            services.rename_pool(name=told["name"], **by)
        if "hard" in told:
            services.set_hard(hard=told["hard"], **by)
        return self._told(self.key())

    @extend_schema(responses=PoolLotOutput(many=True), operation_id="pools_lots_list")
    def lots(self, request: Request, pk: str) -> Response:
        """What came in, the newest first; also what is used up or gone."""
        return self._paged(self._numbered(self._scene().every_lot()), _lot)

    @extend_schema(
        parameters=[
            MovementsAsked,
            OpenApiParameter("from", OpenApiTypes.DATE, description="The first day."),
        ],
        responses=PoolMovementOutput(many=True),
        operation_id="pools_movements_list",
    )
    def movements(self, request: Request, pk: str) -> Response:
        """The statement: what came in, was drawn, went on or lapsed, the newest first."""
        self._check_filters({"what", "service", "from", "to"})
        asked = MovementsAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        scene = self._scene()
        rows = [row for row in scene.movements if _wanted(scene, row, asked.validated_data)]
        return self._paged(
            [(row.number, row) for row in rows], lambda some: _movements(scene, some)
        )

    @extend_schema(responses=PoolMemberOutput(many=True), operation_id="pools_members_list")
    def members(self, request: Request, pk: str) -> Response:
        """With whom it is or was shared."""
        self._check_filters(set())
        pool = self.queryset.get(pk=self.key())
        page: Any = self.paginate_queryset(members_of(pool.pk))
        return self.get_paginated_response(PoolMemberOutput(page, many=True).data)

    @extend_schema(request=PoolMemberAsked, responses={201: PoolMemberOutput})
    @once
    def share(self, request: Request, pk: str) -> Response:
        """Let another account, or one service, draw from the pool."""
        at, told = self.now(), self.asked(PoolMemberAsked)
        member = services.share_pool(pool_id=self.key(), **told, at=at, by=self.user_id)
        found = members_of(member.pool_id).get(pk=member.pk)
        return Response(PoolMemberOutput(found).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "ends_on", OpenApiTypes.DATE, description="The first day after; today without it."
            )
        ],
        responses=PoolMemberOutput,
    )
    def end_member(self, request: Request, pk: str, row: str) -> Response:
        """It draws from the pool no more."""
        at = self.now()
        member = PoolMember.objects.get(pk=int(row), pool=self.key())
        services.end_sharing(
            member_id=member.pk, ends_on=self._day("ends_on"), at=at, by=self.user_id
        )
        return Response(PoolMemberOutput(members_of(self.key()).get(pk=member.pk)).data)

    @extend_schema(responses=PoolGrantOutput(many=True), operation_id="pools_grants_list")
    def grants(self, request: Request, pk: str) -> Response:
        """Units that were given by hand."""
        self._check_filters(set())
        pool = self.queryset.get(pk=self.key())
        page: Any = self.paginate_queryset(pool.grants.select_related("granted_by"))
        return self.get_paginated_response(PoolGrantOutput(page, many=True).data)

    @extend_schema(request=PoolGrantAsked, responses={201: PoolGrantOutput})
    @once
    def give(self, request: Request, pk: str) -> Response:
        """Units by hand, for a reason; wants the permission to give units."""
        self.require(GRANT)
        at, told = self.now(), self.asked(PoolGrantAsked)
        grant = services.grant_units(pool_id=self.key(), **told, at=at, by=self.user_id)
        found = PoolGrant.objects.select_related("granted_by").get(pk=grant.pk)
        return Response(PoolGrantOutput(found).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[OpenApiParameter("reason", str, required=True, description="Why.")],
        responses=PoolGrantOutput,
    )
    def end_grant(self, request: Request, pk: str, row: str) -> Response:
        """What is left of units given by hand is taken back today."""
        self.require(GRANT)
        at = self.now()
        grant = PoolGrant.objects.get(pk=int(row), pool=self.key())
        reason = request.query_params.get("reason", "").replace("\0", "")
        services.end_grant(grant_id=grant.pk, reason=reason, at=at, by=self.user_id)
        found = PoolGrant.objects.select_related("granted_by").get(pk=grant.pk)
        return Response(PoolGrantOutput(found).data)

    @extend_schema(responses=PoolRefillOutput)
    def refill(self, request: Request, pk: str) -> Response:
        """The standing order that tops the pool up; 404 where there never was one."""
        found = refill_of(self.queryset.get(pk=self.key()).pk)
        if found is None:
            raise Pool.DoesNotExist(f"pool {pk} has no refill")
        return Response(PoolRefillOutput(found).data)

    @extend_schema(request=PoolRefillAsked, responses=PoolRefillOutput)
    def set_refill(self, request: Request, pk: str) -> Response:
        """Say the standing order anew, or switch it off; wants the permission to place orders."""
        self.require(ORDER)
        pool = self.queryset.get(pk=self.key())
        told = self.asked(PoolRefillAsked)
        by = self._by()
        if told.pop("active"):
            for name in ("below", "product"):
                if name not in told:
                    raise RefillRefused(_("It is required."), field=name)
            services.set_refill(**told, **by, already=held_by(pool.account_id))
        elif refill_of(pool.pk) is not None:
            services.stop_refill(**by)
        return self.refill(request, pk)

    # how it is answered

    def _by(self) -> dict[str, Any]:
        """Of which pool, when and by whom."""
        return {"pool_id": self.key(), "at": self.now(), "by": self.user_id}

    def get_object(self) -> Pool:
        return self.queryset.get(pk=self.key())

    def _told(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        data = PoolOutput(_dressed([self.queryset.get(pk=pk)])[0]).data
        headers = {"Location": data["url"]} if code == status.HTTP_201_CREATED else {}
        return Response(data, status=code, headers=headers)

    def _scene(self) -> Scene:
        return scene_of(self.key())

    def _numbered(self, rows: Sequence[Any]) -> Sequence[tuple[int, Any]]:
        """Rows of which new ones come first, with numbers that stay."""
        self._check_filters(set())
        return [(len(rows) - n, row) for n, row in enumerate(rows)]

    def _paged(self, rows: Sequence[tuple[int, Any]], dress: Any) -> Response:
        pages = NumberedPages()
        some = pages.some_of(rows, self.request)
        return pages.get_paginated_response(dress(some))

    def _check_filters(self, known: set[str]) -> None:
        for name in self.request.query_params:
            if name not in known | PAGING:
                raise Malformed(_("This filter is not known."), field=name[:80])

    def _day(self, name: str) -> date | None:
        told = self.request.query_params.get(name)
        if told is None:
            return None
        with contextlib.suppress(ValueError):
            if len(told) == 10:
                return date.fromisoformat(told)
        raise Malformed(_("This is no day; write it as YYYY-MM-DD."), field=name)


def _dressed(pools: Sequence[Pool]) -> Sequence[Pool]:
    """Pools with `now`, how they stand today."""
    now = scenes_of(pools)
    for pool in pools:
        pool.now = now[pool.pk]  # type: ignore[attr-defined]
    return pools


def _lot(rows: Sequence[Any]) -> Any:
    return PoolLotOutput(rows, many=True).data


def _movements(scene: Scene, rows: Sequence[Movement]) -> Any:
    told = []
    for row in rows:
        said = shown.movement_shown(scene, row)
        drew = row.ref is not None
        told.append(
            {
                "number": row.number,
                "day": row.day,
                "what": str(row.what),
                "units": row.units,
                "left": row.left,
                "lot": row.lot,
                "service": said.who if drew else "",
                "account": said.account,
                "said": said.who_note if drew else f"{said.who}, {said.who_note}",
            }
        )
    return PoolMovementOutput(told, many=True).data


def _wanted(scene: Scene, row: Movement, asked: dict[str, Any]) -> bool:
    if "what" in asked and row.what != asked["what"]:
        return False
    if ("from" in asked and row.day < asked["from"]) or ("to" in asked and row.day > asked["to"]):
        return False
    if "service" in asked:
        return row.ref is not None and scene.items[row.ref[0]].number == asked["service"].upper()
    return True
