"""By difference: what coupons and minimums should have given, less what they have given.

A correction bears the tax rate of what it corrects, and its tax is a difference too.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from billing.adjustments.rules.bases import with_drafted
from billing.adjustments.rules.facts import AccountFacts, Base, Given, Key
from billing.adjustments.rules.targets import Target, discounts, true_ups, waits
from billing.documents.rules.places import home_of
from billing.documents.rules.splitting import billing_charges
from billing.rules.adjustments import COUPON, MINIMUM, Adjustment
from billing.rules.drafting import AccountDraft
from billing.rules.rendering import Rendered, with_taxes
from o2b.charging.tax import TaxRounding
from o2b.charging.taxing import Corrects, Taxable, taxes_of
from o2b.money import EXACT, sum_of

_ZERO = Decimal(0)
NO_SPLIT: Mapping[int, str] = MappingProxyType({})
NOTHING = AccountDraft((), _ZERO, _ZERO, 0)


class _Untaxed(NamedTuple):
    row: Adjustment
    taxable: Taxable


def adjusted(
    draft: AccountDraft | None,
    facts: AccountFacts,
    *,
    currency: str,
    until: date,
    percent: Callable[[str], Decimal | None],
    per: TaxRounding = TaxRounding.LINE,
    apart: Mapping[int, str] = NO_SPLIT,
) -> AccountDraft | None:
    """A draft (None: nothing was due) with its adjustments; None if nothing is to be billed.

    `percent` asks the tax rate of a code. Each adjustment names the charge that it belongs to.
    `apart` says on which document of the account a charge stands, where there are several.
    """
    bases = with_drafted(facts, draft)
    found = _differences(facts, bases, currency, until, percent)
    if not found:
        return draft
    draft = draft or NOTHING
    taxes, charges = _taxed(draft, found, currency, per, apart)
    rows = tuple(each.row._replace(tax=tax) for each, tax in zip(found, taxes, strict=True))
    return draft._replace(
        charges=charges,
        net=EXACT.add(draft.net, sum_of(row.amount for row in rows)),
        tax=EXACT.add(sum_of(each.tax for _, _, each in charges), sum_of(row.tax for row in rows)),
        adjustments=rows,
    )


def _differences(
    facts: AccountFacts,
    bases: Sequence[Base],
    currency: str,
    until: date,
    percent: Callable[[str], Decimal | None],
) -> list[_Untaxed]:
    targets = discounts(facts.coupons, bases, currency)
    off: dict[tuple[int, date], Decimal] = {}
    for (_, _, charge, start), taken in targets.items():
        of = charge or 0, start
        off[of] = EXACT.add(off.get(of, _ZERO), taken.amount)
    spent = [(base, off.get((base.charge, base.period_start), _ZERO)) for base in bases]
    targets |= true_ups(facts.minimums, spent, until=until, currency=currency)
    known = {(base.charge, base.period_start): base for base in bases}
    texts: dict[tuple[str, int], tuple[str, str]] = {
        (COUPON, each.grant): (each.text, "") for each in facts.coupons
    }
    texts |= {(MINIMUM, each.id): (each.text, each.tax_code) for each in facts.minimums}
    found = []
    waiting = {key for key in facts.given if waits(key, facts.minimums, until=until)}
    for key in sorted((targets.keys() | facts.given.keys()) - waiting, key=_order):
        given = facts.given.get(key)
        target = targets.get(key)
        if target is None:
            end = given.period_end if given else key[3]
            target = Target(_ZERO, end, {"left": "0"} if key[0] == COUPON else {"billed": None})
        if target.amount == (given.amount if given else _ZERO):
            continue
        base = known.get((key[2] or 0, key[3]))
        text, code = texts.get(key[:2], ("", ""))
        rate = _rate_of(given, base, code, percent)
        found.append(_untaxed(key, target, given, base, text, rate))
    return found


def _order(key: Key) -> tuple[bool, int, int, date]:
    """Discounts before minimums, in the order in which they were granted."""
    kind, source, charge, start = key
    return kind != COUPON, source, charge or 0, start


def _rate_of(
    given: Given | None,
    base: Base | None,
    code: str,
    percent: Callable[[str], Decimal | None],
) -> tuple[str, Decimal | None]:
    """That of what it corrects, else of the line that it reduces, else of its own code today.

    What was given and taken back altogether is given anew.
    """
    if given is not None and (given.amount or given.tax or (base is None and not code)):
        return given.tax_code, given.percent
    if base is not None:
        return base.tax_code, base.percent
    return code, percent(code)


def _untaxed(
    key: Key,
    target: Target,
    given: Given | None,
    base: Base | None,
    text: str,
    rate: tuple[str, Decimal | None],
) -> _Untaxed:
    kind, source, charge, start = key
    code, percent = rate
    before = given.amount if given else _ZERO
    amount = EXACT.subtract(target.amount, before)
    corrects = given is not None or (base is not None and base.billed)
    row = Adjustment(
        kind,
        source,
        charge,
        start,
        target.period_end,
        given.revision + 1 if given else 1,
        amount,
        code,
        percent or _ZERO,
        _ZERO,
        text,
        {**target.basis, "before": f"{before:f}", "corrects": corrects},
    )
    bill = None
    if corrects:
        bill = Corrects(percent or _ZERO, given.tax if given else _ZERO, target.amount)
    return _Untaxed(row, Taxable(amount, percent, bill))


def _taxed(
    draft: AccountDraft,
    found: Sequence[_Untaxed],
    currency: str,
    per: TaxRounding,
    apart: Mapping[int, str],
) -> tuple[Sequence[Decimal], tuple[tuple[int, int, Rendered], ...]]:
    """The taxes of the adjustments; what is rounded together is so with the lines of a document."""
    own = [each.taxable for each in found]
    if per is TaxRounding.LINE:
        return taxes_of(own, currency=currency), draft.charges
    lines = [line for _, _, rendered in draft.charges for line in rendered.taxable]
    papers = _papers(draft, [each.row for each in found], apart)
    taxes = _taxes_apart([*lines, *own], papers, currency, per)
    each_line = iter(taxes)
    charges = tuple(
        (charge, revision, with_taxes(rendered, [next(each_line) for _ in rendered.taxable]))
        for charge, revision, rendered in draft.charges
    )
    return taxes[len(lines) :], charges


def _papers(draft: AccountDraft, rows: Sequence[Adjustment], apart: Mapping[int, str]) -> list[str]:
    """The document of each line and then of each adjustment; all on one where nothing is split."""
    if not apart:
        return [""] * (draft.lines + len(rows))
    home = home_of(billing_charges(draft), rows, apart)
    papers = [
        apart.get(charge, "") for charge, _, rendered in draft.charges for _ in rendered.taxable
    ]
    return papers + [home if row.charge is None else apart.get(row.charge, "") for row in rows]


def _taxes_apart(
    lines: Sequence[Taxable], papers: Sequence[str], currency: str, per: TaxRounding
) -> list[Decimal]:
    """The tax of each, rounded together with what stands on the same document."""
    taxes = [_ZERO] * len(lines)
    for paper in dict.fromkeys(papers):
        places = [i for i, each in enumerate(papers) if each == paper]
        own = taxes_of([lines[i] for i in places], currency=currency, per=per)
        for i, tax in zip(places, own, strict=True):
            taxes[i] = tax
    return taxes
