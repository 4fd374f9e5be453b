"""A family's document as one: its tax is rounded once, and its sum may jump as a bill's may."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from billing.rules.adjustments import Adjustment
from billing.rules.drafting import AccountDraft
from billing.rules.rendering import with_taxes
from o2b.charging.tax import TaxRounding
from o2b.charging.taxing import Taxable, taxes_of
from o2b.money import EXACT, sum_of


def taxed_as_one(
    drafts: Sequence[AccountDraft], *, currency: str, per: TaxRounding
) -> list[AccountDraft]:
    """These drafts, in the order of their document, with their shares of its tax.

    What corrects an earlier bill keeps the tax that it has: that is a difference, and hangs on
    nothing beside it.
    """
    taxable: list[Taxable] = []
    for draft in drafts:
        taxable += [line for _, _, rendered in draft.charges for line in rendered.taxable]
        taxable += [Taxable(row.amount, row.percent) for row in draft.adjustments if _is_new(row)]
    taxes = iter(taxes_of(taxable, currency=currency, per=per))
    return [_retaxed(draft, taxes) for draft in drafts]


def is_jump(before: Decimal, now: Decimal, most: Decimal, above: Decimal) -> bool:
    """More than so many times the last bills, and by more than `above`; net amounts."""
    return before > 0 and now > EXACT.multiply(before, most) and EXACT.subtract(now, before) > above


def _retaxed(draft: AccountDraft, taxes: Iterator[Decimal]) -> AccountDraft:
    charges = tuple(
        (charge, revision, with_taxes(rendered, [next(taxes) for _ in rendered.taxable]))
        for charge, revision, rendered in draft.charges
    )
    rows = tuple(
        row._replace(tax=next(taxes)) if _is_new(row) else row for row in draft.adjustments
    )
    tax = EXACT.add(
        sum_of(rendered.tax for _, _, rendered in charges), sum_of(row.tax for row in rows)
    )
    return draft._replace(charges=charges, adjustments=rows, tax=tax)


def _is_new(row: Adjustment) -> bool:
    return not row.basis.get("corrects")
