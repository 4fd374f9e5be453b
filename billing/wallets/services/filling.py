"""Money that was ordered comes into a wallet when its invoice is final; a correction takes back."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from billing.models import BillRun, Charge, Wallet, WalletLot, WalletMovement
from billing.models.wallets import Source
from billing.wallets import selectors
from billing.wallets.rules.sharing import Share, given_back, money_of
from billing.wallets.selectors.settling import Billed, MoneyLine
from o2b.catalog.resolution import charge_terms
from o2b.charging.allowances import Part
from o2b.charging.terms import Grant
from o2b.customers.models import Account
from o2b.money import EXACT

Kind = WalletMovement.Kind
_ZERO = Decimal(0)


@dataclass(slots=True)
class Filled:
    """Lots to be, movements, and for each document how much more came in than was paid for it."""

    lots: list[WalletLot] = field(default_factory=list)
    movements: list[WalletMovement] = field(default_factory=list)
    beyond: dict[int, Decimal] = field(default_factory=lambda: defaultdict(lambda: _ZERO))


def open_wallets(accounts: Collection[Account], *, at: datetime) -> dict[int, Wallet]:
    """Account → its wallet in its own currency; made where there is none."""
    Wallet.objects.bulk_create(
        (
            Wallet(
                account=account,
                legal_entity_id=account.legal_entity_id,
                currency=account.currency,
                opened_at=at,
            )
            for account in accounts
        ),
        ignore_conflicts=True,
    )
    currencies = {account.pk: account.currency for account in accounts}
    rows = Wallet.objects.filter(account__in=currencies)
    return {row.account_id: row for row in rows if row.currency == currencies[row.account_id]}


def fill(
    run: BillRun, billed: Sequence[Billed], wallets: Mapping[int, Wallet], *, at: datetime
) -> Filled:
    """What the documents of a run bill of charges that bring money, as lots and movements.

    A charge and period should have brought what its newest lines say; what it has brought already
    is taken off, so that a second look changes nothing. Less is taken back, the newest lot first,
    as far as it was not drawn yet.
    """
    charges = _charges_of({each.charge for each in billed})
    lines = selectors.money_lines_of(charges)
    before, taken = _lots_of(charges), _taken_of(charges)
    filled = Filled()
    for each in billed:
        wallet, charge = wallets[each.account], charges[each.charge]
        grant, currency = _grant_of(charge), wallet.currency
        said = lines[each.charge, each.period_start]
        lots = before.get((each.charge, each.period_start), [])
        brought = sum((EXACT.add(lot.amount, taken[lot.pk]) for lot in lots), _ZERO)
        more = EXACT.subtract(money_of(grant, _parts(said), currency), brought)
        moved = more
        if more > 0:
            lot = _lot(run, wallet, grant, each, more, said)
            filled.lots.append(lot)
            filled.movements.append(_movement(run, lot, Kind.GRANTED, more, each, at))
        elif more < 0:
            moved = _ZERO
            for share in given_back([Share(n, lot.left) for n, lot in enumerate(lots)], -more):
                lot = lots[share.of]
                filled.movements.append(_movement(run, lot, Kind.TAKEN, -share.amount, each, at))
                moved = EXACT.subtract(moved, share.amount)
        filled.beyond[each.invoice] += EXACT.subtract(moved, each.amount)
    return filled


def owed_by_lots(
    returned: Iterable[WalletMovement], billed: Sequence[Billed], wallets: Mapping[int, Wallet]
) -> list[Billed]:
    """The purchases that money was given back to, as bills of nothing, where none is billed anyway.

    A purchase that was corrected when its money was used still owes that: it is taken back now.
    """
    accounts = {wallet.pk: account for account, wallet in wallets.items()}
    bills = {each.lot_id: each for each in returned}
    known = {(each.charge, each.period_start) for each in billed}
    found: dict[tuple[int, date], Billed] = {}
    for lot in WalletLot.objects.filter(pk__in=bills, charge__isnull=False) if bills else ():
        charge, start, invoice = lot.charge_id, lot.period_start, bills[lot.pk].invoice_id
        if charge is None or start is None or invoice is None or (charge, start) in known:
            continue
        bill = Billed(accounts[lot.wallet_id], charge, start, invoice, _ZERO)
        found.setdefault((charge, start), bill)
    return list(found.values())


def _charges_of(ids: Collection[int]) -> dict[int, Charge]:
    return Charge.objects.select_related("terms_charge").in_bulk(sorted(ids))


def _grant_of(charge: Charge) -> Grant:
    grant = charge_terms(charge.terms_charge, charge.currency).grant
    if grant is None or not grant.is_money:
        raise LookupError(f"{charge} brings no money")
    return grant


def _parts(lines: Sequence[MoneyLine]) -> list[Part]:
    return [Part(each.quantity, Fraction(each.days, max(each.of_days, 1))) for each in lines]


def _lots_of(charges: Collection[int]) -> dict[tuple[int, date], list[WalletLot]]:
    """Charge and period → its lots, the newest first."""
    found: dict[tuple[int, date], list[WalletLot]] = defaultdict(list)
    for lot in WalletLot.objects.filter(charge__in=charges).order_by("-pk"):
        if lot.charge_id is not None and lot.period_start is not None:
            found[lot.charge_id, lot.period_start].append(lot)
    return found


def _taken_of(charges: Collection[int]) -> dict[int, Decimal]:
    """Lot → what was taken back of it, below zero."""
    found: dict[int, Decimal] = defaultdict(lambda: _ZERO)
    moves = WalletMovement.objects.filter(lot__charge__in=charges, kind=Kind.TAKEN)
    for lot_id, amount in moves.values_list("lot_id", "amount"):
        found[lot_id] += amount
    return found


def _lot(
    run: BillRun,
    wallet: Wallet,
    grant: Grant,
    billed: Billed,
    amount: Decimal,
    said: Sequence[MoneyLine],
) -> WalletLot:
    return WalletLot(
        wallet=wallet,
        source=Source.ORDER,
        amount=amount,
        priority=grant.priority,
        begins_on=run.on,
        ends_on=grant.lasts.advance(run.on, 1) if grant.lasts else None,
        charge_id=billed.charge,
        period_start=billed.period_start,
        invoice_id=billed.invoice,
        text=said[-1].text,
    )


def _movement(
    run: BillRun, lot: WalletLot, kind: str, amount: Decimal, billed: Billed, at: datetime
) -> WalletMovement:
    return WalletMovement(
        wallet_id=lot.wallet_id,
        lot=lot,
        kind=kind,
        amount=amount,
        on=run.on,
        at=at,
        invoice_id=billed.invoice,
    )
