"""From the rows of a shard to the lines of its drafts; equal charges are computed once.

A charge comes as one text that holds all that its lines depend on, so that a thousand equal
charges cost a thousand look-ups and one computation.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from billing.rules.adjustments import Adjustment
from billing.rules.keys import facts_of, terms_charge_of
from billing.rules.metering import UsageOf, with_usage
from billing.rules.rendering import Priced, Rendered, render, with_taxes
from o2b.charging import (
    Billed,
    DraftLine,
    draft_and_mark,
)
from o2b.charging.tax import TaxRounding
from o2b.charging.taxing import Taxable, corrects, tax_code_of, taxes_of
from o2b.money import EXACT

_ZERO = Decimal(0)
_BY_ACCOUNT = itemgetter(0)


class DueRow(NamedTuple):
    """One charge, or one of several versions of its item, as Postgres tells it.

    `key` is TermsCharge|quantity|started on|anchor day|billed through|valid from|valid to; of a
    charge that has no day left, quantity and days are empty. It ends in |on where the service goes
    on after these days, billed by whatever charge and account, in |= with how much of it is
    delivered where that is not all, in |~ with the days of others that began its periods
    (`keys.with_begun`), and in |/ with the parts of a payer by day (`billing.rules.sharing`) where
    several pay. A `metered` one is never plain. `mark` is that of a part which the last bill has
    not seen.
    """

    account_id: int
    charge_id: int
    revision: int
    plain: bool
    changed: bool
    key: str
    metered: bool = False
    mark: int | None = None


class AccountDraft(NamedTuple):
    """What one account owes: (charge, the item's revision, its lines), and the sums.

    `lines` counts those of charges; the sums hold the adjustments, too. Where its bills are
    `split`, `documents` holds each, and what it is `about`; it is one document otherwise.
    """

    charges: tuple[tuple[int, int, Rendered], ...]
    net: Decimal
    tax: Decimal
    lines: int
    adjustments: tuple[Adjustment, ...] = ()
    documents: tuple["AccountDraft", ...] = ()
    split: str = ""
    about: str = ""

    @property
    def papers(self) -> tuple["AccountDraft", ...]:
        """What is written of it: its documents, or itself."""
        return self.documents or (self,)

    @property
    def bills(self) -> bool:
        """Whether there is a document to write."""
        return bool(self.lines or self.adjustments)


class Taxing(NamedTuple):
    """How lines are taxed: the percent of a code, for who is exempt or not; rounded per what.

    `percent` answers None where no tax is charged at all, and raises where no rate is known.
    """

    percent: Callable[[str, bool], Decimal | None]
    per: TaxRounding = TaxRounding.LINE


def _no_tax(code: str, exempt: bool) -> None:
    return None


NET = Taxing(_no_tax)


class WrongCurrency(ValueError):
    """A charge is not in the account's currency."""


def draft_accounts(
    rows: Iterable[DueRow],
    *,
    priced: Callable[[int], Priced],
    currencies: Mapping[int, str],
    history: Mapping[int, tuple[Billed, ...]],
    until: date,
    taxing: Taxing = NET,
    exempt: Collection[int] = (),
    usage: Mapping[int, UsageOf] | None = None,
    apart: Mapping[int, str] | None = None,
) -> tuple[dict[int, AccountDraft], dict[int, Exception]]:
    """Draft each account on its own: one that cannot be computed does not stop the others.

    `apart` has the charges of accounts whose bills are split, and the key of each one's document.
    """
    books = {
        free: _Book(priced, history, until, usage or {}, taxing, free, apart or {})
        for free in (False, True)
    }
    drafts: dict[int, AccountDraft] = {}
    failed: dict[int, Exception] = {}
    for account_id, own in groupby(rows, _BY_ACCOUNT):
        try:
            book = books[account_id in exempt]
            drafts[account_id] = book.account(list(own), currencies[account_id])
        except Exception as exc:  # whatever it is, it concerns this account alone
            failed[account_id] = exc
    return drafts, failed


class _Book:
    """The computations of one shard; forgotten with it, so that nothing read is ever stale.

    Who is `exempt` from tax has a book of their own.
    """

    def __init__(
        self,
        priced: Callable[[int], Priced],
        history: Mapping[int, tuple[Billed, ...]],
        until: date,
        usage: Mapping[int, UsageOf],
        taxing: Taxing = NET,
        exempt: bool = False,
        apart: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        self.priced, self.history, self.until, self.usage = priced, history, until, usage
        self.taxing, self.exempt, self.apart = taxing, exempt, apart
        self.memo: dict[str, Rendered] = {}
        self.changed: dict[tuple[tuple[str, ...], tuple[Billed, ...] | None], Rendered] = {}
        self.together: dict[tuple[int, ...], tuple[list[Rendered], list[Rendered]]] = {}
        self.sums: dict[tuple[str, tuple[int, ...]], tuple[Decimal, Decimal, int]] = {}

    def account(self, rows: Sequence[DueRow], currency: str) -> AccountDraft:
        found: list[tuple[int, int, Rendered]] = []
        slow: dict[int, list[DueRow]] = {}
        memo = self.memo
        for row in rows:
            _, charge_id, revision, is_plain, _, key, _, _ = row
            if not is_plain:
                slow.setdefault(charge_id, []).append(DueRow(*row))
                continue
            found.append((charge_id, revision, memo.get(key) or self.shared(key)))
        for charge_id, versions in slow.items():
            billed = self.history.get(charge_id, ()) if versions[0].changed else None
            keys = tuple([each.key for each in versions])
            usage = self.usage.get(charge_id)
            if usage is not None and usage.again:
                billed = self.history.get(charge_id, ())
            if versions[0].metered:
                rendered = self.charge(keys, billed, usage)
            else:
                rendered = self.equally_changed(keys, billed)
            found.append((charge_id, versions[0].revision, rendered))
        if self.taxing.per is not TaxRounding.LINE:
            found = self.taxed_apart(found, currency)
        elif not slow:
            return AccountDraft(tuple(found), *self.summed(found, currency))
        return AccountDraft(tuple(found), *_summed(found, currency))

    def summed(
        self, found: Sequence[tuple[int, int, Rendered]], currency: str
    ) -> tuple[Decimal, Decimal, int]:
        """The sums of charges that are all shared; `memo` keeps them, and so their ids."""
        key = currency, tuple([id(rendered) for _, _, rendered in found])
        known = self.sums.get(key)
        if known is None:
            known = self.sums[key] = _summed(found, currency)
        return known

    def taxed_apart(
        self, found: list[tuple[int, int, Rendered]], currency: str
    ) -> list[tuple[int, int, Rendered]]:
        """Together is what stands on one document."""
        apart = self.apart
        if not apart or not found or found[0][0] not in apart:
            return self.taxed_together(found, currency)
        papers: dict[str, list[tuple[int, int, Rendered]]] = {}
        for row in found:
            papers.setdefault(apart.get(row[0], ""), []).append(row)
        return [row for own in papers.values() for row in self.taxed_together(own, currency)]

    def taxed_together(
        self, found: list[tuple[int, int, Rendered]], currency: str
    ) -> list[tuple[int, int, Rendered]]:
        """All lines of a document again, their tax rounded per rate or once for the invoice."""
        own = [rendered for _, _, rendered in found]
        key = tuple(map(id, own))
        known = self.together.get(key)
        if known is None:  # what is kept with them keeps their ids
            known = self.together[key] = (own, self._together(own, currency))
        return [
            (charge_id, revision, rendered)
            for (charge_id, revision, _), rendered in zip(found, known[1], strict=True)
        ]

    def _together(self, own: Sequence[Rendered], currency: str) -> list[Rendered]:
        lines = [line for rendered in own for line in rendered.taxable]
        taxes = iter(taxes_of(lines, currency=currency, per=self.taxing.per))
        return [with_taxes(each, [next(taxes) for _ in each.taxable]) for each in own]

    def shared(self, key: str) -> Rendered:
        """Compute a charge for all that are equal."""
        rendered = self.memo[key] = self.charge([key], None)
        return rendered

    def equally_changed(self, keys: tuple[str, ...], billed: tuple[Billed, ...] | None) -> Rendered:
        """Compute a changed charge for all that were changed, and had been billed, alike."""
        rendered = self.changed.get((keys, billed))
        if rendered is None:
            rendered = self.changed[keys, billed] = self.charge(keys, billed)
        return rendered

    def charge(
        self,
        keys: Sequence[str],
        billed: tuple[Billed, ...] | None,
        usage: UsageOf | None = None,
    ) -> Rendered:
        """Compute one charge from the texts of its versions; usage of a day that is over only."""
        terms_charge = self.priced(terms_charge_of(keys[0]))
        facts, until = facts_of(keys, terms_charge.compiled, billed), self.until
        if usage is not None:
            facts = with_usage(facts, usage)
            until = min(until, usage.until)
        lines, mark = draft_and_mark(facts, until=until)
        taxable = [self.taxable(line, terms_charge, billed) for line in lines]
        return render(lines, taxable, mark, terms_charge)

    def taxable(
        self, line: DraftLine, priced: Priced, billed: tuple[Billed, ...] | None
    ) -> Taxable:
        """A line at today's rate, or at that of the bill that it corrects."""
        bill = corrects(line, billed) if billed else None
        if bill is not None:
            return Taxable(line.amount, bill.percent, bill)
        percent = self.taxing.percent(tax_code_of(priced.compiled.terms), self.exempt)
        return Taxable(line.amount, percent)


def _summed(
    found: Sequence[tuple[int, int, Rendered]], currency: str
) -> tuple[Decimal, Decimal, int]:
    """Net, tax, and how many lines."""
    net, tax, lines = _ZERO, _ZERO, 0
    for _, _, rendered in found:
        if rendered.currency != currency:
            raise WrongCurrency(f"a charge in {rendered.currency}, the account is {currency}")
        if rendered.lines:
            lines += rendered.lines
            net = EXACT.add(net, rendered.net)
            if rendered.tax:
                tax = EXACT.add(tax, rendered.tax)
    return net, tax, lines
