"""Whatever JSON is sent to whatever creates or acts: an answer below 500, and a problem if 4xx."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from o2b import clock
from o2b.catalog.models import ProductVersion
from orders.models import OrderLine, Task
from tests.api.conftest import As
from tests.factories import INSTALL, a_product, a_quote, a_sent_quote, an_account

pytestmark = pytest.mark.django_db

NAMES = (
    "account",
    "lines",
    "quote",
    "by",
    "note",
    "start_on",
    "title",
    "valid_until",
    "product",
    "quantity",
    "characteristics",
    "discount_percent",
    "reason",
    "version",
    "serial",
    "data",
    "amount",
    "received_on",
    "method",
    "reference",
    "legal_entity",
    "on",
    "accounts",
    "name",
    "currency",
    "bill_day",
    "customer",
    "allocations",
    "invoice",
)

NASTY = st.sampled_from(
    [10**30, -1, 0, 2**63, 0.1, 1e300, "1e30", "0." + "1" * 40, "NaN", "a\0b", "\ud800", ""]
    + ["2026-02-30", "2026-01-31", "0000-00-00", "9999-12-31", "fibre", "A-fuzz", True, None]
)
LEAVES = NASTY | st.integers() | st.floats() | st.text(max_size=20) | st.booleans()
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def bodies(shape: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A right body with some of its members replaced by anything, or anything at all."""
    changed = st.dictionaries(st.sampled_from([*shape, *NAMES[:4]]), ANYTHING, max_size=3)
    return ANYTHING | changed.map(lambda change: shape | change)


FILTERS = (
    "account",
    "account_id",
    "state",
    "order",
    "cursor",
    "page_size",
    "quote",
    "reference",
    "placed_after",
    "delivered_after",
    "created_after",
    "valid_until_after",
    "customer",
    "line",
    "kind",
    "q",
)

LINE = {"product": "fibre", "quantity": "1"}
QUIET = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def send(as_: As) -> Any:
    a_product(code="fibre")
    an_account(reference="A-fuzz")
    client = as_("administrator")

    def to(path: str, body: Any) -> None:
        text = json.dumps(body)
        answer = client.generic("POST", path, text, content_type="application/json")
        assert answer.status_code < 500, (path, text)
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code

    return to


@QUIET
@given(body=bodies({"account": "A-fuzz", "lines": [LINE]}))
def test_orders(send: Any, body: Any) -> None:
    send("/api/v1/orders", body)


@QUIET
@given(line=bodies(LINE | {"characteristics": {}}))
def test_lines_of_orders(send: Any, line: Any) -> None:
    send("/api/v1/orders", {"account": "A-fuzz", "lines": [line]})


@QUIET
@given(body=bodies({"account": "A-fuzz", "valid_until": "2099-01-01", "lines": [LINE]}))
def test_quotes(send: Any, body: Any) -> None:
    send("/api/v1/quotes", body)


@QUIET
@given(line=bodies(LINE | {"discount_percent": "5"}))
def test_lines_of_quotes(send: Any, line: Any) -> None:
    send("/api/v1/quotes", {"account": "A-fuzz", "valid_until": "2099-01-01", "lines": [line]})


@QUIET
@given(
    verb=st.sampled_from(["quote/send", "quote/withdraw", "quote/decline", "sent/accept"]),
    body=bodies({"by": "Ada", "reason": "dear"}),
)
def test_verbs_of_quotes(send: Any, verb: str, body: Any) -> None:
    kind, _, name = verb.partition("/")
    products = list(ProductVersion.objects.all())
    quote = (a_sent_quote if kind == "sent" else a_quote)(products=products, at=clock.now())
    send(f"/api/v1/quotes/{quote.pk}/{name}", body)


@QUIET
@given(
    verb=st.sampled_from(["claim", "release", "complete", "fail", "retry", "hold", "cancel"]),
    body=bodies({"version": 1, "serial": "s", "reason": "why", "data": {}}),
)
def test_verbs_of_work(send: Any, verb: str, body: Any) -> None:
    if not Task.objects.exists():
        a_product(code="router", tasks=INSTALL)  # type: ignore[arg-type]
        line = {"product": "router", "quantity": 1}
        send("/api/v1/orders", {"account": "A-fuzz", "lines": [line]})
    kind = "order-lines" if verb in {"hold", "cancel"} else "tasks"
    row = OrderLine if kind == "order-lines" else Task
    send(
        f"/api/v1/{kind}/{row.objects.order_by('pk').values_list('pk', flat=True)[0]}/{verb}", body
    )


@QUIET
@given(body=bodies({"reference": "A-1", "name": "Acme", "legal_entity": "nordlicht"}))
def test_accounts(send: Any, body: Any) -> None:
    send("/api/v1/accounts", body)


@QUIET
@given(body=bodies({"account": "A-fuzz", "amount": "1.00", "received_on": "2026-01-31"}))
def test_payments(send: Any, body: Any) -> None:
    send("/api/v1/payments", body)


@QUIET
@given(body=bodies({"legal_entity": "nordlicht", "on": "2026-01-31", "accounts": ["A-fuzz"]}))
def test_bill_runs(send: Any, body: Any) -> None:
    send("/api/v1/bill-runs", body)


@QUIET
@given(body=bodies({"username": "sofia", "password": "p"}))
def test_log_in(send: Any, body: Any) -> None:
    send("/api/v1/auth/login", body)


@QUIET
@given(
    path=st.sampled_from(
        [
            "accounts",
            "quotes",
            "orders",
            "order-lines",
            "tasks",
            "subscriptions",
            "bill-runs",
            "invoices",
            "payments",
        ]
    ),
    name=st.sampled_from(FILTERS),
    value=st.text(max_size=12) | st.sampled_from(["9" * 30, "-1", "cD0x", "\0", "2026-02-30"]),
)
def test_questions(as_: As, path: str, name: str, value: str) -> None:
    answer = as_("administrator").get(f"/api/v1/{path}", {name: value.encode(errors="replace")})
    assert answer.status_code in {200, 400}
