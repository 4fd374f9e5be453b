"""Pages of payments: the list, and the form that records one."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from billing.forms import PaymentForm, initial_payment, written
from billing.invoices import selectors as invoices
from billing.models import Payment
from billing.payments import selectors, services
from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door
from o2b.web.show import money_text
from o2b.web.tables import Action, Column, ListPage

RECORD = "billing.record_payment"


class PaymentList(ListPage):
    """Money received, the newest first."""

    permission = RECORD
    title = gettext_lazy("Payments")
    columns = (
        Column("number", gettext_lazy("Payment"), value=str, sort="pk", kind="code"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link="account.get_absolute_url",
        ),
        Column("received_on", gettext_lazy("Received"), sort="received_on", kind="day"),
        Column("method", gettext_lazy("Method"), sort="method"),
        Column("reference", gettext_lazy("Reference"), sort="reference"),
        Column("amount", gettext_lazy("Amount"), sort="amount", kind="money", currency="currency"),
        Column(
            "credit", gettext_lazy("Unallocated"), sort="credit", kind="money", currency="currency"
        ),
        Column("recorded_by", gettext_lazy("Recorded by")),
    )
    search = ("pk", "reference", "account__name", "account__reference")
    search_hint = gettext_lazy("Number, account or reference…")
    default_sort = "-received_on"
    csv_name = "payments"
    actions = (Action(gettext_lazy("Record a payment"), "billing:payment-new", permission=RECORD),)
    empty = gettext_lazy("No payments yet.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.payments_for_list()


@door(RECORD)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest) -> HttpResponse:
    """Record a payment; what is known of ?account= or ?invoice= stands there already."""
    account, invoice = _asked_for(request)
    if request.method != "POST":
        form = PaymentForm(initial=_prefilled(account, invoice))
        return _page(request, form, account, invoice)
    form = PaymentForm(request.POST)
    if form.is_valid():
        try:
            payment = _record(request, form, invoice)
        except Refused as refusal:
            form.add_error(form.field_of(refusal.field), refusal.message)
        else:
            return _recorded(request, payment, invoice)
    return _page(request, form, account, invoice, status=422)


@door(RECORD)
@require_POST
def use_credit(request: HtmxRequest, pk: int) -> HttpResponse:
    """Settle open invoices with what earlier payments left over."""
    account = invoices.account_of(account_id=pk)
    made = services.use_credit(account_id=pk, at=clock.now(account), actor_id=request.user.pk)
    if made:
        messages.success(request, _("The credit is allocated."))
    else:
        messages.info(request, _("There is no credit, or nothing is open."))
    return redirect(account)


def _asked_for(request: HtmxRequest) -> tuple[Account | None, Any]:
    """The account or invoice that the form was opened from; unknown ids are a 404."""
    if invoice_id := _key(request, "invoice"):
        invoice = invoices.invoice(invoice_id=invoice_id, on=clock.today())
        return invoice.account, invoice
    if account_id := _key(request, "account"):
        return invoices.account_of(account_id=account_id), None
    return None, None


def _key(request: HtmxRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _prefilled(account: Account | None, invoice: Any) -> dict[str, Any]:
    """An invoice asks for what is open on it, an account for what it owes."""
    owed: Decimal | None = None
    if invoice is not None:
        owed = invoice.open_amount
    elif account is not None:
        owed = selectors.account_balance(account).open.amount
    today: date = clock.today(account)
    return initial_payment(
        account=account.reference if account else None,
        amount=written(owed, account.currency) if account and owed else None,
        on=today,
        reference=invoice.number if invoice is not None else None,
    )


def _record(request: HtmxRequest, form: PaymentForm, invoice: Any) -> Payment:
    """For an invoice the money goes there first, what is left to the oldest due."""
    said = form.cleaned_data
    account: Account = said["account"]
    told = None
    if invoice is not None and invoice.account_id == account.pk and invoice.open_amount > 0:
        told = {invoice.pk: min(said["amount"], invoice.open_amount)}
    return services.record_payment(
        account_id=account.pk,
        amount=said["amount"],
        on=said["on"],
        method=said["method"],
        reference=said["reference"],
        at=clock.now(account),
        actor_id=request.user.pk,
        allocations=told,
    )


def _recorded(request: HtmxRequest, payment: Payment, invoice: Any) -> HttpResponse:
    text = _("%(payment)s over %(amount)s is recorded.")
    amount = money_text(payment.amount, payment.currency)
    messages.success(request, text % {"payment": payment, "amount": amount})
    if invoice is not None:
        return redirect(invoice)
    return redirect("billing:payment-list")


def _page(
    request: HtmxRequest,
    form: PaymentForm,
    account: Account | None,
    invoice: Any,
    *,
    status: int = 200,
) -> HttpResponse:
    back = invoice.get_absolute_url() if invoice is not None else reverse("billing:payment-list")
    context = {"form": form, "account": account, "invoice": invoice, "back": back}
    return render(request, "billing/payment_new.html", context, status=status)
