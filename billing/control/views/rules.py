"""Fuses and rules of runs: all legal entities at a glance, and the form of one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing.control.forms import RulesForm
from billing.models import RunRules
from billing.runs.selectors import rules_of
from billing.runs.services.ruling import set_rules
from o2b import clock
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door

VIEW, SET = "billing.view_billrun", "billing.set_run_rules"


@door(VIEW)
@require_GET
def overview(request: HtmxRequest) -> HttpResponse:
    """Every seller with what holds for its runs."""
    own = RunRules.objects.in_bulk(field_name="legal_entity_id")
    rows = [
        (entity, own.get(entity.pk) or RunRules(legal_entity=entity), entity.pk in own)
        for entity in LegalEntity.objects.order_by("code")
    ]
    return render(request, "billing/control/rules.html", {"rows": rows})


@door(SET)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HtmxRequest, pk: int) -> HttpResponse:
    """Set what stops an account, and what marks it."""
    entity = get_object_or_404(LegalEntity, pk=pk)
    form = RulesForm(request.POST or None, initial=RulesForm.of(rules_of(entity.pk)))
    if request.method == "POST" and form.is_valid():
        try:
            set_rules(
                legal_entity_id=entity.pk,
                at=clock.now(),
                actor_id=request.user.pk,
                **form.cleaned_data,
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("Saved. What is drafted from now on obeys."))
            return redirect("billing:run-rules")
    context = {"entity": entity, "form": form}
    status = 422 if form.errors else 200
    return render(request, "billing/control/rules_edit.html", context, status=status)
