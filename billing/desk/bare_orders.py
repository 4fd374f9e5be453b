"""The yardstick of order creation by REST: a shop to order in, and a DRF view without a rule."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import transaction
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from o2b import clock
from o2b.api.tokens import HashedToken
from o2b.catalog import services as catalog
from o2b.catalog.models import (
    DeliveryPlan,
    Price,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
    Terms,
)
from o2b.catalog.resolution import Wanted, resolve
from o2b.customers.models import Account
from o2b.customers.opening import NewAccount, ensure_legal_entity, open_accounts
from o2b.models import Event, Outbox
from o2b.people.models import User
from o2b.people.services import ensure_groups
from orders.models import Order, OrderLine, Task

ACCOUNTS = 200
TABLES = (
    "orders.Order",
    "orders.OrderLine",
    "orders.Task",
    "o2b.Event",
    "o2b.Outbox",
    "catalog.Terms",
    "catalog.TermsCharge",
    "o2b.IdempotencyKey",
    "quotes.Quote",
)


@dataclass
class Shop:
    """Products with plan and price, accounts, and somebody who may order."""

    person: User
    accounts: list[Account]
    versions: list[ProductVersion]
    plans: list[DeliveryPlan]
    terms: list[Terms]

    def order_of(self, account: Account) -> dict[str, Any]:
        """What a client of the API sends."""
        lines = [{"product": v.product.code, "quantity": "1"} for v in self.versions]
        return {"account": account.pk, "lines": lines}

    def bare_order_of(self, account: Account) -> dict[str, Any]:
        """What a client of the bare view sends: it knows every key already."""
        lines = [
            {"product_version": v.pk, "delivery_plan": plan.pk, "terms": terms.pk, "quantity": "1"}
            for v, plan, terms in zip(self.versions, self.plans, self.terms, strict=True)
        ]
        return {"account": account.pk, "lines": lines}


def a_shop(*, lines: int) -> Shop:
    """Everything that an order of so many lines asks for."""
    at = clock.now() - timedelta(days=1)
    ensure_groups()
    person = User.objects.create_superuser("bench", password=None)
    entity = ensure_legal_entity(code="bench", name="Bench", country="DE", currency="EUR")
    accounts = open_accounts(
        entity=entity,
        wanted=[NewAccount(f"B-{n}", f"Bench {n}", person.pk) for n in range(ACCOUNTS)],
    )
    book = PriceBook.objects.create(code="bench", name="Bench", currency="EUR", is_default=True)
    prices = PriceBookVersion.objects.create(book=book, number=1, valid_from=date(2020, 1, 1))
    versions, plans = [], []
    for n in range(lines):
        product = Product.objects.create(code=f"bench-{n}", name=f"Bench {n}")
        versions.append(ProductVersion.objects.create(product=product, number=1))
        step = {"key": "activate", "name": "Activate", "kind": "automatic", "handler": "activation"}
        plans.append(DeliveryPlan.objects.create(product=product, number=1, tasks=[step]))
        Price.objects.create(
            version=prices,
            product=product,
            key="monthly",
            kind="recurring",
            unit_price=Decimal(10 + n),
            interval_unit="month",
        )
        versions[-1] = catalog.publish_product_version(version_id=versions[-1].pk, at=at)
        plans[-1] = catalog.publish_delivery_plan(plan_id=plans[-1].pk, at=at)
    catalog.publish_price_book_version(version_id=prices.pk, at=at)
    wanted = [Wanted(version, Decimal(1)) for version in versions]
    terms = catalog.freeze_terms(
        resolve(account=accounts[0], wanted=wanted, on=clock.today(accounts[0]))
    )
    return Shop(person, accounts, versions, plans, terms)


def row_counts() -> dict[str, int]:
    """Rows of every table that an order may leave something in."""
    return {name: apps.get_model(name)._base_manager.count() for name in TABLES}


class BareLine(serializers.ModelSerializer):
    class Meta:
        model = OrderLine
        fields = ("product_version", "delivery_plan", "terms", "quantity")


class BareOrder(serializers.ModelSerializer):
    lines = BareLine(many=True)

    class Meta:
        model = Order
        fields = ("id", "account", "lines")


class BareOrders(APIView):
    """Validates keys, inserts rows, shows them; knows neither price nor state nor plan."""

    authentication_classes = (HashedToken,)
    permission_classes = (IsAuthenticated,)
    parser_classes = (JSONParser,)

    def post(self, request: Request) -> Response:
        asked = BareOrder(data=request.data)
        asked.is_valid(raise_exception=True)
        order = write(request.user.pk, **asked.validated_data)
        return Response(BareOrder(order).data, status=201)


@transaction.atomic
def write(user_id: int | None, *, account: Account, lines: list[dict[str, Any]]) -> Order:
    """The rows that an order of so many lines leaves, one statement a table."""
    at = clock.now()
    order = Order.objects.create(
        account=account, channel="rest", placed_at=at, placed_by_id=user_id
    )
    written = OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            account=account,
            position=position,
            state=OrderLine.State.SCHEDULED,
            accepted_at=at,
            scheduled_at=at,
            characteristics={},
            **line,
        )
        for position, line in enumerate(lines, start=1)
    )
    Task.objects.bulk_create(
        Task(
            order=order,
            line=line,
            account=account,
            key="activate",
            name="Activate",
            kind="automatic",
            handler="activation",
            state=Task.State.READY,
            ready_at=at,
        )
        for line in written
    )
    Event.objects.bulk_create(
        Event(
            name=name,
            subject_type=subject._meta.label_lower,
            subject_id=subject.pk,
            account_id=account.pk,
            order_id=order.pk,
            at=at,
            actor_id=user_id,
        )
        for name, subject in [("order.placed", order)]
        + [("order_line.scheduled", line) for line in written]
    )
    Outbox.objects.bulk_create(
        Outbox(event_name="order.placed", task=task, key=order.pk)
        for task in ("orders.advance_order", "billing.open_promises")
    )
    return order
