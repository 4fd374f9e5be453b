"""Enter an order without a quote: its prices are resolved and frozen, never typed."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock
from o2b.catalog.resolution import Resolution, contracts_of, resolve
from o2b.catalog.services import freeze_terms
from o2b.charging.terms import StartRule
from o2b.customers.models import Account
from o2b.errors import Invalid
from orders.laying.services import NewLine, lock_account, write_order
from orders.models import Order, OrderLine
from quotes.inputs import CheckedLine, LineInput, check_lines
from quotes.rules.totals import Priced, totals
from quotes.selectors import TooMuch, is_fixed_discount_taken

LONGEST_NOTE = 2000


class AccountUnknown(Invalid):
    """No account has that key."""

    code = "account_unknown"


class DiscountNeedsQuote(Invalid):
    """A rep's own discount is a typed price; it needs an offer that somebody answers for."""

    code = "discount_needs_quote"


class NoteInvalid(Invalid):
    code = "note_invalid"


@transaction.atomic
def enter_order(
    *,
    account_id: int,
    lines: Sequence[LineInput],
    at: datetime,
    actor_id: int | None,
    channel: str,
    start_on: date | None = None,
    note: str = "",
) -> Order:
    """Order for an account at the prices that contract and books give it on that day."""
    try:
        account = lock_account(account_id=account_id, field="account")
    except Account.DoesNotExist as exc:
        message = _("There is no account %(account)s.")
        raise AccountUnknown(message % {"account": account_id}, field="account") from exc
    _check_note(note)
    checked = check_lines(lines)
    _refuse_discounts(checked)
    resolutions = _resolve(account, checked, clock.day(account, at), start_on)
    terms = freeze_terms(resolutions)
    return write_order(
        account=account,
        channel=channel,
        lines=[
            NewLine(
                product_id=line.product_version.product_id,
                product_version_id=line.product_version.pk,
                quantity=line.quantity,
                characteristics=line.characteristics,
                terms_id=frozen.pk,
                book_version_id=resolution.book_version_id,
                contract_id=resolution.contract_id,
            )
            for line, resolution, frozen in zip(checked, resolutions, terms, strict=True)
        ],
        at=at,
        actor_id=actor_id,
        start_on=start_on,
        note=note.strip(),
    )


def _check_note(note: str) -> None:
    if len(note) > LONGEST_NOTE or "\0" in note:
        message = _("A text of up to %(longest)s characters.")
        raise NoteInvalid(message % {"longest": LONGEST_NOTE}, field="note")


def _refuse_discounts(lines: Sequence[CheckedLine]) -> None:
    for index, line in enumerate(lines):
        if line.discount_percent:
            raise DiscountNeedsQuote(
                _("A discount of one's own needs a quote; an order takes the price that is valid."),
                field=f"lines[{index}].discount_percent",
            )


def _resolve(
    account: Account, lines: Sequence[CheckedLine], on: date, start_on: date | None
) -> list[Resolution]:
    taken = is_fixed_discount_taken(account=account, on=on) or _is_taken_by_order(account, on)
    resolutions = resolve(
        account=account,
        wanted=[line.wanted for line in lines],
        on=on,
        start_rule=StartRule.ON_DATE if start_on else StartRule.ON_DELIVERY,
        fixed_discount_taken=taken,
    )
    sums = totals(
        [Priced(r.terms, r.quantity) for r in resolutions],
        currency=account.currency,
        starts_on=start_on or on,
        anchor_day=account.bill_day,
    )
    if sums.too_large:
        raise TooMuch(_("The order is larger than any invoice can be."), field="lines")
    return resolutions


def _is_taken_by_order(account: Account, on: date) -> bool:
    """Whether an order without a quote carries the contract's fixed monthly amount already."""
    carried = OrderLine.objects.filter(
        account=account,
        quote_line=None,
        contract=contracts_of(account=account, on=on).values("pk")[:1],
        terms__charges__discounts__contains=[{"kind": "amount"}],
    )
    return carried.exclude(state=OrderLine.State.CANCELLED).exists()
