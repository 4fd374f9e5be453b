"""So many open tasks of many orders in a few queues, and clerks who work in them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection, models

from o2b.catalog.models import DeliveryPlan, Product, ProductVersion, Terms
from o2b.customers.models import Account, Customer, LegalEntity
from o2b.people.groups import ORDER_LEAD, ORDER_TEAM
from o2b.people.models import User
from o2b.people.services import ensure_groups
from orders.models import Order, OrderLine, Queue, QueueMember, Task

AT = datetime(2026, 1, 1, 9, tzinfo=UTC)
ACCOUNTS, QUEUES, TASKS_A_LINE, LINES_AN_ORDER = 200, 4, 10, 10


@dataclass(frozen=True)
class World:
    """Who looks and who claims."""

    lead: User
    clerks: list[User]
    queues: list[Queue]


def build(*, tasks: int, clerks: int, line_state: str = "provisioning") -> World:
    """Ready tasks by hand, ten a line, ten lines an order, spread over queues and accounts."""
    lead = User.objects.create(username="lead", email="lead@example.com", is_active=True)
    ensure_groups()
    lead.groups.add(Group.objects.get(name=ORDER_LEAD))
    queues = [Queue.objects.create(code=f"q{n}", name=f"Queue {n}") for n in range(QUEUES)]
    people = [User.objects.create(username=f"clerk{n}") for n in range(clerks)]
    team = Group.objects.get(name=ORDER_TEAM)
    for clerk in people:
        clerk.groups.add(team)
    QueueMember.objects.bulk_create(
        QueueMember(queue=queues[0], user=clerk, skills=["fibre"]) for clerk in people
    )
    _copies(tasks, _seed(lead, queues[0], line_state), queues)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return World(lead, people, queues)


def _seed(lead: User, queue: Queue, line_state: str) -> Task:
    """One task with all that it hangs on; everything else is a copy of it."""
    entity = LegalEntity.objects.create(code="bench", name="Bench", country="DE", currency="EUR")
    customer = Customer.objects.create(name="Customer")
    account = Account.objects.create(
        reference="A-0",
        name="Account",
        legal_entity=entity,
        customer=customer,
        advocate=lead,
        currency="EUR",
    )
    product = Product.objects.create(code="bench", name="Bench")
    version = ProductVersion.objects.create(product=product, number=1)
    plan = DeliveryPlan.objects.create(product=product, number=1)
    terms = Terms.objects.create(
        digest="0" * 64,
        schema=1,
        body="{}",
        product_version=version,
        currency="EUR",
        start_rule="on_delivery",
    )
    order = Order.objects.create(account=account, channel="rest", placed_at=AT)
    line = OrderLine.objects.create(
        order=order,
        account=account,
        position=1,
        product_version=version,
        delivery_plan=plan,
        quantity=1,
        terms=terms,
        accepted_at=AT,
        state=line_state,
    )
    return Task.objects.create(
        order=order,
        line=line,
        account=account,
        key="t",
        name="Install",
        kind="manual",
        queue=queue,
        minutes=60,
        state="ready",
        ready_at=AT,
        skills=["fibre"],
    )


def _copies(tasks: int, seed: Task, queues: list[Queue]) -> None:
    lines = -(-tasks // TASKS_A_LINE)
    orders = -(-lines // LINES_AN_ORDER)
    accounts = min(ACCOUNTS, orders)
    account = seed.account_id
    _copy(Customer, accounts, {"id": f"{_customer_of(seed)} + i", "name": "'Customer ' || i"})
    _copy(
        Account,
        accounts,
        {
            "id": f"{account} + i",
            "reference": "'A-' || i",
            "customer_id": f"{_customer_of(seed)} + i",
        },
    )
    of_account = f"{account} + 1 + i %% {accounts}"
    _copy(Order, orders, {"id": f"{seed.order_id} + i", "account_id": of_account})
    _copy(
        OrderLine,
        lines,
        {
            "id": f"{seed.line_id} + i",
            "order_id": f"{seed.order_id} + 1 + (i - 1) / {LINES_AN_ORDER}",
            "position": f"1 + (i - 1) %% {LINES_AN_ORDER}",
            "account_id": f"{account} + 1 + (1 + (i - 1) / {LINES_AN_ORDER}) %% {accounts}",
        },
    )
    per_order = LINES_AN_ORDER * TASKS_A_LINE
    _copy(
        Task,
        tasks,
        {
            "id": f"{seed.pk} + i",
            "line_id": f"{seed.line_id} + 1 + (i - 1) / {TASKS_A_LINE}",
            "order_id": f"{seed.order_id} + 1 + (i - 1) / {per_order}",
            "account_id": f"{account} + 1 + (1 + (i - 1) / {per_order}) %% {accounts}",
            "key": f"'t' || (i - 1) %% {TASKS_A_LINE}",
            "queue_id": f"{queues[0].pk} + (i * 7919) %% {len(queues)}",
            "priority": "CASE WHEN i %% 50 = 0 THEN 1 ELSE 0 END",
            "ready_at": "ready_at + i * interval '1 second'",
        },
    )


def _customer_of(seed: Task) -> int:
    return seed.account.customer_id


def _copy(model: type[models.Model], n: int, said: dict[str, str]) -> None:
    """So many copies of the table's first row, with these columns worked out from i."""
    table = model._meta.db_table
    columns = [str(field.column) for field in model._meta.concrete_fields]
    values = ", ".join(said.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    first = f"(SELECT * FROM {table} ORDER BY id LIMIT 1) AS seed"
    told: list[Any] = [n]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {first},"
            " generate_series(1::bigint, %s) AS i",
            told,
        )
