"""The page of the rules: what they say, in which order, and what each would match now."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from orders.fallout import selectors, services
from orders.fallout.doorstep import MANAGES
from orders.fallout.forms import RuleForm
from orders.models import FalloutRule

MOST_SHOWN = 10


@door(MANAGES)
@require_GET
def rule_list(request: HtmxRequest) -> HttpResponse:
    """Every rule, with how many tasks in fallout it speaks for now."""
    speaks_for = selectors.spoken_for()
    rules = FalloutRule.objects.select_related("queue").order_by("position")
    rows = [(rule, speaks_for.get(rule.pk, 0)) for rule in rules]
    context = {"rows": rows, "unmatched": speaks_for.get(None, 0)}
    return render(request, "orders/fallout_rules.html", context)


@door(MANAGES)
@require_http_methods(["GET", "POST"])
def rule_new(request: HtmxRequest) -> HttpResponse:
    return _editor(request, None)


@door(MANAGES)
@require_http_methods(["GET", "POST"])
def rule_edit(request: HtmxRequest, pk: int) -> HttpResponse:
    return _editor(request, FalloutRule.objects.get(pk=pk))


def _editor(request: HttpRequest, rule: FalloutRule | None) -> HttpResponse:
    """Save it, or try it: which tasks in fallout it would match."""
    if request.method == "GET":
        form = RuleForm.of(rule) if rule else RuleForm()
        return _shown(request, form, rule)
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, rule, status=422)
    if "try" in request.POST:
        tried = FalloutRule(**form.rule())
        return _shown(request, form, rule, found=selectors.matched_by(tried))
    try:
        saved = services.save_rule(rule_id=rule.pk if rule else None, **form.rule())
    except Refused as refusal:
        show_refusal(form, refusal)
        return _shown(request, form, rule, status=422)
    messages.success(request, _("Rule %(n)s is saved.") % {"n": saved.position})
    return redirect("orders:fallout-rules")


def _shown(
    request: HttpRequest,
    form: RuleForm,
    rule: FalloutRule | None,
    *,
    found: Any = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "rule": rule, "tried": found is not None}
    if found is not None:
        context |= {"matching": found.count(), "matched": found[:MOST_SHOWN]}
    return render(request, "orders/fallout_rule.html", context, status=status)


@door(MANAGES)
@require_POST
def rule_move(request: HtmxRequest, pk: int) -> HttpResponse:
    services.move_rule(rule_id=pk, up=request.POST.get("to") != "down")
    return redirect("orders:fallout-rules")


@door(MANAGES)
@require_POST
def rule_switch(request: HtmxRequest, pk: int) -> HttpResponse:
    services.switch_rule(rule_id=pk, on=request.POST.get("on") == "1")
    return redirect("orders:fallout-rules")
