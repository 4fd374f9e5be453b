"""Money received settles invoices, the oldest due first; what cannot be right is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.asks import account_standing
from billing.invoices.selectors import with_standing
from billing.models import Allocation, Invoice, Payment, Posting
from billing.payments import selectors, services
from billing.payments.services import record_payment, use_credit
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.models import Event
from o2b.money import Money
from tests.billing.build import an_invoice
from tests.factories import a_user, an_account

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 20, 9, tzinfo=UTC)
DAY = date(2026, 3, 20)


def pay(account: Account, amount: Any, **given: Any) -> Payment:
    fields = {"on": DAY, "method": "bank transfer", "reference": "", "at": AT, "actor_id": None}
    return record_payment(account_id=account.pk, amount=amount, **fields | given)


def allocated() -> list[tuple[str, Decimal]]:
    rows = Allocation.objects.order_by("pk").values_list("invoice__number", "amount")
    return [(number, amount) for number, amount in rows]


def statuses(account: Account, on: date = DAY) -> list[tuple[str, Decimal, str]]:
    rows = with_standing(Invoice.objects.filter(account=account), on=on).order_by("pk")
    return list(rows.values_list("number", "open_amount", "status"))


def test_the_oldest_due_is_paid_first() -> None:
    account, clerk = an_account(), a_user()
    an_invoice("30", account=account, due_on=date(2026, 4, 1), number="B")
    an_invoice("20", account=account, due_on=date(2026, 3, 1), number="A")
    an_invoice("10", account=account, due_on=date(2026, 5, 1), number="C")
    an_invoice("99", number="OTHER")

    payment = pay(account, "45.50", reference="RF 18", actor_id=clerk.pk)

    assert allocated() == [("A", Decimal("20")), ("B", Decimal("25.50"))]
    assert statuses(account) == [
        ("B", Decimal("4.50"), "open"),
        ("A", Decimal("0"), "paid"),
        ("C", Decimal("10"), "open"),
    ]
    assert (payment.amount, payment.currency, payment.received_on) == (Decimal("45.50"), "EUR", DAY)
    assert (payment.method, payment.reference) == ("bank transfer", "RF 18")
    assert (payment.recorded_by_id, payment.legal_entity_id) == (clerk.pk, account.legal_entity_id)
    assert list(
        Posting.objects.values_list("on", "account_id", "payment", "debit", "credit", "amount")
    ) == [(DAY, account.pk, payment.pk, "bank", "receivable", Decimal("45.50"))]
    assert list(
        Event.objects.filter(name__startswith="payment.")
        .order_by("pk")
        .values_list("name", "subject_id", "account_id", "actor_id", "at", "facts")
    ) == [
        ("payment.received", payment.pk, account.pk, clerk.pk, AT, {"amount": "45.50"}),
        (
            "payment.allocated",
            payment.pk,
            account.pk,
            clerk.pk,
            AT,
            {"invoices": {"A": "20.0000", "B": "25.5000"}},
        ),
    ]


def test_what_is_too_much_stays_as_credit_and_can_be_used_later() -> None:
    account = an_account()
    an_invoice("20", account=account, number="A")
    pay(account, "50")

    balance = selectors.account_balance(account)
    assert (balance.owed, balance.open, balance.credit) == (
        Money(Decimal("-30.00"), "EUR"),
        Money(Decimal("0.00"), "EUR"),
        Money(Decimal("30.00"), "EUR"),
    )
    an_invoice("12", account=account, number="B")
    assert len(use_credit(account_id=account.pk, at=AT, actor_id=None)) == 1
    assert use_credit(account_id=account.pk, at=AT, actor_id=None) == []
    assert allocated() == [("A", Decimal("20")), ("B", Decimal("12"))]
    assert selectors.account_balance(account).credit == Money(Decimal("18.00"), "EUR")


def test_credit_of_several_payments_is_used_oldest_first() -> None:
    account = an_account()
    pay(account, "10", on=date(2026, 3, 5))
    pay(account, "10", on=date(2026, 3, 4))
    an_invoice("4", account=account, due_on=date(2026, 4, 2), number="LATE")
    an_invoice("13", account=account, due_on=date(2026, 4, 1), number="SOON")

    use_credit(account_id=account.pk, at=AT, actor_id=None)

    assert [
        (day, number, amount)
        for day, number, amount in Allocation.objects.order_by("pk").values_list(
            "payment__received_on", "invoice__number", "amount"
        )
    ] == [
        (date(2026, 3, 4), "SOON", Decimal("10")),
        (date(2026, 3, 5), "SOON", Decimal("3")),
        (date(2026, 3, 5), "LATE", Decimal("4")),
    ]


def test_a_payment_is_allocated_as_told() -> None:
    account = an_account()
    an_invoice("20", account=account, due_on=date(2026, 3, 1), number="OLD")
    new = an_invoice("30", account=account, number="NEW")

    pay(account, "40", allocations={new.pk: Decimal("30")})
    pay(account, "5", allocations={})

    assert allocated() == [("NEW", Decimal("30"))]
    assert selectors.account_balance(account).credit == Money(Decimal("15.00"), "EUR")


def test_a_credit_note_lowers_the_balance_and_is_never_open() -> None:
    account = an_account()
    an_invoice("50", account=account, number="A", due_on=date(2026, 3, 1))
    an_invoice("-20", account=account, number="N", due_on=date(2026, 3, 1))

    assert statuses(account) == [
        ("A", Decimal("50"), "overdue"),
        ("N", Decimal("0"), "credit"),
    ]
    assert selectors.account_balance(account).owed == Money(Decimal("30.00"), "EUR")
    assert selectors.overdue_amount(account, on=DAY) == Money(Decimal("50.00"), "EUR")


def test_the_standing_tells_when_an_account_was_billed_last() -> None:
    """A deposit of what is on a bill is no deposit any more; a credit note bills nothing."""
    account = an_account()
    (told,) = account_standing(account.pk)
    assert told.billed_on is None
    for total, day in (("50", 5), ("20", 3), ("-20", 9)):
        an_invoice(total, account=account, issued_on=date(2026, 3, day))
    an_invoice("10", issued_on=DAY)
    (told,) = account_standing(account.pk)
    assert told.billed_on == date(2026, 3, 5)


@pytest.mark.parametrize(
    ("on", "status"),
    [(date(2026, 4, 1), "open"), (date(2026, 4, 2), "overdue"), (date(2026, 3, 1), "open")],
)
def test_an_invoice_is_overdue_after_its_day(on: date, status: str) -> None:
    invoice = an_invoice("50", due_on=date(2026, 4, 1))

    assert with_standing(Invoice.objects.filter(pk=invoice.pk), on=on).get().status == status


@pytest.mark.parametrize(
    ("currency", "given", "field", "message"),
    [
        ("EUR", {"amount": "0"}, "amount", "The amount must be more than zero."),
        ("EUR", {"amount": "-5"}, "amount", "The amount must be more than zero."),
        ("EUR", {"amount": "1.005"}, "amount", "The smallest amount of EUR is 0.01."),
        ("JPY", {"amount": "1.5"}, "amount", "The smallest amount of JPY is 1."),
        ("KWD", {"amount": "1.0005"}, "amount", "The smallest amount of KWD is 0.001."),
        ("EUR", {"amount": "1E30"}, "amount", "The amount is too large."),
        ("EUR", {"amount": "1000000000000000"}, "amount", "The amount is too large."),
        ("EUR", {"amount": "NaN"}, "amount", "This is not an amount."),
        ("EUR", {"amount": "Infinity"}, "amount", "This is not an amount."),
        ("EUR", {"amount": "ten"}, "amount", "This is not an amount."),
        ("EUR", {"on": date(2026, 3, 21)}, "on", "Money cannot be received in the future."),
        ("EUR", {"on": date.min}, "on", "No payment is that old; was the year mistyped?"),
        ("EUR", {"reference": "x" * 141}, "reference", "At most 140 characters."),
        ("EUR", {"reference": "a\0b"}, "reference", "This text cannot be stored."),
        ("EUR", {"method": "x" * 21}, "method", "At most 20 characters."),
    ],
)
def test_a_payment_that_cannot_be_right_is_refused(
    currency: str, given: dict[str, Any], field: str, message: str
) -> None:
    account = an_account(currency=currency)

    with pytest.raises(services.PaymentInvalid) as refusal:
        pay(account, **{"amount": "10"} | given)

    assert (refusal.value.field, refusal.value.message) == (field, message)
    assert refusal.value.status == 422
    assert_nothing_written()


@pytest.mark.parametrize("amount", ["0.001", "1.5", "999999999999999.999"])
def test_the_currency_says_how_many_decimals(amount: str) -> None:
    assert pay(an_account(currency="KWD"), amount).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("part", "code", "message"),
    [
        ("0", "payment_invalid", "The amount must be more than zero."),
        ("-1", "payment_invalid", "The amount must be more than zero."),
        ("0.001", "payment_invalid", "The smallest amount of EUR is 0.01."),
        ("30.01", "over_allocated", "Only 30.0000 of MINE is open."),
        ("25.01", "over_allocated", "More is allocated than was received."),
    ],
)
def test_an_allocation_that_does_not_fit_is_refused(part: str, code: str, message: str) -> None:
    account = an_account()
    mine = an_invoice("30", account=account, number="MINE")

    with pytest.raises(Refused) as refusal:
        pay(account, "25", allocations={mine.pk: Decimal(part)})

    assert (refusal.value.code, refusal.value.message) == (code, message)
    assert refusal.value.field == "allocations"
    assert_nothing_written()


def test_an_invoice_of_another_account_or_of_none_is_refused() -> None:
    account, other = an_account(), an_invoice("30", number="OTHER")
    for pk in (other.pk, 10**15):
        with pytest.raises(services.PaymentInvalid, match="The account has no such invoice."):
            pay(account, "25", allocations={pk: Decimal(5)})
    assert_nothing_written()


def test_a_settled_invoice_takes_no_more() -> None:
    account = an_account()
    bill = an_invoice("30", account=account, number="MINE")
    pay(account, "30")

    with pytest.raises(services.OverAllocated, match="Nothing is open on MINE."):
        pay(account, "1", allocations={bill.pk: Decimal(1)})
    assert Payment.objects.count() == 1


def test_an_unknown_account_is_not_there() -> None:
    with pytest.raises(Account.DoesNotExist):
        record_payment(
            account_id=10**15, amount="1", on=DAY, method="", reference="", at=AT, actor_id=None
        )


def test_today_is_the_accounts_own() -> None:
    account = an_account(time_zone="Pacific/Auckland")
    late = datetime(2026, 3, 20, 23, tzinfo=UTC)

    assert pay(account, "5", on=date(2026, 3, 21), at=late).received_on == date(2026, 3, 21)


def test_the_same_reference_on_a_day_is_refused() -> None:
    account = an_account()
    first = pay(account, "10", reference="RF 18")

    with pytest.raises(services.DuplicatePayment) as refusal:
        pay(account, "10", reference=" RF 18 ")

    assert (refusal.value.field, refusal.value.status) == ("reference", 409)
    assert refusal.value.extra == {"payment": first.pk}
    assert Payment.objects.get() == first
    assert Posting.objects.count() == 1
    # None of these says the same.
    pay(account, "10", reference="RF 18", on=date(2026, 3, 19))
    pay(account, "10", reference="RF 18", method="card")
    pay(an_account(), "10", reference="RF 18")
    pay(account, "10")
    pay(account, "10")
    assert Payment.objects.count() == 6


def test_the_cost_does_not_grow_with_the_invoices() -> None:
    def queries(invoices: int) -> int:
        account = an_account()
        for _ in range(invoices):
            an_invoice("10", account=account)
        with CaptureQueriesContext(connection) as captured:
            pay(account, "1000", reference="R")
        return len(captured)

    assert queries(1) == queries(6)


def test_the_ledger_runs_on() -> None:
    account = an_account()
    bill = an_invoice("50", account=account, number="A", issued_on=date(2026, 3, 1))
    note = an_invoice("-20", account=account, number="N", issued_on=date(2026, 3, 10))
    paid = pay(account, "30", reference="thanks")
    an_invoice("99")

    assert [
        (line.kind, line.id, line.label, line.on, str(line.amount), str(line.balance))
        for line in selectors.ledger(account)
    ] == [
        ("payment", paid.pk, "thanks", DAY, "-30.00 EUR", "0.00 EUR"),
        ("credit_note", note.pk, "N", date(2026, 3, 10), "-20.00 EUR", "30.00 EUR"),
        ("invoice", bill.pk, "A", date(2026, 3, 1), "50.00 EUR", "50.00 EUR"),
    ]


def test_postgres_refuses_what_slips_by() -> None:
    account = an_account()
    bill = an_invoice("30", account=account)
    payment = pay(account, "20")

    with pytest.raises(IntegrityError, match="would be allocated"), transaction.atomic():
        Allocation.objects.create(payment=payment, invoice=bill, amount=5, at=AT)
    assert Allocation.objects.count() == 1


def assert_nothing_written() -> None:
    assert not Payment.objects.exists()
    assert not Allocation.objects.exists()
    assert not Posting.objects.filter(payment__isnull=False).exists()
    assert not Event.objects.filter(name__startswith="payment.").exists()
