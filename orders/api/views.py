"""REST of orders: read them, place one from a quote or without; accept and decline quotes."""

from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet, prefetch_related_objects
from django.urls import reverse
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.idempotency import once
from o2b.api.views import Noun, Verbs
from o2b.asks import held_by
from o2b.customers.references import UnknownReference, account_named
from orders import listing, services
from orders.acceptance.services import AlreadyOrdered, decline_offer, place_order
from orders.api.inputs import (
    AcceptAsked,
    DeclineAsked,
    OrderAsked,
    OrderOfQuoteAsked,
    PoNumberAsked,
    PriorityAsked,
    ReasonAsked,
    WorkFromAsked,
)
from orders.api.outputs import STANDINGS, OrderHeadOutput, OrderOutput, OrderResultOutput
from orders.entry.services import enter_order
from orders.models import Jeopardy, Order, OrderLine, Priority
from orders.selectors import with_standing
from quotes.inputs import LineInput
from quotes.models import Quote

WITH_OR_WITHOUT_QUOTE = PolymorphicProxySerializer(
    component_name="OrderAskedEitherWay",
    serializers=[OrderOfQuoteAsked, OrderAsked],
    resource_type_field_name=None,
)

LINES = Prefetch(
    "lines",
    OrderLine.objects.select_related("product_version__product", "terms")
    .only(
        *(field.name for field in OrderLine._meta.concrete_fields),
        *("product_version__number", "product_version__product__code", "terms__digest"),
    )
    .order_by("position"),
)


class OrderFilter(filters.FilterSet):
    account = filters.CharFilter(field_name="account__reference")
    account_id = filters.NumberFilter()
    quote = filters.NumberFilter(field_name="quote_id")
    channel = filters.MultipleChoiceFilter(choices=Order.Channel.choices)
    kind = filters.MultipleChoiceFilter(choices=Order.Kind.choices)
    state = filters.MultipleChoiceFilter(field_name="standing", choices=STANDINGS)
    jeopardy = filters.MultipleChoiceFilter(choices=Jeopardy.choices)
    priority = filters.ChoiceFilter(choices=Priority.choices)
    queue = filters.CharFilter(method="of_queue", help_text="Orders with open work in it.")
    product = filters.CharFilter(method="of_product", help_text="Its code.")
    advocate = filters.CharFilter(field_name="account__advocate__username")
    po_number = filters.CharFilter(help_text="The customer's own number.")
    bulk = filters.NumberFilter(field_name="bulk_id")
    promised_after = filters.DateFilter(field_name="promised_on", lookup_expr="gte")
    promised_before = filters.DateFilter(field_name="promised_on", lookup_expr="lt")
    placed_after = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="gte")
    placed_before = filters.IsoDateTimeFilter(field_name="placed_at", lookup_expr="lt")

    class Meta:
        model = Order
        fields = ("account_id", "quote", "channel", "kind")

    def of_queue(self, orders: QuerySet[Order], name: str, code: str) -> QuerySet[Order]:
        return listing.by_queue(orders, code)

    def of_product(self, orders: QuerySet[Order], name: str, code: str) -> QuerySet[Order]:
        lines = OrderLine.objects.filter(product_version__product__code=code)
        return orders.filter(Exists(lines.filter(order=OuterRef("pk"))))


