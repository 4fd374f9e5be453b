"""Orders without a quote: prices are resolved, bad input is refused by field."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from o2b.charging import from_canonical, price
from o2b.customers.models import Account
from o2b.errors import Refused
from orders.entry.services import enter_order
from orders.fulfilment.services import cancel_line
from quotes.inputs import LineInput
from tests.factories import a_contract, a_sent_quote, monthly
from tests.orders.build import NOON, a_product, an_account, entered, happened, states, written

pytestmark = pytest.mark.django_db


def test_the_price_is_resolved_and_frozen():
    account, user = an_account(), an_account().advocate
    order = entered(account, a_product(charges=[monthly("12.50")]), actor_id=user.pk, note=" rush ")
    line = order.lines.get()
    assert (order.quote_id, order.channel, order.placed_by, order.note) == (
        None,
        "screen",
        user,
        "rush",
    )
    assert line.terms.charges.get().unit_price == Decimal("12.50")
    assert (line.book_version is not None, line.quote_line) == (True, None)
    assert line.terms.start_rule == "on_delivery"
    assert states(order) == (["scheduled"], ["ready"])
    assert happened(order) == ["order.placed", "order_line.scheduled"]


def test_a_start_day_makes_the_rule():
    order = entered(an_account(), a_product(), start_on=date(2026, 3, 1))
    assert order.lines.get().terms.start_rule == "on_date"
    assert order.lines.get().start_on == date(2026, 3, 1)


def test_the_contracts_fixed_discount_goes_once():
    account, product = an_account(), a_product(charges=[monthly("20")])
    a_contract(account, discounts=[("amount", "5")])
    first, second = entered(account, product), entered(account, product)
    discounts = [o.lines.get().terms.charges.get().discounts for o in (first, second)]
    assert discounts == [[{"kind": "amount", "value": "5.00"}], []]


BAD = [
    ({"product": "nothing"}, "lines[0].product"),
    ({"product": "n\0l"}, "lines[0].product"),
    ({"quantity": "0"}, "lines[0].quantity"),
    ({"quantity": "-1"}, "lines[0].quantity"),
    ({"quantity": "1.5"}, "lines[0].quantity"),
    ({"quantity": "1e30"}, "lines[0].quantity"),
    ({"quantity": "NaN"}, "lines[0].quantity"),
    ({"quantity": "many"}, "lines[0].quantity"),
    ({"characteristics": {"colour": "red"}}, "lines[0].characteristics"),
    ({"discount_percent": "5"}, "lines[0].discount_percent"),
]


@pytest.mark.parametrize(("fault", "field"), BAD)
def test_bad_lines_are_refused_by_field(fault, field):
    account, product = an_account(), a_product()
    before = written()
    asked: dict[str, Any] = {"product": product.product.code, "quantity": "1"} | fault
    line = LineInput(**asked)
    with pytest.raises(Refused) as refused:
        entered(account, lines=[line])
    assert refused.value.field == field
    assert written() == before


def test_other_refusals():
    product = a_product()
    dollars, closed = an_account(currency="USD"), an_account()
    Account.objects.filter(pk=closed.pk).update(state="closed")
    nobody = Account(pk=10**9)
    open_account = an_account()
    before = written()
    cases = [
        (dollars, [product], {}, "no_price", 422, "lines[0].product"),
        (closed, [product], {}, "account_closed", 409, "account"),
        (nobody, [product], {}, "account_unknown", 422, "account"),
        (open_account, [], {}, "no_lines", 422, "lines"),
        (open_account, [product], {"note": "x" * 2001}, "note_invalid", 422, "note"),
        (open_account, [product], {"note": "\0"}, "note_invalid", 422, "note"),
    ]
    for account, products, given, code, status, field in cases:
        with pytest.raises(Refused) as refused:
            entered(account, *products, **given)
        no = refused.value
        assert (no.code, no.status, no.field) == (code, status, field)
        assert written() == before


def test_at_noon_of_the_account():
    assert entered(an_account(), a_product()).placed_at == NOON


def test_a_contracts_fixed_discount_is_carried_once_whatever_the_way():
    """(MONEY) an order without a quote took it: neither a quote nor another order gets it too."""
    product = a_product(charges=[monthly("20.00")])
    account = an_account()
    a_contract(account, discounts=[("amount", "3.00")])

    def offered():
        return a_sent_quote(account=account, products=[product]).monthly_total

    def ordered():
        return enter_order(
            account_id=account.pk,
            lines=[LineInput(product=product.product.code, quantity="1")],
            at=NOON,
            actor_id=None,
            channel="screen",
        ).lines.get()

    first = ordered()
    assert price_of(first) == Decimal("17.00")
    assert offered() == Decimal("20.00")
    assert price_of(ordered()) == Decimal("20.00")

    cancel_line(line_id=first.pk, at=NOON, reason="Ordered twice")

    assert offered() == Decimal("17.00")


def price_of(line) -> Decimal:
    """What the line's Terms ask a month."""
    return price(from_canonical(line.terms.body).charges[0], line.quantity)
