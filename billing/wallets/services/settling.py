"""One shard's wallets, when its documents become final: money comes back, comes in, and pays."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal

from billing.journal.services import value_postings
from billing.models import (
    BillRun,
    Posting,
    Shard,
    Wallet,
    WalletLot,
    WalletMovement,
)
from billing.models.ledger import LedgerAccount
from billing.wallets import selectors
from billing.wallets.services.drawing import Drawn, draw, give_back, write_draws
from billing.wallets.services.filling import Filled, fill, open_wallets, owed_by_lots
from o2b import events
from o2b.customers.models import Account

L = LedgerAccount
Kind = WalletMovement.Kind
NEWS = {
    Kind.GRANTED: "wallet.filled",
    Kind.TAKEN: "wallet.taken_back",
    Kind.DRAWN: "wallet.drawn",
    Kind.RETURNED: "wallet.given_back",
}


def settle_wallets(run: BillRun, shard: Shard, *, money: Collection[int], at: datetime) -> None:
    """Fill and draw the wallets of a shard whose final rows are written and whose drafts remain.

    What is given back comes first, so that a purchase that is corrected takes it back; what the run
    bills comes next, so that it may pay. In the transaction that makes the shard final, and so
    once. Whoever moves a wallet holds the row of its account; two do so one after the other.
    `money` are the charges that bring some.
    """
    billed = selectors.money_billed(shard.pk, money)
    ids = {each.account for each in billed} | set(selectors.wallets_to_settle(shard.pk))
    if not ids:
        return
    accounts = lock_accounts(ids)
    known = open_wallets(accounts.values(), at=at) if billed else wallets_of(accounts)
    eligible = selectors.eligible_by_invoice(shard.pk)
    back = give_back(run, shard.pk, eligible, at=at)
    _keep(run, back, known, at)
    billed = [*billed, *owed_by_lots(back.movements, billed, known)]
    if billed:
        filled = fill(run, billed, known, at=at)
        _write(filled)
        of_bill = {each.invoice: known[each.account] for each in billed}
        _post(_beyond(run, filled, of_bill))
        _tell(filled.movements, known, at)
    _keep(run, draw(run, eligible, at=at), known, at)


def _keep(run: BillRun, drawn: Drawn, known: Mapping[int, Wallet], at: datetime) -> None:
    if drawn.movements:
        write_draws(drawn, at=at)
        WalletMovement.objects.bulk_create(drawn.movements)
        _post(_paid(run, drawn))
        _tell(drawn.movements, known, at)


def lock_accounts(ids: Collection[int]) -> dict[int, Account]:
    """The rows that whoever moves a wallet must hold, in ascending order."""
    rows = Account.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    return {account.pk: account for account in rows}


def wallets_of(accounts: Mapping[int, Account]) -> dict[int, Wallet]:
    """Account → its wallet in its own currency."""
    rows = Wallet.objects.filter(account__in=accounts)
    return {
        row.account_id: row for row in rows if row.currency == accounts[row.account_id].currency
    }


def _write(filled: Filled) -> None:
    WalletLot.objects.bulk_create(filled.lots)
    for movement in filled.movements:
        movement.lot_id = movement.lot.pk  # those that are new have their key only now
    WalletMovement.objects.bulk_create(filled.movements)


def _beyond(
    run: BillRun, filled: Filled, wallets: Mapping[int, Wallet]
) -> Iterator[tuple[Posting, Decimal]]:
    """What came in beyond what was paid for it is less revenue; what was paid beyond it is more."""
    for invoice_id, amount in filled.beyond.items():
        posting = Posting(
            on=run.on,
            legal_entity_id=run.legal_entity_id,
            account_id=wallets[invoice_id].account_id,
            currency=wallets[invoice_id].currency,
            invoice_id=invoice_id,
            debit=L.REVENUE,
            credit=L.PREPAID,
        )
        yield posting, amount


def _paid(run: BillRun, drawn: Drawn) -> Iterator[tuple[Posting, Decimal]]:
    for each, payment in drawn.payments:
        posting = Posting(
            on=run.on,
            legal_entity_id=run.legal_entity_id,
            account_id=each.account,
            currency=payment.currency,
            payment=payment,
            debit=L.PREPAID,
            credit=L.RECEIVABLE,
        )
        yield posting, payment.amount


def _post(rows: Iterable[tuple[Posting, Decimal]]) -> None:
    """No posting is below zero: it has its sides changed instead."""
    found = []
    for posting, amount in rows:
        if amount < 0:
            posting.debit, posting.credit = posting.credit, posting.debit
        posting.amount = abs(amount)
        if amount:
            found.append(posting)
    value_postings(found)
    Posting.objects.bulk_create(found)


def _tell(movements: Iterable[WalletMovement], wallets: Mapping[int, Wallet], at: datetime) -> None:
    """One event a wallet and kind."""
    sums: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    invoices = {each.wallet_id: each.invoice_id for each in movements}
    for each in movements:
        sums[each.kind][each.wallet_id] += abs(each.amount)
    by_id = {wallet.pk: wallet for wallet in wallets.values()}
    for kind, amounts in sums.items():
        events.record_many(
            NEWS[Kind(kind)],
            [by_id[wallet_id] for wallet_id in sorted(amounts)],
            at=at,
            facts_of=lambda wallet, amounts=amounts: {  # type: ignore[misc]
                "amount": f"{amounts[wallet.pk]:f}",
                "invoice": invoices[wallet.pk],
            },
        )
