"""What billing answers when a door of the ground asks."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing import selectors
from billing.adjustments.selectors.closing import ends_of, running_minimums
from billing.charges.selectors import billed_of
from billing.control.selectors import runs_to_look_at
from billing.families.selectors import has_family
from billing.invoices import selectors as invoices
from billing.models import Invoice, MinimumSpend, Payment
from billing.payers.selectors import waiting
from billing.payments import selectors as payments
from billing.runs.selectors.looking import bills_to_look_at
from billing.wallets.selectors import grants_to_approve
from o2b import clock
from o2b.asks import Affected, BilledSoFar, Card, Found, Impact, Panel, Standing, Trace
from o2b.catalog.publications import MOST_EXAMPLES
from o2b.customers.models import Account
from o2b.money import Money, quantise
from o2b.periods import add_months
from o2b.web.show import day_text, money_text, number_text

VIEW_RUNS, VIEW_INVOICES = "billing.view_billrun", "billing.view_invoice"
VIEW_PROMISES = "billing.view_promise"
APPROVE_GRANT = "billing.approve_grant"
LOOK_AT_BILLS = "billing.look_at_bills"
APPROVE_PAYERS = "billing.approve_payers"


def home_cards(user: Any) -> list[Card]:
    """What waits for finance: runs, parked accounts, money that is late; for advocates, bills."""
    looks = _look_cards(user)
    if not user.has_perm(VIEW_RUNS):
        return looks
    return [*_run_cards(), *_money_cards(), *_grant_cards(user), *_payers_cards(user), *looks]


def search(user: Any, text: str) -> list[Found]:
    """Invoices by number."""
    if not user.has_perm(VIEW_INVOICES):
        return []
    return [
        Found(
            kind=_("Credit note") if found.is_credit_note else _("Invoice"),
            title=found.number,
            url=found.get_absolute_url(),
            note=found.account.name,
        )
        for found in invoices.find_invoices(text=text)
    ]


def affected_by_publication(user: Any, version_id: int) -> list[Impact]:
    """Bill runs that are under way, none of which changes: a bill follows the Terms."""
    runs = selectors.runs_under_way()
    total = runs.count()
    if not total:
        return []
    reason = _("bills what is promised; the book is not asked")
    told = []
    if user.has_perm(VIEW_RUNS):
        told = [
            Affected("run", str(run), run.get_absolute_url(), False, reason)
            for run in runs[:MOST_EXAMPLES]
        ]
    return [Impact("run", _("Bill runs"), False, reason, total, told)]


def account_standing(account_id: int) -> list[Standing]:
    """What the account owes us, what of it is overdue, and what it has paid ahead."""
    account = Account.objects.select_related("test_clock").get(pk=account_id)
    balance = payments.account_balance(account)
    today = clock.today(account)
    return [
        Standing(
            owed=balance.open.amount,
            overdue=payments.overdue_amount(account, on=today).amount,
            credit=balance.credit.amount,
            limit=account.credit_limit,
            has_paid_a_bill=payments.has_paid_a_bill(account, on=today),
            currency=account.currency,
            billed_on=payments.billed_on(account),
        )
    ]


def account_closing(account_id: int) -> list[str]:
    """What becomes of each of its minimums."""
    running = running_minimums(account_id)
    if not running:
        return []
    account = running[0].account
    ends = ends_of(account, running, closed_on=clock.today(account))
    return [_minimum_ends(each, ends[each.pk]) for each in running]


def _minimum_ends(minimum: MinimumSpend, on: date | None) -> str:
    said = {"minimum": minimum, "text": minimum.text}
    if on is None:
        return (
            _(
                "The minimum %(minimum)s (%(text)s) ends with the last day of service; "
                "the final bill asks for what its last part lacks."
            )
            % said
        )
    return _(
        "The minimum %(minimum)s (%(text)s) holds until before %(day)s; "
        "the final bill asks for what its last part lacks."
    ) % (said | {"day": day_text(on)})


def traces(account_id: int) -> list[Trace]:
    """Money that was billed and money that came, both with their postings."""
    bills = Invoice.objects.filter(account=account_id).count()
    paid = Payment.objects.filter(account=account_id).count()
    billed = ngettext("%(n)s invoice was written", "%(n)s invoices were written", bills)
    came = ngettext("%(n)s payment was recorded", "%(n)s payments were recorded", paid)
    return [Trace(words % {"n": n}) for words, n in ((billed, bills), (came, paid)) if n]


def billed_so_far(item_ids: Sequence[int]) -> list[BilledSoFar]:
    """How far the charges of these items have been billed."""
    return billed_of(item_ids)


def account_panels(user: Any, account_id: int) -> list[Panel]:
    """Invoices and balance of the account, its family, who else pays, and its prepaid money."""
    if not user.has_perm(VIEW_INVOICES):
        return []
    family = []
    if has_family(account_id):
        family = [Panel(_("Family"), reverse("billing:of-account-family", args=[account_id]))]
    return [
        Panel(_("Invoices"), reverse("billing:of-account", args=[account_id])),
        *family,
        Panel(_("Payers"), reverse("billing:of-account-payers", args=[account_id])),
        Panel(_("Prepaid credit"), reverse("billing:of-account-wallet", args=[account_id])),
        Panel(
            _("Discounts and minimums"),
            reverse("billing:of-account-adjustments", args=[account_id]),
        ),
    ]


def order_panels(user: Any, order_id: int) -> list[Panel]:
    """What the order's lines were promised, and whether it is so."""
    if not user.has_perm(VIEW_PROMISES):
        return []
    return [Panel(_("Promises"), reverse("billing:of-order", args=[order_id]))]


