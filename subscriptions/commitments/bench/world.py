"""Services whose terms end in one night: a few written by hand, the others copied by Postgres."""

from datetime import UTC, date, datetime
from decimal import Decimal

from django.db import connection
from psycopg2.extras import DateRange, DateTimeTZRange

from o2b.catalog.models import DeliveryPlan, Product, ProductVersion, Terms
from o2b.catalog.resolution import Resolution
from o2b.catalog.services import freeze_terms
from o2b.charging import (
    Alignment,
    ChargeTerms,
    Interval,
    Kind,
    LineTerms,
    Model,
    Proration,
    StartRule,
    Timing,
)
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.multiplying import multiply
from o2b.people.models import User
from o2b.people.services import ensure_service_user
from o2b.periods import Unit
from orders.models import Order, OrderLine
from subscriptions.models import (
    Commitment,
    Item,
    ItemVersion,
    RenewalDue,
    ServiceState,
    Standing,
    Subscription,
)

AT = datetime(2025, 1, 1, 9, tzinfo=UTC)
START, DUE = date(2025, 1, 1), date(2026, 1, 1)
NIGHT = datetime(2026, 1, 1, 2, tzinfo=UTC)
SEEDS = PRODUCTS = 10

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
        "order_line_id": "orders_orderline",
    },
    "subscriptions_commitment": {
        "id": "subscriptions_commitment",
        "item_id": "subscriptions_item",
        "order_line_id": "orders_orderline",
    },
    "subscriptions_renewaldue": {
        "item_id": "subscriptions_item",
        "commitment_id": "subscriptions_commitment",
    },
}
NAMED = {("customers_account", "reference")}


def build(*, accounts: int, lines: int) -> None:
    """So many accounts of so many services each, all due in one night; a multiple of the seeds."""
    owner = ensure_service_user(username="bench-owner")
    entity = LegalEntity.objects.create(code="bench", name="Bench", country="DE", currency="EUR")
    sold = [_product(n) for n in range(PRODUCTS)]
    for n in range(SEEDS):
        _seed(entity, owner, n, [sold[(n + k) % PRODUCTS] for k in range(lines)])
    multiply(COPIED, accounts // SEEDS, named=NAMED)
    with connection.cursor() as cursor:
        for table, keys in COPIED.items():
            if "id" in keys:
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
                )
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _product(n: int) -> tuple[ProductVersion, DeliveryPlan, Terms]:
    product = Product.objects.create(code=f"bench-{n}", name=f"Bench product {n}")
    version = ProductVersion.objects.create(product=product, number=1)
    plan = DeliveryPlan.objects.create(product=product, number=1, tasks=[])
    charge = ChargeTerms(
        key="monthly",
        kind=Kind.RECURRING,
        model=Model.PER_UNIT,
        unit_price=Decimal(f"{n + 9}.90"),
        currency="EUR",
        interval=Interval(Unit.MONTH),
        timing=Timing.ADVANCE,
        alignment=Alignment.BILL_DAY,
        proration=Proration.DAY,
    )
    promised = LineTerms(product.code, 1, "EUR", StartRule.ON_DELIVERY, (charge,))
    terms = freeze_terms([Resolution(version, Decimal(1), promised, None, None)])[0]
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
    ItemVersion.objects.create(
        item=item,
        product_version=line.product_version,
        quantity=line.quantity,
        terms_id=line.terms_id,
        valid=DateRange(START, None),
        recorded=DateTimeTZRange(AT, None),
        standing=Standing.IN_USE,
        order_line=line,
    )
    commitment = Commitment.objects.create(
        item=item,
        number=1,
        starts_on=START,
        ends_on=DUE,
        months=12,
        anchor_day=1,
        renewal=Commitment.Renewal.UPLIFT,
        uplift_percent=Decimal("3.5"),
        notice_days=30,
        order_line=line,
    )
    RenewalDue.objects.create(item=item, commitment=commitment, due_on=DUE)
