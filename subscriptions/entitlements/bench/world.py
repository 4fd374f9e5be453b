"""Accounts with services, so many: a few written by hand, the others copied of them by Postgres."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import connection
from psycopg2.extras import DateRange, DateTimeTZRange

from o2b.catalog.models import DeliveryPlan, Product, ProductVersion, Terms
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.multiplying import multiply
from o2b.people.groups import ENTITLEMENT_CHECKER
from o2b.people.models import User
from o2b.people.services import ensure_service_user
from orders.models import Order, OrderLine
from subscriptions.models import Equipment, Item, ItemVersion, ServiceState, Standing, Subscription

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
START, MORE = date(2026, 1, 1), date(2026, 3, 1)
SEEDS, PRODUCTS = 10, 10

# table → its columns that grow with each copy, and whose keys they are
COPIED: dict[str, dict[str, str]] = {
    "customers_customer": {"id": "customers_customer"},
    "customers_account": {"id": "customers_account", "customer_id": "customers_customer"},
    "orders_order": {"id": "orders_order", "account_id": "customers_account"},
    "orders_orderline": {
        "id": "orders_orderline",
        "order_id": "orders_order",
        "account_id": "customers_account",
    },
    "subscriptions_subscription": {
        "id": "subscriptions_subscription",
        "account_id": "customers_account",
        "order_id": "orders_order",
    },
    "subscriptions_item": {
        "id": "subscriptions_item",
        "subscription_id": "subscriptions_subscription",
        "account_id": "customers_account",
        "order_line_id": "orders_orderline",
    },
    "subscriptions_itemversion": {
        "id": "subscriptions_itemversion",
        "item_id": "subscriptions_item",
    },
    "subscriptions_equipment": {
        "id": "subscriptions_equipment",
        "item_id": "subscriptions_item",
        "account_id": "customers_account",
    },
}
NAMED = {("customers_account", "reference"), ("subscriptions_equipment", "serial")}


def build(*, accounts: int, lines: int) -> User:
    """So many accounts of so many items, and the user who asks; a multiple of the seeds."""
    checker = ensure_service_user(username="bench-checker", group=ENTITLEMENT_CHECKER)
    entity = LegalEntity.objects.create(code="bench", name="Bench", country="DE", currency="EUR")
    sold = [_product(n) for n in range(PRODUCTS)]
    for n in range(SEEDS):
        _seed(entity, checker, n, [sold[(n + k) % PRODUCTS] for k in range(lines)])
    multiply(COPIED, accounts // SEEDS, named=NAMED)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    return checker


def _product(n: int) -> tuple[ProductVersion, DeliveryPlan, Terms]:
    product = Product.objects.create(code=f"bench-{n}", name=f"Bench product {n}")
    version = ProductVersion.objects.create(product=product, number=1)
    plan = DeliveryPlan.objects.create(product=product, number=1, tasks=[])
    terms = Terms.objects.create(
        digest=f"{n:064}",
        schema=1,
        body="{}",
        product_version=version,
        currency="EUR",
        start_rule="on_delivery",
    )
    return version, plan, terms


def _seed(
    entity: LegalEntity,
    owner: User,
    n: int,
    sold: list[tuple[ProductVersion, DeliveryPlan, Terms]],
) -> None:
    account = Account.objects.create(
        reference=f"B-{n}",
        name=f"Bench {n}",
        legal_entity=entity,
        customer=Customer.objects.create(name=f"Bench {n}"),
        advocate=owner,
        currency="EUR",
        time_zone="Europe/Berlin",
    )
    order = Order.objects.create(account=account, channel="rest", placed_at=AT)
    subscription = Subscription.objects.create(
        account=account, order=order, state=ServiceState.ACTIVE, started_on=START
    )
    for position, (version, plan, terms) in enumerate(sold, start=1):
        line = OrderLine.objects.create(
            order=order,
            account=account,
            position=position,
            product_version=version,
            delivery_plan=plan,
            quantity=Decimal(3),
            characteristics={"site": "Graben 21, Wien", "edition": "pro"},
            terms=terms,
            accepted_at=AT,
            delivered_on=START,
            state=OrderLine.State.COMPLETED,
        )
        _item(subscription, line)


def _item(subscription: Subscription, line: OrderLine) -> None:
    """What was known first, and what is believed since: more of it from March on."""
    item = Item.objects.create(
        subscription=subscription,
        account_id=line.account_id,
        order_line=line,
        product_version=line.product_version,
        state=ServiceState.ACTIVE,
        started_on=START,
        anchor_on=START,
        anchor_day=1,
    )
    later = AT + timedelta(days=30)
    spans = [
        (Decimal(3), DateRange(START, None), DateTimeTZRange(AT, later)),
        (Decimal(3), DateRange(START, MORE), DateTimeTZRange(later, None)),
        (Decimal(5), DateRange(MORE, None), DateTimeTZRange(later, None)),
    ]
    for quantity, valid, recorded in spans:
        ItemVersion.objects.create(
            item=item,
            product_version=line.product_version,
            quantity=quantity,
            terms_id=line.terms_id,
            valid=valid,
            recorded=recorded,
            standing=Standing.IN_USE,
        )
    Equipment.objects.create(
        item=item,
        account_id=line.account_id,
        product_version=line.product_version,
        serial=f"SN-{item.pk}",
        installed_on=START,
    )