def _run_cards() -> list[Card]:
    waiting, parked = selectors.waiting_for_approval().count(), selectors.parked_now()
    runs = reverse("billing:run-list")
    return [
        Card(
            _("Runs to approve"),
            number_text(waiting),
            f"{runs}?state=to_approve",
            tone="warn" if waiting else "",
        ),
        Card(_("Parked accounts"), number_text(parked), runs, tone="warn" if parked else ""),
    ]


def _money_cards() -> list[Card]:
    today = clock.today()
    first = today.replace(day=1)
    overdue = invoices.unpaid_by_currency(on=today)
    billed = invoices.billed_between(start=first, end=add_months(first, 1))
    bills = reverse("billing:invoice-list")
    return [
        Card(
            _("Overdue"), _amounts(overdue), f"{bills}?state=overdue", tone="bad" if overdue else ""
        ),
        Card(_("Billed this month, net"), _amounts(billed), bills),
    ]


def _grant_cards(user: Any) -> list[Card]:
    """Grants that wait for a second person; none where nothing waits."""
    waiting = grants_to_approve().count() if user.has_perm(APPROVE_GRANT) else 0
    if not waiting:
        return []
    grants = reverse("billing:wallet-grants")
    url = f"{grants}?state=asked"
    return [Card(_("Grants to approve"), number_text(waiting), url, tone="warn")]


def _look_cards(user: Any) -> list[Card]:
    """Bills that the advocate should see before they go; none where nothing waits."""
    if not user.has_perm(LOOK_AT_BILLS):
        return []
    waiting = sum(
        not bill.looked_at
        for run in runs_to_look_at()
        for bill in bills_to_look_at(run_id=run.pk, advocate_id=user.pk)
    )
    if not waiting:
        return []
    return [
        Card(_("Bills to look at"), number_text(waiting), reverse("billing:looks"), tone="warn")
    ]


def _payers_cards(user: Any) -> list[Card]:
    """Agreements of payers that wait for a second person; none where nothing waits."""
    count = waiting().count() if user.has_perm(APPROVE_PAYERS) else 0
    if not count:
        return []
    url = f"{reverse('billing:payers-list')}?state=asked"
    return [Card(_("Payers to approve"), number_text(count), url, tone="warn")]


def _amounts(rows: list[dict[str, Any]]) -> str:
    """One amount a currency."""
    amounts = (
        Money(quantise(row["amount"], row["currency"]), row["currency"])
        for row in rows
        if row["amount"] is not None
    )
    return " · ".join(money_text(amount) for amount in amounts) or "0"
