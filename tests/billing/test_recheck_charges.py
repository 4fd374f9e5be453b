"""manage.py recheck_charges: bills of before a correction are corrected by the next run."""

from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from billing.models import ChargeState, InvoiceLine
from billing.runs.services import open_run
from o2b.charging import memory, schedule
from o2b.charging.differing import Differ
from o2b.charging.schedule import Segment
from o2b.models import Event
from o2b.periods import FOREVER, Period
from subscriptions.models import Act, Item
from tests.factories import a_product, an_account, an_entity, monthly, reprice
from tests.subscriptions.serving import told

pytestmark = pytest.mark.django_db
ELEVENTH = date(2026, 1, 11)
ADD = Differ.add


def doubled(segments):
    """As it was: a day that goes on under other Terms was billed under both."""
    return tuple(
        each
        if each.period.end == FOREVER
        else Segment(Period(each.period.start, each.period.end + schedule._DAY), each.quantity)
        for each in segments
    )


@pytest.fixture
def item(world, monkeypatch):
    """31.00 a month; upgraded on 11 January, which was billed twice; it is 1 February."""
    seller = an_entity(code="sued", conventions={"last_day_billed": True})
    world.account = an_account(test_clock=world.clock, legal_entity=seller)
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line", charges=[monthly("31.00")])])
    a_product(code="other", charges=[monthly("31.00")], name="Other")
    found = Item.objects.get()
    with monkeypatch.context() as before:
        memory.forget()
        before.setattr(schedule, "_with_last_days", doubled)
        world.bill("2026-01-01")
        world.on("2026-01-31")
        told(world, found, Act.TERMS, on=ELEVENTH, product="other")
        billed(world)
    memory.forget()
    assert january() == ["11.00", "21.00"]
    world.on("2026-02-01")
    return found


def billed(world):
    run = world.bill(f"{world.today}")
    assert (run.state, world.parked()) == ("finalised", [])


def january():
    found = {}
    for line in InvoiceLine.objects.filter(period_start=date(2026, 1, 1)):
        found[line.charge.terms_id] = found.get(line.charge.terms_id, 0) + line.amount
    return sorted(f"{amount:.2f}" for amount in found.values())


def said(*args):
    out = StringIO()
    call_command("recheck_charges", *args, stdout=out)
    return out.getvalue().splitlines()


def standings():
    return sorted(ChargeState.objects.values_list())


def test_by_itself_nobody_looks_at_it_again(world, item):
    billed(world)
    assert january() == ["11.00", "21.00"]


def test_the_next_run_bills_the_difference(world, item):
    name = world.account.reference
    before = standings()
    lines = [f"{name}: -1.00 EUR net, 1 charges"]
    assert said("--dry-run") == [*lines, "1 charges of 1 accounts differ; nothing was changed"]
    assert standings() == before
    assert not Event.objects.filter(name="account.charges_rechecked").exists()
    assert said("--account", name) == [
        *lines,
        "1 charges of 1 accounts differ; the next run bills them",
    ]
    assert Event.objects.get(name="account.charges_rechecked").subject_id == world.account.pk
    billed(world)
    assert january() == ["10.00", "21.00"]
    new = InvoiceLine.objects.filter(period_start=date(2026, 2, 1))
    assert sum(line.amount for line in new) == Decimal(31)
    assert said() == ["0 charges of 0 accounts differ; the next run bills them"]


def test_of_other_accounts_nothing_is_looked_at(world, item):
    other = world.an_account()
    assert said("--account", other.reference)[0].startswith("0 charges")
    with pytest.raises(CommandError, match="there is no account"):
        said("--account", "nobody")


def test_a_run_that_is_under_way_comes_first(world, item):
    before = standings()
    open_run(
        legal_entity_id=world.account.legal_entity_id,
        on=world.today,
        opened_by_id=world.opener.pk,
        at=world.now,
    )
    with pytest.raises(CommandError, match="not finished"):
        said()
    assert standings() == before
    assert said("--dry-run")[-1].startswith("1 charges")


def test_what_was_told_since_and_not_billed_yet_is_no_difference(world, item):
    told(world, item, Act.QUANTITY, on=date(2026, 1, 21), quantity=2)
    assert said("--dry-run")[-1].startswith("0 charges")


def nothing_by_the_day(self, full, pieces):
    """As it was: by the day nothing was billed in a period that another price had paid whole."""
    if not (self.begun and self.terms.proration == "day"):
        ADD(self, full, pieces)


@pytest.mark.parametrize("ends", [True, False])
def test_days_on_top_of_a_month_that_was_paid_whole_are_found(world, monkeypatch, ends):
    """Also where nothing else was ever billed by the day: three units more for nine days."""
    world.on("2026-01-01")
    product = a_product(code="line", charges=[monthly("31.00", proration="none")])
    world.sell(products=[product], quantity="2")
    billed(world)
    with monkeypatch.context() as before:
        memory.forget()
        before.setattr(Differ, "add", nothing_by_the_day)
        reprice(product, charges=[monthly("32.00")])
        told(world.on("2026-01-16"), Item.objects.get(), Act.TERMS, on=date(2026, 1, 16))
        told(world, Item.objects.get(), Act.QUANTITY, on=date(2026, 1, 16), quantity=Decimal(5))
        if ends:
            told(world, Item.objects.get(), Act.END, on=date(2026, 1, 25))
        billed(world)
    memory.forget()
    assert january() == ["62.00"]
    call_command("recheck_charges")
    world.on("2026-01-30")
    billed(world)
    assert january() == ["27.87" if ends else "49.55", "62.00"]
