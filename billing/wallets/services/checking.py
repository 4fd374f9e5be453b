"""Whether a product may be ordered by itself to refill a wallet, and how much one order brings."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from o2b.charging import Kind
from o2b.customers.models import Account
from o2b.errors import Invalid, Refused
from o2b.money import Money, quantise, sum_of
from quotes.inputs import CheckedLine, LineInput, check_lines
from quotes.selectors import price_lines
from quotes.together import NOTHING


class TopUpInvalid(Invalid):
    code = "top_up_invalid"


def checked_refill(
    account: Account,
    product: str,
    quantity: Decimal,
    *,
    on: date,
    already: Collection[str] = NOTHING,
) -> tuple[CheckedLine, Money]:
    """The line as the account would order it on a day, and the money that it would bring.

    Raises TopUpInvalid: what it may not order, what costs something every month, and what brings
    no money.
    """
    try:
        lines = [LineInput(product, quantity)]
        (line,) = check_lines(lines, account=account, already=already)
        priced = price_lines(account=account, wanted=[line.wanted], on=on, start_on=None)
    except Refused as refusal:
        field = "quantity" if str(refusal.field).endswith("quantity") else "product"
        raise TopUpInvalid(refusal.message, field=field) from refusal
    charges = priced.resolutions[0].terms.charges
    if any(each.kind is Kind.RECURRING for each in charges):
        message = _("%(product)s costs something every month: each order would add to it for good.")
        raise TopUpInvalid(message % {"product": product}, field="product")
    grants = [each.grant for each in charges if each.grant and each.grant.is_money]
    if not grants:
        message = _("%(product)s brings no prepaid money.")
        raise TopUpInvalid(message % {"product": product}, field="product")
    brought = sum_of(
        quantise(each.units * (line.quantity if each.per_unit else 1), account.currency)
        for each in grants
    )
    return line, Money(brought, account.currency)
