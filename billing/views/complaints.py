"""A complaint about an invoice becomes one about the order line behind it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.invoices import selectors
from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import door
from orders.care.forms import ComplaintForm
from orders.care.services import open_complaint
from orders.care.tracking import choices_of
from orders.models import Complaint


@door("billing.view_invoice")
@require_http_methods(["GET", "HEAD", "POST"])
def complain(request: HttpRequest, pk: int) -> HttpResponse:
    """Which line of the invoice, and what is wrong with it; ?line= stands there already."""
    invoice = selectors.invoice(invoice_id=pk, on=clock.today())
    lines = choices_of(selectors.order_lines_behind(invoice_id=pk))
    data = request.POST if request.method == "POST" else None
    asked = {"line": request.GET.get("line", "")[:20]}
    form = ComplaintForm(data, initial=asked, lines=lines)
    if form.is_valid():
        try:
            complaint = open_complaint(
                line_id=form.cleaned_data["line"],
                name=form.cleaned_data["name"],
                text=form.cleaned_data["text"],
                source=Complaint.Source.INVOICE,
                about=invoice.number,
                at=clock.now(invoice.account),
                actor_id=request.user.pk,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            said = _("The complaint is taken down. %(owner)s owns it.")
            messages.success(request, said % {"owner": complaint.owner})
            return redirect(invoice)
    context = {"form": form, "invoice": invoice}
    status = 422 if form.errors else 200
    return render(request, "billing/complain.html", context, status=status)
