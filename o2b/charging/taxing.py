"""What tax a drafted line bears: at today's rate, or at that of the bill that it corrects."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from o2b.charging.draft import CHANGE, LATE, POOL
from o2b.charging.facts import Billed, DraftLine
from o2b.charging.tax import TaxLine, TaxRounding, share_taxes, tax_on
from o2b.charging.terms import ChargeTerms
from o2b.money import EXACT

_ZERO = Decimal(0)

# Prepaid money is no supply yet: its tax is due when it is used (multi-purpose vouchers, Council
# Directive 2006/112/EC, article 30b), so what buys it bears none, whatever code its price has.
UNTAXED = "@money"


def tax_code_of(terms: ChargeTerms) -> str:
    """The code by which a charge's rate is asked; UNTAXED for one that brings money."""
    grant = terms.grant
    return UNTAXED if grant is not None and grant.is_money else terms.tax_code


class Corrects(NamedTuple):
    """The bill that a line corrects: its rate, the tax so far, the net that should be billed."""

    percent: Decimal
    taxed: Decimal
    target: Decimal

    def turned(self) -> "Corrects":
        """The same for the line taken back."""
        return Corrects(self.percent, -self.taxed, -self.target)


class Taxable(NamedTuple):
    """A net amount and its rate in percent; who charges no tax at all has none."""

    amount: Decimal
    percent: Decimal | None
    corrects: Corrects | None = None


def corrects(line: DraftLine, billed: Sequence[Billed]) -> Corrects | None:
    """What of `billed` a line corrects; None if its period was not billed before.

    New days of a period that was billed (another quantity) bear the rate of that period's bill,
    and so does usage that came late for it, or units of a pool that cover other days of it now.
    """
    if line.cause not in (CHANGE, LATE, POOL):
        return None
    period = [
        each for each in billed if each.period_start == line.full_period.start and not each.undone
    ]
    if not period:
        return None
    own = next((each for each in period if each.segment == line.segment), None)
    known = own or period[0]
    return Corrects(known.percent, own.tax if own else _ZERO, line.target)


def taxes_of(
    lines: Sequence[Taxable], *, currency: str, per: TaxRounding = TaxRounding.LINE
) -> tuple[Decimal, ...]:
    """The tax of each line; lines that correct nothing are rounded together as `per` says.

    A correction is billed by difference, as its net is: round(target × percent) less the tax so
    far, so that a bill that is taken back as a whole gives back its tax to the cent.
    Source: Lago, credit notes (the rest is the difference to the whole, not computed anew).
    """
    if not any(line.percent or line.corrects for line in lines):
        return (_ZERO,) * len(lines)
    plain = [line for line in lines if line.corrects is None]
    shared = iter(
        share_taxes(
            [TaxLine(line.amount, line.percent or _ZERO) for line in plain],
            currency=currency,
            per=per,
        )
    )
    return tuple(
        next(shared) if line.corrects is None else _difference(line.corrects, currency)
        for line in lines
    )


def taxed(
    lines: Sequence[Taxable], *, currency: str, per: TaxRounding = TaxRounding.LINE
) -> tuple[Decimal, ...] | None:
    """The same for those who show it; None where no tax is charged and none was."""
    if any(line.corrects is None and line.percent is not None for line in lines) or any(
        line.corrects and (line.corrects.percent or line.corrects.taxed) for line in lines
    ):
        return taxes_of(lines, currency=currency, per=per)
    return None


def _difference(bill: Corrects, currency: str) -> Decimal:
    return EXACT.subtract(tax_on(bill.target, bill.percent, currency), bill.taxed)
