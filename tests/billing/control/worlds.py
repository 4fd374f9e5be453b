"""Accounts that were billed in January and are billed otherwise in February."""

from datetime import date
from decimal import Decimal
from typing import Any

from billing.models import BillRun, ParkedAccount, RunRules, Shard, Variance
from billing.runs.selectors import counts_of, rows_of
from billing.runs.services import approve_run
from o2b import events
from o2b.customers.models import Account
from tests.billing.worlds import AT, FEBRUARY, drafted, finalised, in_service
from tests.factories import a_product, a_user, an_account, an_entity, monthly

CHARGE = "UPDATE catalog_termscharge SET unit_price = %s WHERE id IN (SELECT terms_charge_id FROM"


def an_account_with(price: str, **given: Any) -> Account:
    """An account with one monthly service."""
    return in_service([a_product(charges=[monthly(price)])], account=an_account(**given))


def more_for(account: Account, price: str, *, start_on: date = date(2026, 2, 1)) -> Account:
    """The account gets another service, from February on."""
    product = a_product(charges=[monthly(price)])
    return in_service([product], account=account, start_on=start_on)


def rules(**told: Any) -> RunRules:
    """The seller's fuses and rules."""
    found, _ = RunRules.objects.update_or_create(legal_entity=an_entity(), defaults=told)
    return found


def variances(run: BillRun) -> dict[int, tuple[str, str, str]]:
    """account → last bill, this one, the rule."""
    return {
        each.account_id: (f"{each.before:.2f}", f"{each.now:.2f}", each.rule)
        for each in Variance.objects.filter(run=run)
    }


def reasons(run: BillRun) -> dict[int, str]:
    """account → why it is out."""
    return dict(ParkedAccount.objects.filter(run=run).values_list("account_id", "reason"))


def equation(run: BillRun) -> tuple[int, int, int, int, int, int]:
    """looked at, drafted, nothing due, parked, to finalise, set aside; the equations hold."""
    counts = counts_of(run_id=run.pk)
    assert counts.holds
    run.refresh_from_db()
    if run.state in BillRun.REVIEWED:
        assert rows_of(run_id=run.pk).agree_with(counts)
    return (
        counts.looked_at,
        counts.drafted,
        counts.nothing_due,
        counts.parked,
        counts.to_finalise,
        counts.set_aside,
    )


def net_of(run: BillRun) -> Decimal:
    """What the shards say that the run comes to."""
    return sum(
        (
            Decimal(sums["net"])
            for totals in Shard.objects.filter(run=run).values_list("totals", flat=True)
            for sums in totals.values()
        ),
        Decimal(0),
    )


def approved(run: BillRun) -> BillRun:
    """By a second person, and carried through."""
    approve_run(run_id=run.pk, user_id=a_user().pk, at=AT)
    events.drain()
    run.refresh_from_db()
    return run


__all__ = ["AT", "FEBRUARY", "drafted", "finalised"]
