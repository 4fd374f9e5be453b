"""How fast REST orders are, beside a bare DRF view that inserts the very same rows."""

import json
import secrets
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from itertools import cycle
from statistics import quantiles
from time import perf_counter
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import include, path
from knox.models import AuthToken

from billing.desk import bare_orders
from o2b.celery import app
from orders.models import Order

BARE, OURS = "/bare/orders", "/api/v1/orders"
WARM_UP, ROUNDS = 30, 5

urlpatterns = [
    path("bare/orders", bare_orders.BareOrders.as_view()),
    path("", include("o2b.urls")),
]


class Command(BaseCommand):
    """Orders of three lines by REST, and the yardstick, in turns; a database of its own."""

    help = "Measure order creation by REST against a bare DRF endpoint that inserts the same rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--orders", type=int, default=1000, help="orders on each side")
        parser.add_argument("--lines", type=int, default=3)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        orders, lines = options["orders"], options["lines"]
        if orders < ROUNDS or not 0 < lines <= 100:
            raise CommandError(f"At least {ROUNDS} orders, and 1 to 100 lines.")
        with own_database(), own_queue():
            told = measure(orders, lines)
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        for name, value in told.items():
            self.stdout.write(f"{name:28} {value}")


def measure(orders: int, lines: int) -> dict[str, Any]:
    """Both sides in turns, so that neither has the machine's better minutes."""
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["localhost"]
    shop = bare_orders.a_shop(lines=lines)
    token = AuthToken.objects.create(user=shop.person, expiry=timedelta(hours=1))[1]
    ask = client(token)
    accounts = cycle(shop.accounts)
    bodies = {
        OURS: lambda: shop.order_of(next(accounts)),
        BARE: lambda: shop.bare_order_of(next(accounts)),
    }
    for address, body in bodies.items():
        run(ask, address, body, WARM_UP)
    same_rows(shop, ask, bodies)
    seconds: dict[str, list[float]] = {OURS: [], BARE: []}
    for _ in range(ROUNDS):
        for address, body in bodies.items():
            seconds[address] += run(ask, address, body, orders // ROUNDS)
    ours, bare = rate(seconds[OURS]), rate(seconds[BARE])
    return {
        "orders": len(seconds[OURS]),
        "lines": lines,
        "orders_per_second": round(ours, 1),
        "p95_ms": p95(seconds[OURS]),
        "bare_orders_per_second": round(bare, 1),
        "bare_p95_ms": p95(seconds[BARE]),
        "ratio_to_bare": round(ours / bare, 3),
        "how": "whole WSGI application in one process, token checked, no socket on either side; "
        "bare: DRF view and serializers, one bulk insert a table, no rule, no price, no message",
    }


def client(token: str) -> Callable[[str, dict[str, Any]], float]:
    """Calls the WSGI application as a server would; returns the seconds that it took."""
    application = get_wsgi_application()
    status = ""

    def start_response(line: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        nonlocal status
        status = line
        return lambda data: None

    def ask(address: str, body: dict[str, Any]) -> float:
        raw = json.dumps(body).encode()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": address,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Token {token}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": BytesIO(raw),
            "wsgi.errors": BytesIO(),
            "wsgi.url_scheme": "https",
        }
        began = perf_counter()
        answer = application(environ, start_response)
        content = b"".join(answer)
        answer.close()
        took = perf_counter() - began
        if not status.startswith("201"):
            raise CommandError(f"{address} answered {status}: {content[:500]!r}")
        return took

    return ask


def run(
    ask: Callable[[str, dict[str, Any]], float],
    address: str,
    body: Callable[[], dict[str, Any]],
    times: int,
) -> list[float]:
    return [ask(address, body()) for _ in range(times)]


def same_rows(shop: bare_orders.Shop, ask: Any, bodies: Any) -> None:
    """A yardstick that wrote fewer rows would flatter nobody but itself."""
    written = []
    for address, body in bodies.items():
        before = bare_orders.row_counts()
        ask(address, body())
        after = bare_orders.row_counts()
        written.append({table: after[table] - before[table] for table in after})
    if written[0] != written[1] or not Order.objects.exists():
        raise CommandError(f"The two sides do not write the same rows: {written}")


def rate(seconds: list[float]) -> float:
    return len(seconds) / sum(seconds)


def p95(seconds: list[float]) -> float:
    return round(quantiles(seconds, n=20)[-1] * 1000, 2)


@contextmanager
def own_database() -> Iterator[None]:
    """A database that is made, migrated and thrown away; the house's own is not touched."""
    house = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"o2b_bench_{secrets.token_hex(4)}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(house, verbosity=0)


@contextmanager
def own_queue() -> Iterator[None]:
    """Messages under a prefix that no worker listens to, deleted afterwards."""
    prefix = f"bench-{secrets.token_hex(4)}-"
    before = app.conf.broker_transport_options
    app.conf.broker_transport_options = before | {"global_keyprefix": prefix}
    try:
        yield
    finally:
        app.conf.broker_transport_options = before
        with redis.Redis.from_url(settings.REDIS_URL) as there:
            for key in there.scan_iter(f"{prefix}*"):
                there.delete(key)
