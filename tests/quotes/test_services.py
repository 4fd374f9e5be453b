"""Drafting, sending and every end of a quote, with what is refused and leaves nothing behind."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from o2b.catalog.models import Terms, TermsCharge
from o2b.catalog.services import retire_product_version
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.fsm import law
from o2b.models import Event, TestClock
from quotes import services
from quotes.inputs import LineInput
from quotes.models import Quote, QuoteLine
from tests.factories import (
    NOON,
    a_contract,
    a_product,
    a_quote,
    a_sent_quote,
    an_account,
    monthly,
    setup_fee,
)

pytestmark = pytest.mark.django_db

UNTIL = date(2026, 2, 28)


def draft(account: Account, *lines: LineInput, **given: Any) -> Quote:
    fields: dict[str, Any] = {"valid_until": UNTIL, "at": NOON, "owner_id": account.advocate_id}
    return services.draft_quote(account_id=account.pk, lines=lines, **fields | given)


def written() -> tuple[int, ...]:
    """How many rows there are of everything that quotes write."""
    return tuple(m.objects.count() for m in (Quote, QuoteLine, Terms, TermsCharge, Event))


def refused(error: str, field: str | None, deed: Callable[[], object]) -> Refused:
    """The deed is refused with this code and field, and nothing was written."""
    before = written(), list(Quote.objects.order_by("pk").values())
    with pytest.raises(Refused) as caught:
        deed()
    assert (caught.value.code, caught.value.field) == (error, field)
    assert (written(), list(Quote.objects.order_by("pk").values())) == before
    return caught.value


def test_the_law() -> None:
    assert law(Quote) == {
        ("draft", "send", "sent"),
        ("approved", "send", "sent"),
        ("draft", "submit", "in_approval"),
        ("in_approval", "approve", "approved"),
        ("in_approval", "reopen", "draft"),
        ("approved", "reopen", "draft"),
        ("sent", "accept", "accepted"),
        ("sent", "decline", "declined"),
        ("sent", "expire", "expired"),
        ("draft", "withdraw", "withdrawn"),
        ("in_approval", "withdraw", "withdrawn"),
        ("approved", "withdraw", "withdrawn"),
        ("sent", "withdraw", "withdrawn"),
        ("sent", "supersede", "superseded"),
        ("declined", "supersede", "superseded"),
        ("expired", "supersede", "superseded"),
        ("withdrawn", "supersede", "superseded"),
    }


def test_a_draft_holds_wishes_and_no_price() -> None:
    account, product = an_account(), a_product(code="fibre")
    line = LineInput("fibre", "2", {}, "12.5")
    quote = draft(account, line, title="  Head office ", start_on=date(2026, 3, 1))
    assert (quote.state, quote.title, quote.currency) == ("draft", "Head office", "EUR")
    assert (quote.valid_until, quote.start_on) == (UNTIL, date(2026, 3, 1))
    (saved,) = quote.lines.all()
    assert (saved.position, saved.product_version, saved.quantity) == (1, product, Decimal(2))
    assert (saved.discount_percent, saved.terms, saved.why) == (Decimal("12.5"), None, [])
    assert Event.objects.get().name == "quote.drafted"


@pytest.mark.parametrize(
    ("line", "error", "field"),
    [
        ({"product": "nothing"}, "product_unknown", "product"),
        ({"product": "a\0b"}, "product_unknown", "product"),
        ({"product": None}, "product_unknown", "product"),
        ({"product": "unpublished"}, "product_not_sold", "product"),
        ({"product": "retired"}, "product_not_sold", "product"),
        ({"quantity": "0"}, "quantity_invalid", "quantity"),
        ({"quantity": "-1"}, "quantity_invalid", "quantity"),
        ({"quantity": "1.5"}, "quantity_invalid", "quantity"),
        ({"quantity": "1e30"}, "quantity_invalid", "quantity"),
        ({"quantity": "1e-999999999"}, "quantity_invalid", "quantity"),
        ({"quantity": "NaN"}, "quantity_invalid", "quantity"),
        ({"quantity": "Infinity"}, "quantity_invalid", "quantity"),
        ({"quantity": "two"}, "quantity_invalid", "quantity"),
        ({"quantity": ""}, "quantity_invalid", "quantity"),
        ({"discount_percent": "-0.01"}, "discount_invalid", "discount_percent"),
        ({"discount_percent": "100.01"}, "discount_invalid", "discount_percent"),
        ({"discount_percent": "1.00001"}, "discount_invalid", "discount_percent"),
        ({"discount_percent": "1e-99"}, "discount_invalid", "discount_percent"),
        ({"discount_percent": "sNaN"}, "discount_invalid", "discount_percent"),
        ({"discount_percent": "half"}, "discount_invalid", "discount_percent"),
        ({"start_rule": "some day"}, "start_rule_invalid", "start_rule"),
        ({"start_rule": "ON_DATE"}, "start_rule_invalid", "start_rule"),
        ({"characteristics": {"x": 1}}, "characteristic_invalid", "characteristics"),
        ({"characteristics": "x"}, "characteristic_invalid", "characteristics"),
        ({"characteristics": {"speed": "9"}}, "characteristic_invalid", "characteristics.speed"),
    ],
)
def test_a_line_that_cannot_be_had(line: dict[str, Any], error: str, field: str) -> None:
    account = an_account()
    speed = {"name": "speed", "type": "choice", "choices": ["100", "250"]}
    a_product(code="fibre", characteristics=[speed])
    unpublished = a_product(code="other").product
    unpublished.code = "unpublished"
    unpublished.pk = None
    unpublished.save()
    unpublished.versions.create(number=1)
    retired = a_product(code="retired")
    retire_product_version(version_id=retired.pk, on=date(2026, 1, 1))
    bad = LineInput(**{"product": "fibre", "quantity": "1"} | line)
    good = LineInput("fibre", "1")
    refused(error, f"lines[1].{field}", lambda: draft(account, good, bad))


@pytest.mark.parametrize(
    ("given", "error", "field"),
    [
        ({"lines": []}, "no_lines", "lines"),
        ({"lines": [LineInput("fibre", 1)] * 1001}, "too_many_lines", "lines"),
        ({"valid_until": date(2026, 1, 30)}, "validity_invalid", "valid_until"),
        ({"valid_until": date.max}, "validity_invalid", "valid_until"),
        ({"start_on": date.max}, "start_invalid", "start_on"),
        ({"start_on": date.min}, "start_invalid", "start_on"),
        ({"title": "x" * 201}, "text_invalid", "title"),
        ({"title": "a\0b"}, "text_invalid", "title"),
    ],
)
def test_a_quote_that_cannot_be_drafted(given: dict[str, Any], error: str, field: str) -> None:
    account = an_account()
    a_product(code="fibre")
    fields = {"lines": [LineInput("fibre", "1")], "valid_until": UNTIL, "at": NOON} | given
    refused(
        error,
        field,
        lambda: services.draft_quote(account_id=account.pk, owner_id=account.advocate_id, **fields),
    )


def test_no_draft_for_a_closed_or_unknown_account() -> None:
    account = an_account(state="closed")
    a_product(code="fibre")
    line = LineInput("fibre", "1")
    refused("account_closed", "account", lambda: draft(account, line))
    with pytest.raises(Account.DoesNotExist):
        services.draft_quote(
            account_id=0, owner_id=account.advocate_id, valid_until=UNTIL, lines=[line], at=NOON
        )
    assert written() == (0, 0, 0, 0, 0)


def test_today_is_the_last_valid_day_where_the_account_lives() -> None:
    late = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    a_product(code="fibre")
    line, day = LineInput("fibre", "1"), date(2026, 1, 31)
    draft(an_account(time_zone="America/New_York"), line, valid_until=day, at=late)
    berlin = an_account(time_zone="Europe/Berlin")
    refused(
        "validity_invalid", "valid_until", lambda: draft(berlin, line, valid_until=day, at=late)
    )


def test_editing_replaces_the_wishes_of_a_draft() -> None:
    account, other = an_account(), an_account(currency="EUR")
    a_product(code="fibre")
    a_product(code="phone")
    quote = draft(account, LineInput("fibre", "1"), LineInput("phone", "2"))
    services.edit_quote(
        quote_id=quote.pk,
        account_id=other.pk,
        valid_until=date(2026, 3, 31),
        lines=[LineInput("phone", "3")],
        at=NOON,
    )
    quote.refresh_from_db()
    assert (quote.account, quote.valid_until) == (other, date(2026, 3, 31))
    assert [(line.position, line.quantity) for line in quote.lines.all()] == [(1, 3)]


def test_only_a_draft_is_edited() -> None:
    quote = a_sent_quote()
    code = quote.lines.get().product_version.product.code
    refused(
        "quote_not_draft",
        None,
        lambda: services.edit_quote(
            quote_id=quote.pk,
            account_id=quote.account_id,
            valid_until=UNTIL,
            lines=[LineInput(code, "2")],
            at=NOON,
        ),
    )


def test_sending_freezes_terms_and_totals() -> None:
    account = an_account()
    a_product(code="fibre", charges=[monthly("50.00"), setup_fee("99.00")])
    a_product(code="line", charges=[monthly("120.00", interval_count=12, key="yearly")])
    quote = draft(account, LineInput("fibre", "2", {}, "10"), LineInput("line", "1"))
    sent = services.send_quote(quote_id=quote.pk, at=NOON, actor_id=account.advocate_id)
    assert (sent.state, sent.sent_at) == ("sent", NOON)
    assert (sent.monthly_total, sent.one_time_total) == (Decimal("100.00"), Decimal("178.20"))
    first, second = sent.lines.order_by("position")
    charge = first.terms.charges.get(key="monthly")
    assert charge.unit_price == 50
    assert charge.discounts == [{"kind": "percent", "value": "10.0000"}]
    assert (first.terms.start_rule, first.book_version.number) == ("on_delivery", 2)
    assert [(c["won"], c["reason"]) for c in first.why] == [(True, "the default book")]
    assert second.terms.charges.get().discounts == []
    assert [e.name for e in Event.objects.order_by("pk")] == ["quote.drafted", "quote.sent"]
    assert Event.objects.get(name="quote.sent").actor_id == account.advocate_id


def test_equal_offers_share_their_terms() -> None:
    product = a_product()
    first, second = a_sent_quote(products=[product]), a_sent_quote(products=[product])
    assert first.lines.get().terms_id == second.lines.get().terms_id
    assert Terms.objects.count() == 1


def test_a_start_day_on_the_quote_becomes_the_start_rule() -> None:
    quote = a_sent_quote(start_on=date(2026, 3, 1))
    assert quote.lines.get().terms.start_rule == "on_date"


def late_retire(quote: Quote) -> None:
    retire_product_version(version_id=quote.lines.get().product_version_id, on=date(2026, 1, 31))


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        (late_retire, "product_not_sold", "lines[0].product"),
        (
            lambda q: Account.objects.filter(pk=q.account_id).update(state="closed"),
            "account_closed",
            "account",
        ),
        (
            lambda q: Account.objects.filter(pk=q.account_id).update(currency="USD"),
            "currency_changed",
            "account",
        ),
        (
            lambda q: Quote.objects.filter(pk=q.pk).update(valid_until=date(2026, 1, 1)),
            "validity_invalid",
            "valid_until",
        ),
        (lambda q: q.lines.all().delete(), "no_lines", "lines"),
        (
            lambda q: services.withdraw_quote(quote_id=q.pk, at=NOON),
            "quote_not_draft",
            None,
        ),
    ],
)
def test_what_has_changed_since_drafting_is_refused_at_sending(
    change: Callable[[Quote], object], error: str, field: str | None
) -> None:
    quote = a_quote()
    change(quote)
    refused(error, field, lambda: services.send_quote(quote_id=quote.pk, at=NOON))


def test_no_price_in_the_currency_is_refused_at_sending() -> None:
    quote = a_quote(account=an_account(currency="USD"), products=[a_product(currency="EUR")])
    refused("no_price", "lines[0].product", lambda: services.send_quote(quote_id=quote.pk, at=NOON))


def test_an_offer_larger_than_any_invoice_is_refused() -> None:
    quote = a_quote(products=[a_product(charges=[monthly("10000000")])], quantity="1000000000")
    refused("total_too_large", "lines", lambda: services.send_quote(quote_id=quote.pk, at=NOON))


def test_the_number_of_queries_does_not_grow_with_the_lines() -> None:
    counts = []
    for lines in (1, 30):
        # Each has a product of its own, so that both write their Terms.
        quote = a_quote(products=[a_product()] * lines)
        with CaptureQueriesContext(connection) as asked:
            services.send_quote(quote_id=quote.pk, at=NOON)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 19


def amount_discounts(quote: Quote) -> list[str]:
    return [
        d["value"]
        for line in quote.lines.order_by("position")
        for charge in line.terms.charges.all()
        for d in charge.discounts
        if d["kind"] == "amount"
    ]


def test_the_contracts_fixed_discount_goes_to_one_open_offer_at_a_time() -> None:
    account, product = an_account(), a_product(charges=[monthly("20.00")])
    contract = a_contract(account, discounts=[("amount", "5.00")])
    first = a_sent_quote(account=account, products=[product, product])
    assert amount_discounts(first) == ["2.50", "2.50"]
    assert first.monthly_total == Decimal("35.00")
    assert {line.contract for line in first.lines.all()} == {contract}
    second = a_sent_quote(account=account, products=[product])
    assert amount_discounts(second) == []
    services.decline_quote(quote_id=first.pk, reason="", at=NOON)
    third = a_sent_quote(account=account, products=[product])
    assert amount_discounts(third) == ["5.00"]
    services.accept_quote(quote_id=third.pk, by="Dr. Hall", at=NOON)
    assert amount_discounts(a_sent_quote(account=account, products=[product])) == []
    elsewhere = an_account()
    a_contract(elsewhere, discounts=[("amount", "5.00")])
    assert amount_discounts(a_sent_quote(account=elsewhere, products=[product])) == ["5.00"]


def test_a_new_version_takes_the_place_of_a_sent_quote() -> None:
    account = an_account()
    a_contract(account, discounts=[("amount", "5.00")])
    old = a_sent_quote(account=account, valid_until=UNTIL, title="Clinic")
    new = services.revise_quote(quote_id=old.pk, owner_id=account.advocate_id, at=NOON)
    old.refresh_from_db()
    assert (old.state, old.closed_at) == ("superseded", NOON)
    assert (new.state, new.revision, new.supersedes, new.title) == ("draft", 2, old, "Clinic")
    assert new.valid_until == date(2026, 3, 2)
    (line,) = new.lines.all()
    assert (line.product_version, line.terms) == (old.lines.get().product_version, None)
    assert amount_discounts(services.send_quote(quote_id=new.pk, at=NOON)) == ["5.00"]
    refused(
        "quote_not_open",
        None,
        lambda: services.revise_quote(quote_id=old.pk, owner_id=account.advocate_id, at=NOON),
    )


def test_a_new_version_stays_with_its_account() -> None:
    old = a_sent_quote()
    new = services.revise_quote(quote_id=old.pk, owner_id=old.owner_id, at=NOON)
    line, other = LineInput(old.lines.get().product_version.product.code, "1"), an_account()
    refused(
        "invalid",
        "account",
        lambda: services.edit_quote(
            quote_id=new.pk, account_id=other.pk, valid_until=UNTIL, lines=[line], at=NOON
        ),
    )


def test_accepting_says_who_and_when() -> None:
    quote = a_sent_quote()
    services.accept_quote(quote_id=quote.pk, by=" Dr. Hall ", at=NOON)
    quote.refresh_from_db()
    assert (quote.state, quote.accepted_by, quote.accepted_at) == ("accepted", "Dr. Hall", NOON)
    assert Event.objects.get(name="quote.accepted").facts == {"by": "Dr. Hall"}


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("draft", "quote_not_open"),
        ("in_approval", "quote_not_open"),
        ("approved", "quote_not_open"),
        ("accepted", "quote_not_open"),
        ("declined", "quote_not_open"),
        ("withdrawn", "quote_not_open"),
        ("superseded", "quote_not_open"),
        ("expired", "quote_expired"),
    ],
)
def test_only_a_sent_quote_is_accepted(state: str, error: str) -> None:
    quote = a_sent_quote()
    Quote.objects.filter(pk=quote.pk).update(state=state)
    refused(error, None, lambda: services.accept_quote(quote_id=quote.pk, by="x", at=NOON))


@pytest.mark.parametrize("by", ["", "  ", "x" * 201, "a\0b"])
def test_accepting_needs_a_name(by: str) -> None:
    quote = a_sent_quote()
    refused("text_invalid", "by", lambda: services.accept_quote(quote_id=quote.pk, by=by, at=NOON))


@pytest.mark.parametrize(
    ("zone", "open_"), [("America/New_York", True), ("UTC", True), ("Pacific/Kiritimati", False)]
)
def test_validity_ends_with_the_accounts_own_day(zone: str, open_: bool) -> None:
    quote = a_sent_quote(account=an_account(time_zone=zone), valid_until=UNTIL)
    late = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)

    def accept() -> Quote:
        return services.accept_quote(quote_id=quote.pk, by="x", at=late)

    if open_:
        assert accept().state == "accepted"
    else:
        refused("quote_expired", None, accept)


def test_declining_keeps_the_reason() -> None:
    quote = a_sent_quote()
    services.decline_quote(quote_id=quote.pk, reason=" Too dear ", at=NOON, by="Hall")
    quote.refresh_from_db()
    assert (quote.state, quote.reason, quote.closed_at) == ("declined", "Too dear", NOON)
    assert Event.objects.get(name="quote.declined").facts == {"by": "Hall", "reason": "Too dear"}
    refused(
        "quote_not_open",
        None,
        lambda: services.decline_quote(quote_id=quote.pk, reason="again", at=NOON),
    )


def test_withdrawing_ends_drafts_and_offers_but_no_agreement() -> None:
    for quote in (a_quote(), a_sent_quote()):
        services.withdraw_quote(quote_id=quote.pk, at=NOON)
        quote.refresh_from_db()
        assert (quote.state, quote.closed_at) == ("withdrawn", NOON)
    agreed = a_sent_quote()
    services.accept_quote(quote_id=agreed.pk, by="x", at=NOON)
    refused("quote_not_open", None, lambda: services.withdraw_quote(quote_id=agreed.pk, at=NOON))


def test_expiry_by_the_day_of_each_account_and_its_clock() -> None:
    late = datetime(2026, 2, 28, 23, 59, tzinfo=UTC)
    told = TestClock.objects.create(name="later", now=late + timedelta(days=1))
    zones = {"utc": an_account(), "east": an_account(time_zone="Pacific/Kiritimati")}
    accounts = zones | {"clock": an_account(test_clock=told)}
    quotes = {
        name: a_sent_quote(account=account, valid_until=UNTIL) for name, account in accounts.items()
    }
    draft_ = a_quote(valid_until=UNTIL)
    assert services.expire_quotes(at=late) == 2
    states = {name: Quote.objects.get(pk=q.pk) for name, q in quotes.items()}
    assert {name: q.state for name, q in states.items()} == {
        "utc": "sent",
        "east": "expired",
        "clock": "expired",
    }
    assert (states["east"].closed_at, states["clock"].closed_at) == (late, told.now)
    assert Event.objects.filter(name="quote.expired").count() == 2
    assert services.expire_quotes(at=late) == 0
    assert services.expire_quotes(at=late + timedelta(minutes=1)) == 1
    draft_.refresh_from_db()
    assert draft_.state == "draft"
