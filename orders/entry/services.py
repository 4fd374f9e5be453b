"""Enter an order without a quote: its prices are resolved and frozen, never typed."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import clock
from o2b.catalog.resolution import Resolution, carries_fixed_discount
from o2b.catalog.services import claim_fixed_discounts, freeze_terms
from o2b.customers.models import Account
from o2b.errors import Invalid
from orders.entry.days import check_days, check_priority
from orders.laying.services import NewLine, NewOrder, lock_account, write_orders
from orders.models import Order, Priority
from quotes.inputs import CheckedLine, LineInput, check_lines, translate_legacy
from quotes.selectors import price_lines
from quotes.together import NOTHING

LONGEST_NOTE = 2000
LONGEST_PO_NUMBER = 60


class AccountUnknown(Invalid):
    """No account has that key."""

    code = "account_unknown"


class DiscountNeedsQuote(Invalid):
    """A rep's own discount is a typed price; it needs an offer that somebody answers for."""

    code = "discount_needs_quote"


class NoteInvalid(Invalid):
    code = "note_invalid"


class PoNumberInvalid(Invalid):
    code = "po_number_invalid"


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
    translate: bool = False,
    already: Collection[str] = NOTHING,
    work_from: date | None = None,
    promised_on: date | None = None,
    priority: int = Priority.NORMAL,
    po_number: str = "",
) -> Order:
    """Order for an account at the prices that contract and books give it on that day.

    Work begins at once, or on the day `work_from`: when billing starts is another matter.
    With `translate`, as for a line marked as legacy, a retired product stands for the one that
    took its place; the order's note says so. `already` are the products that the account has.
    """
    try:
        account = lock_account(account_id=account_id, field="account")
    except Account.DoesNotExist as exc:
        message = _("There is no account %(account)s.")
        raise AccountUnknown(message % {"account": account_id}, field="account") from exc
    check_note(note)
    today = clock.day(account, at)
    check_days(today=today, work_from=work_from, promised_on=promised_on)
    wanted = translate_legacy(lines, every_line=translate)
    checked = check_lines(wanted, account=account, already=already)
    refuse_discounts(checked)
    resolutions = price_lines(
        account=account,
        wanted=[line.wanted for line in checked],
        on=today,
        start_on=start_on,
    ).resolutions
    order = NewOrder(
        account=account,
        lines=promised_lines(checked, resolutions),
        start_on=start_on,
        note="\n".join(filter(None, [note.strip(), *_translations(checked)])),
        work_from=work_from,
        promised_on=promised_on,
        priority=check_priority(priority),
        po_number=checked_po_number(po_number),
    )
    return write_orders(orders=[order], channel=channel, at=at, actor_id=actor_id)[0]


def promised_lines(
    checked: Sequence[CheckedLine], resolutions: Sequence[Resolution]
) -> list[NewLine]:
    """Lines under the Terms that are frozen here; what they carry of a contract is claimed."""
    terms = freeze_terms(resolutions)
    _claim(resolutions)
    return [
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
    ]


def _translations(lines: Sequence[CheckedLine]) -> list[str]:
    """Which lines of a legacy form are ordered as something else."""
    message = _("Line %(line)s: %(old)s is retired; ordered as %(new)s.")
    return [
        message % {"line": n, "old": line.translated_from, "new": line.product_version}
        for n, line in enumerate(lines, start=1)
        if line.translated_from
    ]


def check_note(note: str) -> None:
    if len(note) > LONGEST_NOTE or "\0" in note:
        message = _("A text of up to %(longest)s characters.")
        raise NoteInvalid(message % {"longest": LONGEST_NOTE}, field="note")


def checked_po_number(said: str) -> str:
    """The customer's number of an order, in one line; empty if there is none."""
    number = " ".join(said.split())
    if len(number) > LONGEST_PO_NUMBER or not number.isprintable():
        message = _("A number of up to %(longest)s characters.")
        raise PoNumberInvalid(message % {"longest": LONGEST_PO_NUMBER}, field="po_number")
    return number


def refuse_discounts(lines: Sequence[CheckedLine]) -> None:
    for index, line in enumerate(lines):
        if line.discount_percent:
            raise DiscountNeedsQuote(
                _("A discount of one's own needs a quote; an order takes the price that is valid."),
                field=f"lines[{index}].discount_percent",
            )


def _claim(resolutions: Sequence[Resolution]) -> None:
    """What the order carries of its contract's fixed monthly amount, no offer may carry too."""
    carriers = [r for r in resolutions if carries_fixed_discount(r.terms)]
    claim_fixed_discounts(contract_ids=[r.contract_id for r in carriers if r.contract_id])
