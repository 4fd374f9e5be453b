"""The resource of rate decks, to read: their versions, the rates of one, the rate of a number."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.views import Noun
from o2b.catalog.api.outputs import (
    DeckRateOutput,
    NumberRateOutput,
    RateDeckHeadOutput,
    RateDeckOutput,
)
from o2b.catalog.models import DeckRate, RateDeck
from o2b.catalog.selectors.decks import find_rate
from o2b.charging import called_number

NUMBER = [
    OpenApiParameter("number", str, required=True, description="As it is dialled abroad."),
    OpenApiParameter("on", OpenApiTypes.DATE, description="Today, if nothing is said."),
]
OF_VERSION = [OpenApiParameter("version", int, required=True, description="Its number.")]


class RateDeckFilter(filters.FilterSet):
    currency = filters.CharFilter()

    class Meta:
        model = RateDeck
        fields = ("currency",)


class _Number(serializers.Serializer):
    number = serializers.CharField(max_length=40)
    on = serializers.DateField(required=False)

    def validate_number(self, text: str) -> str:
        if not (digits := called_number(text)):
            raise serializers.ValidationError(_("It is no number: write +49 171 234567."))
        return digits


class _Version(serializers.Serializer):
    version = serializers.IntegerField(min_value=1, max_value=32_767)


class RateDeckViewSet(Noun):
    """What calls cost by the prefix of their number, in versions."""

    queryset = RateDeck.objects.all()
    lookup_field = "code"
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    filterset_class = RateDeckFilter
    doors = dict.fromkeys(("list", "retrieve", "rate", "rates"), "catalog.view_product")

    def get_queryset(self) -> QuerySet[RateDeck]:
        decks = RateDeck.objects.all()
        return decks.prefetch_related("versions") if self.action == "retrieve" else decks

    def get_serializer_class(self) -> Any:
        return RateDeckHeadOutput if self.action == "list" else RateDeckOutput

    @extend_schema(parameters=NUMBER, responses=NumberRateOutput)
    @action(detail=True, filterset_class=None, pagination_class=None)
    def rate(self, request: Request, code: str) -> Response:
        """What calls to a number cost on a day; 404 where no published prefix is one of it."""
        asking = _Number(data=request.query_params)
        asking.is_valid(raise_exception=True)
        said = asking.validated_data
        found = find_rate(self.get_object(), said["number"], said.get("on") or clock.today())
        if found.version is None or found.rate is None:
            raise NotFound(_("No prefix of a published version is one of this number."))
        told = {"number": said["number"], "version": found.version.number, "rate": found.rate}
        return Response(NumberRateOutput(told).data)

    @extend_schema(parameters=OF_VERSION, responses=DeckRateOutput(many=True))
    @action(detail=True, filterset_class=None)
    def rates(self, request: Request, code: str) -> Response:
        """The rates of a version, by page."""
        asking = _Version(data=request.query_params.dict())
        asking.is_valid(raise_exception=True)
        version = self.get_object().versions.filter(number=asking.validated_data["version"]).first()
        if version is None:
            raise NotFound(_("The deck has no such version."))
        page: Any = self.paginate_queryset(DeckRate.objects.filter(version=version))
        return self.get_paginated_response(DeckRateOutput(page, many=True).data)
