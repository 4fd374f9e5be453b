"""What was used and is not billed yet is what the next bills say: as a draft, by difference."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import InvoiceLine, Wallet
from billing.tasks import warn_of_wallets
from billing.wallets.selectors import standing_of
from subscriptions.models import UsageAlertSent
from subscriptions.usage.alerts.services import set_alert
from tests.billing.payers import agreed
from tests.billing.wallets.build import granted
from tests.factories import a_tax_rate
from tests.scenarios.world import World
from tests.subscriptions.pools_build import a_drawer, a_top_up, sold
from tests.subscriptions.usage.build import a_meter, an_event, by_meter, taken

pytestmark = pytest.mark.django_db
D = Decimal


def unbilled(world: World) -> str:
    wallet = Wallet.objects.select_related("account__legal_entity").get(account=world.account)
    return f"{standing_of(wallet, today=world.today).unbilled.amount:.2f}"


def used(world: World, item: object, value: str, day: str) -> None:
    (answer,) = taken(an_event(item, value, f"{day}T12:00:00Z"), now=world.now.isoformat())  # type: ignore[arg-type]
    assert answer.status == "accepted", answer


def billed(world: World) -> str:
    lines = InvoiceLine.objects.filter(invoice__account=world.account)
    return f"{sum((row.amount + row.tax for row in lines), D(0)):.2f}"


def test_every_period_that_is_over_counts_however_many_they_are(world: World) -> None:
    a_meter()
    item = sold(world, by_meter(price="1.00", interval_unit="day"))
    granted(world.on("2026-01-21"), "1000")
    for day in range(1, 21):
        used(world, item, "10", f"2026-01-{day:02d}")
    assert unbilled(world) == "200.00"
    world.bill()
    assert (billed(world), unbilled(world)) == ("200.00", "0.00")


def test_usage_told_late_of_a_month_that_was_billed_counts_at_once(world: World) -> None:
    a_tax_rate("19")
    a_meter()
    item = sold(world, by_meter(price="1.00"))
    granted(world.on("2026-02-02"), "1000")
    used(world, item, "10", "2026-01-10")
    world.bill()
    assert unbilled(world) == "0.00"
    used(world, item, "500", "2026-01-11")
    assert unbilled(world) == "595.00"
    used(world, item, "1", "2026-02-01")
    assert unbilled(world) == "596.19"
    world.on("2026-02-03").bill()
    assert (billed(world), unbilled(world)) == ("606.90", "1.19")


def test_the_alert_comes_when_late_usage_comes_not_when_it_is_billed(world: World) -> None:
    a_meter()
    item = sold(world, by_meter(price="1.00"))
    granted(world.on("2026-02-02"), "1000")
    used(world, item, "10", "2026-01-10")
    world.bill()
    said = {"of": "wallet", "thresholds": [D(600)], "at": world.now}
    set_alert(account_id=world.account.pk, **said)  # type: ignore[arg-type]
    assert warn_of_wallets() == 0
    used(world, item, "500", "2026-01-11")
    assert warn_of_wallets() == 1
    assert UsageAlertSent.objects.get().reached == D(490)


def test_usage_that_was_taken_back_of_a_billed_month_is_less(world: World) -> None:
    a_meter()
    item = sold(world, by_meter(price="1.00"))
    granted(world.on("2026-02-02"), "1000")
    first = an_event(item, "30", "2026-01-10T12:00:00Z")
    taken(first, now=world.now.isoformat())
    world.bill()
    taken(
        an_event("", id="gone", meter="", value="0", retracts=first.id), now=world.now.isoformat()
    )
    used(world, item, "50", "2026-02-01")
    assert unbilled(world) == "20.00"


def test_tiers_of_the_month_that_runs_are_those_of_all_of_it(world: World) -> None:
    a_meter()
    tiers = [{"up_to": "10", "unit_price": "1.00"}, {"up_to": None, "unit_price": "0.10"}]
    item = sold(world, by_meter(price="0", model="graduated", tiers=tiers))
    granted(world.on("2026-02-10"), "1000")
    used(world, item, "30", "2026-01-10")
    used(world, item, "20", "2026-02-09")
    assert unbilled(world) == "23.00"


def test_what_a_pool_covers_costs_nothing(world: World) -> None:
    a_meter()
    sold(world, a_top_up("100"))
    item = a_drawer(world)
    granted(world.on("2026-02-10"), "1000")
    used(world, item, "120", "2026-02-09")
    bare = unbilled(world)
    world.on("2026-03-02").bill()
    lines = InvoiceLine.objects.filter(period_start="2026-02-01", quantity=120)
    assert bare == f"{lines.get().amount:.2f}" != "0.00"


def test_who_pays_a_part_of_anothers_usage_owes_that_part(world: World) -> None:
    a_meter()
    item = sold(world, by_meter(price="1.00"))
    payer = world.an_account(legal_entity=world.account.legal_entity, currency="EUR")
    agreed(world.account, (payer, "25"))
    for account in (world.account, payer):
        granted(world.on("2026-02-02"), "1000", account)
    world.bill()
    used(world, item, "40", "2026-02-01")
    used(world, item, "100", "2026-01-11")
    wallets = Wallet.objects.select_related("account__legal_entity")
    stands = {
        wallet.account_id: standing_of(wallet, today=world.today).unbilled.amount
        for wallet in wallets
    }
    assert stands == {world.account.pk: D("105.00"), payer.pk: D("35.00")}
    world.on("2026-03-02").bill()
    for account, owed in ((world.account, "105.00"), (payer, "35.00")):
        rows = InvoiceLine.objects.filter(invoice__account=account)
        assert sum(row.amount for row in rows) == D(owed)


def test_it_asks_no_more_of_more_services(world: World) -> None:
    a_meter()
    item = sold(world, by_meter(price="1.00"))
    granted(world.on("2026-02-02"), "1000")
    used(world, item, "10", "2026-01-10")
    with CaptureQueriesContext(connection) as one:
        unbilled(world)
    for _ in range(3):
        other = sold(world, by_meter(price="1.00"))
        world.on("2026-02-02")
        used(world, other, "10", "2026-02-01")
    with CaptureQueriesContext(connection) as four:
        assert unbilled(world) == "40.00"
    assert len(four) <= len(one)
