"""Billing's answers to news: promises, charges, and the steps of a run, sending, what lapses."""

import logging
import os
import socket
from typing import TYPE_CHECKING

from celery.signals import worker_init, worker_process_init
from django.db import DatabaseError

from billing.adjustments.selectors.closing import closed_with_minimums
from billing.adjustments.services.closing import end_minimums_of_closed
from billing.charges.services import open_charges_of
from billing.invoices.services import tell_first_bills as tell_of_first_bills
from billing.promises.services import note_deliveries_of, open_promises_of
from billing.runs import services as runs
from billing.runs.services.rehearsing import discard_old
from billing.runs.services.telling import tell_advocates as tell_of_bills_to_look_at
from billing.runs.services.warming import warm_up
from billing.sending import services as sending
from billing.wallets.selectors.topups import wallets_to_look_at
from billing.wallets.services.lapsing import lapse_due
from billing.wallets.services.topping_up import UNFORESEEN, top_up
from billing.wallets.services.warning import accounts_to_warn, warn_low
from o2b import clock
from o2b.asks import held_by
from o2b.errors import Refused
from o2b.events import batch_reaction, outside_reaction, periodic, reaction
from subscriptions.selectors import accounts_of_orders

if TYPE_CHECKING:  # what a worker is made of is not for web processes to load
    from celery.worker import WorkController

AT_ONCE = 100
log = logging.getLogger(__name__)


@batch_reaction("billing.open_promises", at_once=AT_ONCE)
def open_promises(keys: list[int]) -> None:
    """Orders were placed: write down what they promise."""
    for moment, orders in clock.by_moment(accounts_of_orders(keys)).items():
        open_promises_of(order_ids=orders, at=moment)


@batch_reaction("billing.note_deliveries", at_once=AT_ONCE)
def note_deliveries(keys: list[int]) -> None:
    """Lines of orders were delivered: append what was, and compare."""
    for moment, orders in clock.by_moment(accounts_of_orders(keys)).items():
        note_deliveries_of(order_ids=orders, at=moment)


@batch_reaction("billing.open_charges", at_once=AT_ONCE)
def open_charges(keys: list[int]) -> None:
    """Items of subscriptions were started: from now on they are billed."""
    open_charges_of(subscription_ids=keys, at=clock.now())


@batch_reaction("billing.end_minimums", at_once=AT_ONCE)
def end_minimums(keys: list[int]) -> None:
    """An account was closed, a service ended or an order given up: a closed one may have none."""
    for moment, accounts in clock.by_moment(closed_with_minimums(keys)).items():
        for account_id in accounts:
            end_minimums_of_closed(account_id=account_id, at=moment)


@reaction("billing.plan_run")
def plan_run(key: int) -> None:
    """A run was opened: cut it into shards."""
    runs.plan_run(run_id=key, at=clock.now())


@reaction("billing.draft_shard")
def draft_shard(key: int) -> None:
    """A shard was planned: draft and check it."""
    runs.draft_shard(shard_id=key, at=clock.now(), worker=_worker())


@reaction("billing.retry_shard")
def retry_shard(key: int) -> None:
    """Accounts of a shard are to be drafted again."""
    runs.retry_shard(shard_id=key, at=clock.now())


@reaction("billing.tell_advocates")
def tell_advocates(key: int) -> None:
    """A run is drafted: advocates hear which bills they should look at."""
    tell_of_bills_to_look_at(run_id=key)


@periodic("billing.discard_rehearsals")
def discard_rehearsals() -> int:
    """Rehearsals that nobody threw away go by themselves."""
    return discard_old(at=clock.now())


@reaction("billing.finalise_run")
def finalise_run(key: int) -> None:
    """A run was approved: send its shards on their way."""
    runs.finalise_run(run_id=key, at=clock.now())


@reaction("billing.finalise_shard")
def finalise_shard(key: int) -> None:
    """A shard has its numbers: make it final."""
    runs.finalise_shard(shard_id=key, at=clock.now(), worker=_worker())


@reaction("billing.tell_first_bills")
def tell_first_bills(key: int) -> None:
    """A run is final: advocates hear of the accounts that were billed for the first time."""
    tell_of_first_bills(run_id=key)


@reaction("billing.plan_sending")
def plan_sending(key: int) -> None:
    """A run is final: its invoices are to be made and sent."""
    sending.plan_sending(run_id=key, at=clock.now())


@reaction("billing.make_documents")
def make_documents(key: int) -> None:
    """A batch of invoices was planned: make their documents."""
    sending.make_documents(batch_id=key, at=clock.now(), worker=_worker())


@outside_reaction("billing.mail_invoices")
def mail_invoices(owed: dict[int, list[int]], key: int) -> None:
    """A batch has documents to mail."""
    sending.mail_invoices(batch_id=key, outbox_ids=owed[key], machine_now=clock.now())


@periodic("billing.lapse_money")
def lapse_money() -> int:
    """Prepaid money whose last day is over lapses, wherever its account lives."""
    lapsed = 0
    while some := lapse_due(machine_now=clock.now()):
        lapsed += some
    return lapsed


@periodic("billing.top_up_wallets")
def top_up_wallets() -> int:
    """Standing orders refill wallets that hold too little; one that fails keeps none from it."""
    now, placed = clock.now(), 0
    for pk in wallets_to_look_at():
        try:
            asked = top_up(wallet_id=pk, machine_now=now, already_of=held_by)
        except (Refused, DatabaseError, *UNFORESEEN):
            log.exception("top-up of wallet %s", pk)
        else:
            placed += asked is not None
    return placed


@periodic("billing.warn_of_wallets")
def warn_of_wallets() -> int:
    """Who wants to hear of it hears that little prepaid credit is left; none stops another."""
    now, told = clock.now(), 0
    for pk in accounts_to_warn():
        try:
            told += warn_low(account_id=pk, machine_now=now)
        except (DatabaseError, *UNFORESEEN):
            log.exception("prepaid credit of account %s", pk)
    return told


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


@worker_init.connect
def _warm_up_later(sender: "WorkController", **told: object) -> None:
    """Each process of a worker that bills; after Celery has closed what its parent held open."""
    if "billing" in sender.app.amqp.queues.consume_from:
        worker_process_init.connect(_warm_up)


def _warm_up(**told: object) -> None:
    warm_up(at=clock.now())