class OrderViewSet(Noun):
    """What was ordered."""

    queryset = Order.objects.all()
    filterset_class = OrderFilter
    doors = {
        "list": "orders.view_order",
        "retrieve": "orders.view_order",
        "create": "orders.view_order",  # and place_order or accept_quote, by what is asked
        "priority": "orders.manage_work",
        "po_number": "orders.place_order",
    } | dict.fromkeys(("hold", "resume", "cancel", "work_from"), "orders.work_tasks")

    def get_queryset(self) -> QuerySet[Order]:
        orders = with_standing(Order.objects.select_related("account", "placed_by"))
        return orders if self.action == "list" else orders.prefetch_related(LINES)

    def get_serializer_class(self) -> Any:
        return OrderHeadOutput if self.action == "list" else OrderOutput

    @extend_schema(request=WITH_OR_WITHOUT_QUOTE, responses={201: OrderOutput})
    @once
    def create(self, request: Request) -> Response:
        """Order what a quote offered, or enter an order without a quote."""
        of_quote = isinstance(request.data, dict) and "quote" in request.data
        self.require("orders.accept_quote" if of_quote else "orders.place_order")
        return placed(self._of_quote() if of_quote else self._without_quote(), request.user)

    def _of_quote(self) -> Order:
        asked = self.asked(OrderOfQuoteAsked)
        try:
            return accept(
                quote_id=asked["quote"],
                by=asked["by"],
                user=self.request.user,
                channel="rest",
                work_from=asked["work_from"],
                promised_on=asked["promised_on"],
                po_number=asked["po_number"],
            )
        except Quote.DoesNotExist as exc:
            message = _("There is no quote %(quote)s.") % {"quote": asked["quote"]}
            raise UnknownReference(message, field="quote") from exc

    def _without_quote(self) -> Order:
        asked = self.asked(OrderAsked)
        account = account_named(asked["account"])
        return enter_order(
            account_id=account.pk,
            lines=[LineInput(**line) for line in asked["lines"]],
            at=clock.now(account),
            actor_id=self.user_id,
            channel=Order.Channel.REST,
            start_on=asked["start_on"],
            note=asked["note"],
            translate=asked["legacy"],
            already=held_by(account.pk),
            work_from=asked["work_from"],
            promised_on=asked["promised_on"],
            priority=asked["priority"],
            po_number=asked["po_number"],
        )

    @extend_schema(request=ReasonAsked, responses=OrderResultOutput)
    @action(detail=True, methods=["post"])
    @once
    def hold(self, request: Request, pk: str) -> Response:
        """Let every line that can stand still, by us, and say why."""
        return self._steered(services.hold_order, **self.asked(ReasonAsked))

    @extend_schema(request=None, responses=OrderResultOutput)
    @action(detail=True, methods=["post"])
    @once
    def resume(self, request: Request, pk: str) -> Response:
        """Let every line that was held go on where it stood."""
        return self._steered(services.resume_order)

    @extend_schema(request=ReasonAsked, responses=OrderResultOutput)
    @action(detail=True, methods=["post"])
    @once
    def cancel(self, request: Request, pk: str) -> Response:
        """Give up every line before its point of no return; what was done is undone."""
        return self._steered(services.cancel_order, **self.asked(ReasonAsked))

    @extend_schema(request=PriorityAsked, responses=OrderOutput)
    @action(detail=True, methods=["post"])
    @once
    def priority(self, request: Request, pk: str) -> Response:
        """Put the order before others, or behind them; its open work follows."""
        told = self.asked(PriorityAsked)
        services.reprioritise(order_id=self.key(), at=self.now(), user_id=self.user_id, **told)
        return self.shown(self.key())

    @extend_schema(request=WorkFromAsked, responses=OrderOutput)
    @action(detail=True, methods=["post"], url_path="work-from")
    @once
    def work_from(self, request: Request, pk: str) -> Response:
        """Let work begin on another day, where it has not begun yet."""
        told = self.asked(WorkFromAsked)
        services.change_work_from(order_id=self.key(), at=self.now(), user_id=self.user_id, **told)
        return self.shown(self.key())

    @extend_schema(request=PoNumberAsked, responses=OrderOutput)
    @action(detail=True, methods=["post"], url_path="po-number")
    @once
    def po_number(self, request: Request, pk: str) -> Response:
        """Note the customer's own number of the order; bills from then on say it."""
        told = self.asked(PoNumberAsked)
        services.name_po_number(order_id=self.key(), at=self.now(), user_id=self.user_id, **told)
        return self.shown(self.key())

    def _steered(self, verb: Any, **told: Any) -> Response:
        """The order and its lines after something that each line does for itself."""
        results = verb(order_id=self.key(), at=self.now(), user_id=self.user_id, **told)
        order = self.get_queryset().get(pk=self.key())
        return Response(OrderResultOutput({"order": order, "results": results}).data)


class AnswerViewSet(Verbs):
    """What the customer answers to a quote; accepting it is ordering."""

    queryset = Quote.objects.all()
    doors = {"accept": "orders.accept_quote", "decline": "orders.accept_quote"}

    @extend_schema(request=AcceptAsked, responses={201: OrderOutput}, tags=["quotes"])
    @action(detail=True, methods=["post"])
    @once
    def accept(self, request: Request, pk: str) -> Response:
        """Accept the quote for the customer: it becomes an order."""
        asked = self.asked(AcceptAsked)
        order = accept(quote_id=self.key(), user=request.user, channel="quote", **asked)
        return placed(order, request.user)

    @extend_schema(request=DeclineAsked, responses={204: None}, tags=["quotes"])
    @action(detail=True, methods=["post"])
    @once
    def decline(self, request: Request, pk: str) -> Response:
        """Note that the customer does not want it, and why."""
        asked = self.asked(DeclineAsked)
        decline_offer(quote_id=self.key(), at=self.now(), actor_id=self.user_id, **asked)
        return Response(status=204)


def placed(order: Order, user: Any) -> Response:
    """A new order as it was written; all of it is at hand but what its lines point at."""
    prefetch_related_objects([order], LINES)
    order.placed_by = user
    order.standing = OrderLine.State.SCHEDULED  # type: ignore[attr-defined]
    data = OrderOutput(order).data
    return Response(data, status=201, headers={"Location": data["url"]})


def accept(*, quote_id: int, by: str, user: Any, channel: str, **told: Any) -> Order:
    """Place the order of a quote; if it was placed before, say where it is in the API."""
    quote = Quote.objects.select_related("account__test_clock").get(pk=quote_id)
    try:
        return place_order(
            quote_id=quote_id,
            by=by or str(user),
            at=clock.now(quote.account),
            actor_id=user.pk,
            channel=channel,
            **told,
        )
    except AlreadyOrdered as exc:
        exc.extra["url"] = reverse("api-order-detail", args=[exc.order_id])
        raise
