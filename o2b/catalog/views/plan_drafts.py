"""The draft of a delivery plan: begun, edited as rows, read from a file, handed to a colleague."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import PlanEditor, PlanFile, shown_editor
from o2b.catalog.handed_in import kinds_to_choose, known_kinds, queues_to_choose
from o2b.catalog.models import DeliveryPlan, Product
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.plan_surroundings import faults_of_draft, what_may_be_asked
from o2b.catalog.plans.documents import MOST_BYTES
from o2b.catalog.plans.drawn import picture_of_plan
from o2b.catalog.plans.expressions import is_expression
from o2b.catalog.plans.picture import Picture
from o2b.catalog.plans.trying import faults_of_expression
from o2b.catalog.views.plans import CHANGE, plan_url
from o2b.catalog.views.who import who
from o2b.errors import Refused
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.uploads import blamed, refused_early


@door(CHANGE)
@require_POST
def draft(request: HtmxRequest, code: str) -> HttpResponse:
    """Begin the next version as a copy of the newest one."""
    made = services.draft_plan(code=code, by=who(request), at=clock.now())
    return redirect("catalog:plan-edit", code=code, number=made.number)


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def edit(request: HtmxRequest, code: str, number: int) -> HttpResponse:
    """Show the draft, add, take, move or copy a row, or save all of it."""
    plan = selectors.get_plan(code, number)
    if plan.state != Lifecycle.DRAFT:
        messages.error(request, _("A published plan stands: begin a new version."))
        return redirect(plan_url(plan))
    if request.method == "GET":
        editor = PlanEditor.of(plan)
        if plan.tasks:
            editor.blame(faults_of_draft(plan, kinds=known_kinds()))
        return _answer(request, editor, plan)
    editor = PlanEditor.read(request.POST)
    deed = request.POST.get("do", "")
    if deed == "save":
        return _save(request, editor, plan)
    editor.rearrange(deed)
    return _answer(request, editor, plan)


def _save(request: HtmxRequest, editor: PlanEditor, plan: DeliveryPlan) -> HttpResponse:
    try:
        faults = services.edit_plan(
            plan_id=plan.pk,
            by=who(request),
            at=clock.now(),
            seen=editor.seen,
            kinds=known_kinds(),
            **editor.told(),
        )
    except Refused as refusal:
        editor.general.append(refusal.message)
        return _answer(request, editor, plan, status=refusal.status)
    if not faults:
        messages.success(request, _("%(plan)s is saved.") % {"plan": plan})
        return redirect(plan_url(plan))
    text = ngettext(
        "Saved. %(n)s thing is to be mended before it can be published.",
        "Saved. %(n)s things are to be mended before it can be published.",
        len(faults),
    )
    messages.warning(request, text % {"n": len(faults)})
    plan.refresh_from_db()
    editor = PlanEditor.of(plan)
    editor.blame(faults)
    return _answer(request, editor, plan)


def _answer(
    request: HtmxRequest, editor: PlanEditor, plan: DeliveryPlan, *, status: int = 200
) -> HttpResponse:
    kinds = kinds_to_choose()
    context: dict[str, Any] = {
        "editor": editor,
        "shown": shown_editor(editor),
        "picture": _picture(editor),
        "plan": plan,
        "product": plan.product,
        "names": sorted(what_may_be_asked(plan.product).names),
        "kinds": kinds,
        "queues": queues_to_choose(),
        "plan_url": plan_url(plan),
    }
    template = "catalog/_plan_editor.html" if is_partial(request) else "catalog/plan_edit.html"
    return render(request, template, context, status=status)


def _picture(editor: PlanEditor) -> Picture | None:
    """The steps as they stand in the form, saved or not."""
    tasks = editor.told()["tasks"]
    return picture_of_plan(tasks) if tasks else None


@door(CHANGE)
@require_GET
def check(request: HtmxRequest, code: str) -> HttpResponse:
    """What is wrong with an expression while it is typed: the one field that was sent."""
    product = Product.objects.get(code=code)
    name = next(iter(request.GET), "")
    text = request.GET.get(name, "").strip()
    expression = text if name.endswith("-when") else ""
    if not name.endswith("-when") and is_expression(text):
        expression = text[1:]
    faults = faults_of_expression(expression, what_may_be_asked(product)) if expression else []
    context = {
        "sound": bool(expression) and not faults,
        "faults": [services.words_of_plan_fault(fault) for fault in faults],
    }
    return render(request, "catalog/_plan_check.html", context)


@door(CHANGE)
def _too_large(request: HtmxRequest, code: str) -> HttpResponse:
    form = blamed(PlanFile(), _("The file is larger than 500 kB."))
    context = {"product": Product.objects.get(code=code), "form": form, "faults": []}
    return render(request, "catalog/plan_import.html", context, status=413)


@refused_early(MOST_BYTES, _too_large)
@door(CHANGE)
@require_POST
def read_in(request: HtmxRequest, code: str) -> HttpResponse:
    """Read an exported plan into the draft: all of it, or nothing and what is wrong with it."""
    product = Product.objects.get(code=code)
    form = PlanFile(request.POST, request.FILES)
    faults: list[str] = []
    if form.is_valid():
        document = form.cleaned_data["file"].read(MOST_BYTES + 1)
        try:
            made = services.import_plan(
                code=code,
                document=document,
                by=who(request),
                at=clock.now(),
                kinds=known_kinds(),
            )
        except Refused as refusal:
            several = getattr(refusal, "faults", ()) or [refusal]
            faults = [
                f"{one.field} — {one.message}" if one.field else one.message for one in several
            ]
            form.add_error("file", _("Nothing was read in."))
        else:
            messages.success(request, _("%(plan)s holds what the file said.") % {"plan": made})
            return redirect(plan_url(made))
    context = {"product": product, "form": form, "faults": faults}
    return render(request, "catalog/plan_import.html", context, status=422)


@door(CHANGE)
@require_POST
def submit(request: HtmxRequest, code: str, number: int) -> HttpResponse:
    """Ask a colleague to look at it and publish it."""
    plan = selectors.get_plan(code, number)
    services.submit_plan(plan_id=plan.pk, by=who(request), at=clock.now(), kinds=known_kinds())
    messages.success(request, _("It waits for a colleague to publish it."))
    return redirect(plan_url(plan))


@door(CHANGE)
@require_POST
def discard(request: HtmxRequest, code: str, number: int) -> HttpResponse:
    """Throw a draft away."""
    plan = selectors.get_plan(code, number)
    services.discard_plan(plan_id=plan.pk, by=who(request), at=clock.now())
    messages.success(request, _("The draft is gone."))
    return redirect("catalog:plans", code=code)
