"""The journal: deferred by days, released by month, in the seller's currency at a dated rate."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from billing.models import ExchangeRate, Invoice, ParkedAccount, Posting
from billing.payments.services import record_payment
from billing.runs.services import approve_run
from o2b import events
from o2b.customers.models import Account, LegalEntity
from tests.billing.pages import client_of, text_of
from tests.billing.test_reversal import LATER, ledger_sums, reversed_
from tests.billing.worlds import AT, FEBRUARY, JANUARY, drafted, finalised, in_service, parked
from tests.factories import a_product, a_tax_rate, a_user, an_account, an_entity, monthly

pytestmark = pytest.mark.django_db
D = Decimal


def books(**conventions: Any) -> None:
    an_entity()
    LegalEntity.objects.update(conventions=conventions)


def posted(invoice: Invoice) -> list[tuple[str, str, str, str]]:
    rows = Posting.objects.filter(invoice=invoice).order_by("on", "credit", "pk")
    return [(f"{r.on}", r.debit, r.credit, f"{r.amount:.2f}") for r in rows]


def a_rate(rate: str, on: date = JANUARY, currency: str = "USD") -> None:
    ExchangeRate.objects.create(currency=currency, into="EUR", on=on, rate=D(rate))


def a_year(price: str) -> dict[str, Any]:
    return monthly(price, interval_unit="year")


def test_without_the_setting_all_is_revenue_at_once() -> None:
    in_service([a_product(charges=[a_year("365.00")])])
    finalised()
    assert posted(Invoice.objects.get()) == [("2026-01-31", "receivable", "revenue", "365.00")]


def test_what_is_billed_ahead_is_released_by_days() -> None:
    books(defer_revenue=True)
    a_tax_rate("19")
    in_service([a_product(charges=[a_year("100.00")])])
    finalised()
    invoice = Invoice.objects.get()
    rows = posted(invoice)
    assert rows[:3] == [
        ("2026-01-31", "receivable", "deferred", "91.51"),
        ("2026-01-31", "receivable", "revenue", "8.49"),
        ("2026-01-31", "receivable", "tax", "19.00"),
    ]
    released = rows[3:]
    assert [row[:3] for row in released[:2]] == [
        ("2026-02-28", "deferred", "revenue"),
        ("2026-03-31", "deferred", "revenue"),
    ]
    # 100 over 365 days by running total: 28, 31, 30 … days of it.
    day, told, so_far = 31, [], D("8.49")
    for days in (28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31):
        day += days
        whole = (D(100) * day / 365).quantize(D("0.01"), ROUND_HALF_UP)
        told.append(f"{whole - so_far:.2f}")
        so_far = whole
    assert [row[3] for row in released] == told
    assert sum(D(row[3]) for row in released) == D("91.51")
    assert ledger_sums() == {"receivable": 119, "revenue": -100, "tax": -19}


def test_a_month_that_crosses_the_end_of_the_month_is_deferred_in_part() -> None:
    books(defer_revenue=True)
    account = an_account(bill_day=15)
    in_service([a_product(charges=[monthly("31.00")])], account=account)
    finalised(date(2026, 1, 15))
    invoice = Invoice.objects.order_by("pk").last()
    assert invoice is not None
    assert invoice.net == D("45.00")
    assert [row for row in posted(invoice) if "deferred" in row] == [
        ("2026-01-15", "receivable", "deferred", "14.00"),
        ("2026-02-28", "deferred", "revenue", "14.00"),
    ]


def test_arrears_are_earned() -> None:
    books(defer_revenue=True)
    in_service([a_product(charges=[monthly("31.00", timing="arrears")])])
    finalised(FEBRUARY)
    assert [row[1:3] for row in posted(Invoice.objects.get())] == [("receivable", "revenue")]


def test_a_reversal_turns_what_was_released_and_what_is_to_come() -> None:
    books(defer_revenue=True)
    in_service([a_product(charges=[a_year("365.00")])])
    finalised()
    reversed_(Invoice.objects.get(), at=LATER.replace(month=3))
    assert ledger_sums() == {}
    for month in range(4, 13):
        rows = Posting.objects.filter(on__year=2026, on__month=month)
        sums = {"in": D(0), "out": D(0)}
        for row in rows:
            sums["in" if row.debit == "deferred" else "out"] += row.amount
        assert sums["in"] == sums["out"] > 0
    march = Posting.objects.filter(on=date(2026, 3, 10))
    assert {row.debit for row in march} == {"deferred", "revenue"}


def test_another_currency_is_kept_at_the_rate_of_the_day() -> None:
    books(own_currency_books=True, defer_revenue=True)
    a_tax_rate("19")
    a_rate("0.80", date(2026, 1, 25))
    a_rate("0.9137", date(2026, 1, 29))
    a_rate("0.5", date(2026, 2, 1))
    dollars = in_service(
        [a_product(charges=[a_year("100.01")], currency="USD")], account=an_account(currency="USD")
    )
    euros = in_service([a_product(charges=[a_year("50.00")])])
    finalised()
    invoice = Invoice.objects.get(account=dollars)
    rows = list(Posting.objects.filter(invoice=invoice))
    assert {(row.rate, row.rate_on) for row in rows} == {(D("0.9137"), date(2026, 1, 29))}
    own = {row.credit: row.entity_amount for row in rows if row.debit == "receivable"}
    assert None not in own.values()
    total = sum((amount for amount in own.values() if amount), D(0))
    assert total == (invoice.total * D("0.9137")).quantize(D("0.01"))
    released = [row for row in rows if row.debit == "deferred"]
    assert sum((row.entity_amount or D(0)) for row in released) == own["deferred"]
    assert set(Posting.objects.filter(account_id=euros.pk).values_list("entity_amount")) == {
        (None,)
    }
    note = reversed_(invoice)
    turned = Posting.objects.filter(invoice=note, credit="receivable")
    assert sum((row.entity_amount or D(0)) for row in turned) == total


def test_a_missing_rate_parks_the_account_and_no_other() -> None:
    books(own_currency_books=True)
    a_rate("0.80", date(2026, 1, 20))  # too old
    dollars = in_service(
        [a_product(charges=[monthly("10.00")], currency="USD")], account=an_account(currency="USD")
    )
    in_service([a_product(charges=[monthly("10.00")])])
    run = drafted()
    assert parked(run) == {dollars.pk: "exchange_rate"}
    assert "USD" in ParkedAccount.objects.get().reason
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert Invoice.objects.count() == 1
    a_rate("0.90")
    assert parked(finalised()) == {}
    assert Invoice.objects.filter(account=dollars).count() == 1


def test_without_the_setting_no_rate_is_asked() -> None:
    in_service(
        [a_product(charges=[monthly("10.00")], currency="USD")], account=an_account(currency="USD")
    )
    assert parked(finalised()) == {}
    assert Posting.objects.get().entity_amount is None


FROZEN = (
    "billing_invoice",
    "billing_invoiceline",
    "billing_posting",
    "billing_allocation",
    "billing_payment",
    "billing_exchangerate",
    "catalog_terms",
    "catalog_termscharge",
)


@pytest.mark.parametrize("table", FROZEN)
def test_postgres_refuses_to_change_what_is_final(table: str) -> None:
    a_rate("0.9")
    account: Account = in_service([a_product(charges=[monthly("10.00")])])
    finalised()
    record_payment(
        account_id=account.pk,
        amount="5",
        on=JANUARY,
        method="bank",
        reference="",
        at=LATER,
        actor_id=None,
    )
    column = "rate" if table == "billing_exchangerate" else "id"
    for statement in (
        f"UPDATE {table} SET {column} = {column}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {table}")
            before = cursor.fetchone()[0]
            assert before > 0
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute(statement)
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone()[0] == before


@pytest.mark.parametrize("table", ["billing_invoiceline", "billing_posting"])
def test_a_month_is_not_emptied_or_added_to_by_its_own_name(table: str) -> None:
    in_service([a_product(charges=[monthly("10.00")])])
    finalised()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {table}")
        (partition,) = cursor.fetchone()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert partition.startswith(f"{table}_")
        names = _columns_but_id(table)
        for statement in (
            f"TRUNCATE {partition}",
            f"TRUNCATE {partition} CASCADE",
            f"DELETE FROM {partition}",
            f"INSERT INTO {partition} ({names}) SELECT "
            + names.replace("revision", "revision + 1")
            + f" FROM {table}",
        ):
            with pytest.raises(DatabaseError, match="o2b:|Cannot"), transaction.atomic():
                cursor.execute(statement)
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == (1,)


def test_postings_are_not_doubled() -> None:
    in_service([a_product(charges=[monthly("10.00")])])
    finalised()
    names = _columns_but_id("billing_posting")
    insert = f"INSERT INTO billing_posting ({names}) SELECT {names} FROM billing_posting"
    with (
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match="nothing is added"),
        transaction.atomic(),
    ):
        cursor.execute(insert)
    assert Posting.objects.count() == 1


def _columns_but_id(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns"
            " WHERE table_name = %s AND column_name <> 'id'",
            [table],
        )
        names: str = cursor.fetchone()[0]
    return names


def test_a_german_reads_soll_haben_and_kurs_with_a_comma() -> None:
    books(own_currency_books=True)
    a_rate("0.8412", date(2026, 1, 30))
    in_service(
        [a_product(charges=[monthly("100.00")], currency="USD")], account=an_account(currency="USD")
    )
    finalised(JANUARY)
    client, german = client_of("finance"), {"HTTP_ACCEPT_LANGUAGE": "de"}
    for page in ("/billing/journal/?month=2026-01", "/billing/journal/balance/?month=2026-01"):
        text = text_of(client.get(page, **german))
        assert "Soll" in text
        assert "Haben" in text
        assert "Guthaben" not in text.partition("Soll")[2]
    assert "0,8412 · 30.01.2026" in text_of(client.get("/billing/journal/?month=2026-01", **german))
    rates = text_of(client.get("/billing/exchange-rates/", **german))
    assert "Neuer Kurs" in rates
    assert "USD EUR 0,8412" in rates
    assert "Kurs" in text_of(client.get("/billing/exchange-rates/new/", **german))
    assert "0.8412" in text_of(client.get("/billing/exchange-rates/"))
