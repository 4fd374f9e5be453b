"""REST of quotes: draft, send, withdraw. Accepting and declining are orders' verbs."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.idempotency import once
from o2b.api.views import Noun
from o2b.asks import held_by
from o2b.customers.references import account_named
from quotes import services
from quotes.api.inputs import QuoteAsked, line_inputs
from quotes.api.outputs import QuoteHeadOutput, QuoteOutput
from quotes.models import Quote, QuoteLine


class QuoteFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=Quote.State.choices)
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    owner = filters.CharFilter(field_name="owner__username")
    created_after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    valid_until_after = filters.DateFilter(field_name="valid_until", lookup_expr="gte")
    valid_until_before = filters.DateFilter(field_name="valid_until", lookup_expr="lt")

    class Meta:
        model = Quote
        fields = ("state", "account_id")


class QuoteViewSet(Noun):
    """What we offered."""

    queryset = Quote.objects.all()
    filterset_class = QuoteFilter
    doors = {
        "list": "quotes.view_quote",
        "retrieve": "quotes.view_quote",
        "create": "quotes.edit_quote",
        "send": "quotes.send_quote",
        "withdraw": "quotes.send_quote",
    }

    def get_queryset(self) -> QuerySet[Quote]:
        quotes = Quote.objects.select_related("account__test_clock", "owner")
        if self.action == "list":
            return quotes
        lines = QuoteLine.objects.select_related("product_version__product", "terms")
        return quotes.prefetch_related(Prefetch("lines", lines), "lines__terms__charges")

    def get_serializer_class(self) -> Any:
        return QuoteHeadOutput if self.action == "list" else QuoteOutput

    @extend_schema(request=QuoteAsked, responses={201: QuoteOutput})
    @once
    def create(self, request: Request) -> Response:
        """Draft a quote with its lines; prices are found when it is sent."""
        asked = self.asked(QuoteAsked)
        account = account_named(asked.pop("account"))
        quote = services.draft_quote(
            account_id=account.pk,
            owner_id=self.user_id,
            lines=line_inputs(asked.pop("lines")),
            at=clock.now(account),
            already=held_by(account.pk),
            **asked,
        )
        return self.created(quote.pk)

    @extend_schema(request=None, responses=QuoteOutput)
    @action(detail=True, methods=["post"])
    @once
    def send(self, request: Request, pk: str) -> Response:
        """Resolve the prices, freeze the Terms and open the offer to the customer."""
        account = self.account()
        services.send_quote(
            quote_id=self.key(),
            at=clock.now(account),
            actor_id=self.user_id,
            already=held_by(account.pk),
        )
        return self.shown(self.key())

    @extend_schema(request=None, responses=QuoteOutput)
    @action(detail=True, methods=["post"])
    @once
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take back an offer, or give up a draft."""
        services.withdraw_quote(quote_id=self.key(), at=self.now(), actor_id=self.user_id)
        return self.shown(self.key())
