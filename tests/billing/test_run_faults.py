"""Faults that a run meets in its data, and what a person reads of those in its machinery."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection

from billing.models import Invoice, ParkedAccount, Shard
from billing.runs.selectors import counts_of, troubles_of
from billing.runs.services import approve_run, ask_retry, open_run
from o2b import clock, events
from o2b.models import Outbox
from tests.billing.pages import client_of, text_of
from tests.billing.test_journal import a_rate, books
from tests.billing.worlds import AT, JANUARY, bills, by_hand, drafted, in_service, parked
from tests.factories import a_product, a_tax_rate, a_user, an_account, an_entity, monthly

pytestmark = pytest.mark.django_db
OF_THE_CHARGE = """
UPDATE billing_charge SET currency = %s WHERE account_id = %s
"""
OF_THE_TERMS = """
UPDATE catalog_terms SET currency = %s
    WHERE id IN (SELECT terms_id FROM billing_charge WHERE account_id = %s)
"""
OF_THE_ACCOUNT = "UPDATE customers_account SET currency = %s WHERE id = %s"


def retire(account_id: int, code: str) -> None:
    """The account and its services are of another currency now, behind every trigger's back."""
    by_hand(OF_THE_CHARGE, [code, account_id])
    by_hand(OF_THE_TERMS, [code, account_id])
    by_hand(OF_THE_ACCOUNT, [code, account_id])


def test_a_retired_currency_parks_its_account_by_name_until_it_is_mended() -> None:
    good = in_service([a_product(charges=[monthly("10.00")])])
    bad = in_service([a_product(charges=[monthly("20.00")])])
    retire(bad.pk, "ZZQ")
    run = drafted()
    assert parked(run) == {bad.pk: "currency"}
    assert "ZZQ" in ParkedAccount.objects.get().reason
    page = client_of("finance").get(run.get_absolute_url())
    assert page.status_code == 200
    assert "ZZQ" in text_of(page)
    retire(bad.pk, "EUR")
    joins_the_same_run(run.pk)
    assert [len(bills(account)) for account in (good, bad)] == [1, 1]


def test_a_currency_that_is_no_money_any_more_parks_its_account() -> None:
    """The mark was a currency, and is known still; nobody pays with it."""
    good = in_service([a_product(charges=[monthly("10.00")])])
    bad = in_service([a_product(charges=[monthly("20.00")])])
    retire(bad.pk, "DEM")
    run = drafted()
    assert parked(run) == {bad.pk: "currency"}
    assert "DEM" in ParkedAccount.objects.get().reason
    retire(bad.pk, "EUR")
    joins_the_same_run(run.pk)
    assert [len(bills(account)) for account in (good, bad)] == [1, 1]


def test_a_missing_tax_code_parks_its_account_until_the_rate_is_there() -> None:
    a_tax_rate("19")
    a_tax_rate("7", "books", valid_until=JANUARY.replace(day=15))
    in_service([a_product(charges=[monthly("10.00")])])
    bad = in_service([a_product(charges=[monthly("20.00", tax_code="books")])])
    run = drafted()
    assert parked(run) == {bad.pk: "tax"}
    assert "books" in ParkedAccount.objects.get().reason
    a_tax_rate("7", "books", valid_from=JANUARY.replace(day=15))
    joins_the_same_run(run.pk)
    assert Invoice.objects.get(account=bad).total == Decimal("21.40")


def test_a_currency_without_a_dated_rate_parks_its_account_until_it_has_one() -> None:
    books(own_currency_books=True)
    in_service([a_product(charges=[monthly("10.00")])])
    bad = in_service(
        [a_product(charges=[monthly("10.00")], currency="USD")], account=an_account(currency="USD")
    )
    run = drafted()
    assert parked(run) == {bad.pk: "exchange_rate"}
    assert "USD" in ParkedAccount.objects.get().reason
    a_rate("0.90")
    joins_the_same_run(run.pk)


def joins_the_same_run(run_id: int) -> None:
    assert ask_retry(run_id=run_id, at=AT) == 1
    events.drain()
    counts = counts_of(run_id=run_id)
    assert (counts.parked, counts.drafted, counts.holds) == (0, 2, True)
    approve_run(run_id=run_id, user_id=a_user().pk, at=AT)
    events.drain()
    assert Invoice.objects.filter(run=run_id).count() == 2


REFUSES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION USING ERRCODE = ''{code}'', MESSAGE = ''no room for {code}''; END';
CREATE TRIGGER refuses BEFORE INSERT ON billing_draftinvoice
    FOR EACH ROW EXECUTE FUNCTION refuse()
"""


@pytest.mark.parametrize("code", ["53100", "53400", "40P01", "57014", "55P03"])
@pytest.mark.django_db(transaction=True)
def test_what_the_server_lacks_stops_the_run_with_its_reason_and_parks_nobody(code: str) -> None:
    account = in_service([a_product(charges=[monthly("10.00")])])
    run = open_run(legal_entity_id=an_entity().pk, on=JANUARY, opened_by_id=a_user().pk, at=AT)
    with connection.cursor() as cursor:
        cursor.execute(REFUSES.format(code=code))
    with pytest.raises(Exception, match=f"no room for {code}"):
        events.drain()
    assert ParkedAccount.objects.count() == 0
    assert Shard.objects.get().state == Shard.State.PLANNED
    (said,) = troubles_of(run_id=run.pk)
    assert f"no room for {code}" in said
    assert "no room" in text_of(client_of("finance").get(run.get_absolute_url()))
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuses ON billing_draftinvoice")
    events.drain()
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    assert troubles_of(run_id=run.pk) == []
    assert bills(account) == [("2026-01-01", "2026-02-01", "10.00")]


def test_what_was_leased_before_the_clock_was_set_back_is_sent_again() -> None:
    """By hours: nobody waits until the old time comes again."""
    later = clock.now() + timedelta(hours=5)
    in_service([a_product(charges=[monthly("10.00")])])
    open_run(legal_entity_id=an_entity().pk, on=JANUARY, opened_by_id=a_user().pk, at=AT)
    row = Outbox.objects.get()
    Outbox.objects.filter(pk=row.pk).update(recorded_at=later, leased_until=later)
    assert events.sweep() == 1
    assert events.sweep() == 0  # it is leased by today's clock now
    assert Outbox.objects.get().leased_until < later
