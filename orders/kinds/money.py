"""Payment received and credit check: whether money can be collected decides whether work goes on.

`payment`: `what` = deposit (with `amount`, or `percent` of what the order costs once and in its
first month) or first_bill. `credit_check`: `limit` (default: the account's), `overdue_allowed`
(default: nothing), `on_bad` = wait (for money, or for somebody who approves) or fallout.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from o2b.asks import Standing
from o2b.money import quantise
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done, Failed, Job, Outcome, Waiting
from orders.kinds.approvals import answer, ask_step, asked_for_each, withdraw
from orders.kinds.parameters import (
    amount,
    checker,
    number_of,
    one_of,
    percent,
    wrong,
)
from orders.models import Approval, Evidence, Order, OrderLine, Task
from orders.models.words import FailureClass, WaitsFor
from orders.selectors import figures_of

DEPOSIT, FIRST_BILL = "deposit", "first_bill"
WAIT, FALLOUT = "wait", "fallout"
DEPOSITS = 0x6465706F  # the name of the lock: "depo"
LOOK_AGAIN = 900  # seconds; a payment is told at once

_payment = checker(
    needed=("what",), what=one_of(DEPOSIT, FIRST_BILL), amount=amount, percent=percent
)
credit_faults = checker(limit=amount, overdue_allowed=amount, on_bad=one_of(WAIT, FALLOUT))


def payment_faults(parameters: Mapping[str, Any]) -> list[str]:
    """A deposit of some size, or the first bill."""
    said = _payment(parameters)
    if not isinstance(parameters, Mapping) or parameters.get("what") != DEPOSIT:
        return said
    told = [name for name in ("amount", "percent") if parameters.get(name) not in (None, "")]
    return said if len(told) == 1 else [*said, "a deposit is an amount, or a percent of the order"]


def payments(jobs: Sequence[Job]) -> Mapping[int, Outcome]:
    """Whether the money of each is there; what one counts on, another of the account does not."""
    _one_at_a_time({job.account_id for job in jobs})
    found: dict[int, Outcome] = {}
    taken: dict[int, Decimal] = {}
    known = Known()
    for job in jobs:
        said = found[job.task_id] = wrong(payment_faults, job) or _paid(
            job, taken.get(job.account_id, Decimal(0)), known
        )
        if isinstance(said, Done) and DEPOSIT in said.data:
            taken[job.account_id] = taken.get(job.account_id, Decimal(0)) + Decimal(
                said.data[DEPOSIT]
            )
    return found


def _one_at_a_time(accounts: Collection[int]) -> None:
    """Until the transaction is over nobody else counts on the money of these accounts."""
    with connection.cursor() as cursor:
        for pk in sorted(accounts):
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [DEPOSITS, pk % 2**31])


def payment(job: Job) -> Outcome:
    return payments([job])[job.task_id]


class Known:
    """What is looked up once for many jobs: what an order is worth, what an account counts on."""

    def __init__(self) -> None:
        self.worth_of = cache(_worth)
        self.deposits_of = cache(_deposits)


def _paid(job: Job, taken: Decimal, known: Known) -> Outcome:
    standing = job.standing
    if standing is None:
        return _nobody_tells()
    if job.parameters["what"] == FIRST_BILL:
        if standing.has_paid_a_bill:
            return Done(data={"paid": FIRST_BILL})
        return _wait_for("the first bill is not paid yet")
    wanted = _deposit(job, standing, known)
    deposits = known.deposits_of(job.account_id, standing.billed_on)
    counted_on = sum((d for task_id, d in deposits if task_id != job.task_id), Decimal(0))
    there = standing.credit - counted_on - taken
    if there >= wanted:
        return Done(data={DEPOSIT: str(wanted), "currency": standing.currency})
    told = f"{quantise(max(there, Decimal(0)), standing.currency)} of {wanted} {standing.currency}"
    return _wait_for(f"deposit: {told} received")


def _deposit(job: Job, standing: Standing, known: Known) -> Decimal:
    share = number_of(job.parameters.get("percent"))
    wanted = number_of(job.parameters.get("amount")) or Decimal(0)
    if share is not None:
        wanted = known.worth_of(job.order_id) * share / 100
    return quantise(wanted, standing.currency)


def _deposits(account_id: int, billed_on: date | None) -> list[tuple[int, Decimal]]:
    """Deposits of the account that orders count on, by task: money is there once.

    That of a delivered line is until the line is billed, and the deposit with it.
    """
    others = Evidence.objects.filter(
        Exists(Task.objects.filter(pk=OuterRef("task"), handler="payment")),
        line__account=account_id,
        data__has_key=DEPOSIT,
    ).exclude(line__state=OrderLine.State.CANCELLED)
    if billed_on:
        billed = {"line__delivered_on__lt": billed_on}
        others = others.exclude(line__state=OrderLine.State.COMPLETED, **billed)
    said = others.values_list("task", "data")
    return [(task_id, number_of(data[DEPOSIT]) or Decimal(0)) for task_id, data in said]


def credit_checks(jobs: Sequence[Job]) -> Mapping[int, Outcome]:
    """Each is done when its account may owe so much more, or somebody said that it may."""
    asked, known = asked_for_each(jobs), Known()
    return {
        job.task_id: wrong(credit_faults, job) or _checked(job, asked.get(job.task_id), known)
        for job in jobs
    }


def credit_check(job: Job) -> Outcome:
    return credit_checks([job])[job.task_id]


def _checked(job: Job, asked: Approval | None, known: Known) -> Outcome:
    if job.standing is None:
        return _nobody_tells()
    faults = _doubts(job, job.standing, known)
    if not faults:
        if asked:
            withdraw(asked, at=job.at)
        return Done(data={"owed": str(job.standing.owed), "overdue": str(job.standing.overdue)})
    reason = "; ".join(faults)
    if job.parameters.get("on_bad") == FALLOUT:
        return Failed(reason, kind=FailureClass.REFUSED)
    asked = asked or ask_step(job, reason=reason)
    return answer(asked) or Waiting(WaitsFor.CREDIT, poll_after=LOOK_AGAIN, reason=reason)


def _doubts(job: Job, standing: Standing, known: Known) -> list[str]:
    found = []
    allowed = number_of(job.parameters.get("overdue_allowed")) or Decimal(0)
    if standing.overdue > allowed:
        found.append(f"{_money(standing.overdue, standing)} are overdue")
    limit = number_of(job.parameters.get("limit"))
    limit = standing.limit if limit is None else limit
    if limit is not None:
        owed = max(standing.owed, Decimal(0)) + known.worth_of(job.order_id)
        if owed > limit:
            told = f"{_money(owed, standing)} would be owed, {_money(limit, standing)} may be"
            found.append(told)
    return found


def _money(value: Decimal, standing: Standing) -> str:
    return f"{quantise(value, standing.currency)} {standing.currency}"


def _worth(order_id: int) -> Decimal:
    """What the order costs once and in its first month; cancelled lines cost nothing."""
    totals = figures_of(Order.objects.select_related("account").get(pk=order_id)).totals
    return totals.one_time + totals.monthly


def _wait_for(reason: str) -> Waiting:
    return Waiting(WaitsFor.PAYMENT, poll_after=LOOK_AGAIN, reason=reason)


def _nobody_tells() -> Failed:
    return Failed("nobody tells how the account stands", kind=FailureClass.SET_UP)


PAYMENT = Handler(
    run=payment,
    run_many=payments,
    instant=True,
    wants_standing=True,
    faults=payment_faults,
)
CREDIT_CHECK = Handler(
    run=credit_check,
    run_many=credit_checks,
    instant=True,
    writes=True,
    wants_standing=True,
    faults=credit_faults,
)
