"""Both sides in turns, of accounts and rows drawn by lot: neither has the better minutes."""

import gc
import random
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from statistics import quantiles
from time import perf_counter
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import CommandError
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.urls import include, path
from knox.models import AuthToken

from o2b import clock
from o2b.people.models import User
from subscriptions.entitlements import selectors
from subscriptions.entitlements.bench import bare
from subscriptions.entitlements.selectors import Whose
from subscriptions.entitlements.statements import CHECK, WHOSE
from subscriptions.models import ItemVersion

WARM_UP, ROUNDS = 50, 20
urlpatterns = [
    path("bare/<int:pk>", bare.BareRead.as_view()),
    path("", include("o2b.urls")),
]

Ask = Callable[[], float]


def measure(checker: User, *, checks: int, requests: int) -> dict[str, Any]:
    """Microseconds of a check and of a read, milliseconds of both as requests."""
    chance = random.Random(5)
    pairs = _accounts_and_products()
    keys = list(ItemVersion.objects.order_by("pk").values_list("pk", flat=True))
    sides: dict[str, Ask] = {
        "check": lambda: _check(*chance.choice(pairs)),
        "read": lambda: _timed(lambda: bare.read(chance.choice(keys))),
        "list": lambda: _list(chance.choice(pairs)[0]),
    }
    inside = _run(sides, checks)
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["localhost"]
    get = client(AuthToken.objects.create(user=checker, expiry=timedelta(hours=1))[1])
    outside = _run(
        {
            "check": lambda: get(_check_url(*chance.choice(pairs))),
            "read": lambda: get(f"/bare/{chance.choice(keys)}"),
            "list": lambda: get(f"/api/v1/entitlements?account={quote(chance.choice(pairs)[0])}"),
        },
        requests,
    )
    return {
        **_told(inside, unit=1e6, name="us"),
        "ratio_p95": _ratio(inside),
        **{f"http_{name}": value for name, value in _told(outside, unit=1e3, name="ms").items()},
        "http_ratio_p95": _ratio(outside),
        "plan": explained(*pairs[0]),
    }


def _accounts_and_products() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.reference, product.code FROM subscriptions_item AS item"
            " JOIN customers_account AS account ON account.id = item.account_id"
            " JOIN catalog_productversion AS is_ ON is_.id = item.product_version_id"
            " JOIN catalog_product AS product ON product.id = is_.product_id ORDER BY item.id"
        )
        return cursor.fetchall()


def _check(account: str, product: str) -> float:
    whose, now = Whose("account", account), clock.now()
    began = perf_counter()
    found = selectors.check(whose=whose, product=product, machine_now=now)
    took = perf_counter() - began
    if not found.verdict.entitled:
        raise CommandError(f"{account} has {product} and may not use it: {found}")
    return took


def _list(account: str) -> float:
    whose, now = Whose("account", account), clock.now()
    return _timed(lambda: selectors.entitlements(whose=whose, machine_now=now))


def _timed(what: Callable[[], object]) -> float:
    began = perf_counter()
    what()
    return perf_counter() - began


def _run(sides: dict[str, Ask], times: int) -> dict[str, list[float]]:
    for ask in sides.values():
        for _ in range(WARM_UP):
            ask()
    gc.collect()
    gc.freeze()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, ask in sides.items():
            seconds[name] += [ask() for _ in range(times // ROUNDS)]
    return seconds


def _told(seconds: dict[str, list[float]], *, unit: float, name: str) -> dict[str, float]:
    told = {}
    for side, taken in seconds.items():
        cut = quantiles(taken, n=20)
        told[f"{side}_p50_{name}"] = round(cut[9] * unit, 2)
        told[f"{side}_p95_{name}"] = round(cut[18] * unit, 2)
    return told


def _ratio(seconds: dict[str, list[float]]) -> float:
    ours, theirs = (quantiles(seconds[side], n=20)[18] for side in ("check", "read"))
    return round(ours / theirs, 2)


def _check_url(account: str, product: str) -> str:
    return f"/api/v1/entitlements/check?account={quote(account)}&product={quote(product)}"


def client(token: str) -> Callable[[str], float]:
    """Asks the WSGI application as a server would; returns the seconds that it took."""
    application = get_wsgi_application()
    told: list[str] = []

    def start_response(line: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        told[:] = [line]
        return lambda data: None

    def get(url: str) -> float:
        address, _, query = url.partition("?")
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": address,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Token {token}",
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
            "wsgi.url_scheme": "https",
        }
        began = perf_counter()
        answer = application(environ, start_response)
        content = b"".join(answer)
        answer.close()
        took = perf_counter() - began
        if not told[0].startswith("200"):
            raise CommandError(f"{url} answered {told[0]}: {content[:500]!r}")
        return took

    return get


def explained(account: str, product: str) -> list[str]:
    """The plan of the check, with the rows and the time that it took."""
    _, whose, items = WHOSE["account"]
    statement = CHECK.format(whose=whose, items=items).replace("$1", "%s").replace("$2", "%s")
    with connection.cursor() as cursor:
        # product stands before account in the text
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {statement}", [product, account])
        return [row[0] for row in cursor.fetchall()]
