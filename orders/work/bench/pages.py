"""The pages of queues over many open tasks, beside the bare SQL that answers the same question."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.people.models import User
from orders.work.bench.world import World

TIMES = 7
ROWS = """
SELECT task.*, queue.name, orders.*, account.*, customer.name, line.*, version.number,
       product.name, who.username
    FROM orders_task AS task
    JOIN orders_queue AS queue ON queue.id = task.queue_id
    JOIN orders_order AS orders ON orders.id = task.order_id
    JOIN orders_orderline AS line ON line.id = task.line_id
    JOIN customers_account AS account ON account.id = task.account_id
    JOIN customers_customer AS customer ON customer.id = account.customer_id
    JOIN catalog_productversion AS version ON version.id = line.product_version_id
    JOIN catalog_product AS product ON product.id = version.product_id
    LEFT JOIN people_user AS who ON who.id = task.claimed_by_id
    WHERE {which} ORDER BY task.priority DESC, task.id LIMIT {most}
"""
READY = """task.kind = 'manual' AND task.state = 'ready'
    AND line.state IN ('scheduled', 'provisioning')"""
OPEN = f"""(({READY}) OR task.state IN ('claimed', 'fallout')
    OR (task.state = 'running' AND task.waits_for <> ''))"""
COUNT = """
SELECT {what} FROM orders_task AS task JOIN orders_orderline AS line ON line.id = task.line_id
    WHERE {which}
"""
BY_QUEUE = COUNT.format(what="task.queue_id, count(*)", which=READY) + " GROUP BY task.queue_id"
BY_STATE = COUNT.format(what="task.state, count(*)", which=OPEN) + " GROUP BY task.state"


@dataclass(frozen=True)
class Page:
    """A page, and the bare SQL for it: the rows that it shows, and the exact counts beside them."""

    name: str
    url_name: str
    bare: tuple[str, ...]
    query: str = ""


def pages(world: World) -> list[Page]:
    mine = f"{READY} AND task.queue_id = {world.queues[0].pk}"
    return [
        Page("my_queue", "orders:queue", (ROWS.format(which=mine, most=25), BY_QUEUE)),
        Page(
            "list",
            "orders:work",
            (ROWS.format(which=OPEN, most=50), COUNT.format(what="count(*)", which=OPEN)),
        ),
        Page(
            "list_of_a_queue",
            "orders:work",
            (
                ROWS.format(which=mine, most=50),
                COUNT.format(what="count(*)", which=mine),
            ),
            f"?queue={world.queues[0].code}&state=ready",
        ),
        Page("board", "orders:board", (ROWS.format(which=OPEN, most=100), BY_STATE)),
    ]


def client_of(user: User) -> Client:
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


def measure(world: World) -> dict[str, dict[str, float]]:
    """Milliseconds of each page and of its SQL, and how many queries it made."""
    told = {}
    for page in pages(world):
        client = client_of(world.clerks[0] if page.name == "my_queue" else world.lead)
        url = f"{reverse(page.url_name)}{page.query}"
        queries, in_sql = _queries(client, url)
        took = _timed(lambda client=client, url=url: client.get(url, secure=True).content)  # type: ignore[misc]
        bare = _timed(lambda page=page: _bare(page))  # type: ignore[misc]
        told[page.name] = {
            "page_ms": round(took, 1),
            "page_sql_ms": round(in_sql, 1),
            "bare_ms": round(bare, 1),
            "ratio": round(took / bare, 2),
            "queries": queries,
        }
    return told


def _queries(client: Client, url: str) -> tuple[int, float]:
    client.get(url, secure=True)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url, secure=True)
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answers {answer.status_code}")
    return len(captured), sum(float(query["time"]) for query in captured) * 1000


def _bare(page: Page) -> None:
    with connection.cursor() as cursor:
        for statement in page.bare:
            cursor.execute(statement)
            cursor.fetchall()


def _timed(act: Callable[[], object]) -> float:
    act()
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1000)
    return median(took)
