"""What an invoice says of prepaid credit: what it paid, of which lots, and what is left to pay."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from billing.models import Invoice, WalletLot
from billing.models.wallets import Source
from billing.wallets.selectors import Paid
from o2b.money import Money, quantise
from o2b.web.show import day_text, money_text


def shown(amount: Decimal, currency: str) -> str:
    """An amount with the currency's decimals."""
    return money_text(Money(quantise(amount, currency), currency))


def prepaid_rows(invoice: Invoice, prepaid: Sequence[Paid], left: Decimal) -> list[list[str]]:
    """Words and amount of each lot, and what is left to pay; nothing where no wallet paid."""
    if not prepaid:
        return []
    rows = [[_words(each), shown(-each.amount, invoice.currency)] for each in _by_lot(prepaid)]
    if not invoice.is_credit_note:
        rows.append([_("Left to pay"), shown(left, invoice.currency)])
    return rows


def _by_lot(prepaid: Iterable[Paid]) -> list[Paid]:
    sums: dict[int, Paid] = {}
    for each in prepaid:
        known = sums.get(each.lot.pk)
        amount = each.amount + known.amount if known else each.amount
        sums[each.lot.pk] = Paid(each.lot, amount)
    return list(sums.values())


def _words(paid: Paid) -> str:
    told = {"lot": lot_words(paid.lot)}
    if paid.amount < 0:
        return _("Given back to prepaid credit: %(lot)s") % told
    return _("Paid from prepaid credit: %(lot)s") % told


def lot_words(lot: WalletLot) -> str:
    """L-7, bought on 31 Jan 2026."""
    told = {"lot": str(lot), "day": day_text(lot.begins_on)}
    if lot.source == Source.ORDER:
        return _("%(lot)s, bought on %(day)s") % told
    return _("%(lot)s, granted on %(day)s") % told
