"""Delivery plans to look at: versions, picture, what changed, the dry run, the file."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import DryRun, PlanFile
from o2b.catalog.handed_in import known_kinds, queues_to_choose
from o2b.catalog.models import DeliveryPlan, Product
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.plan_surroundings import around_of, faults_of_draft, shown_version
from o2b.catalog.plans import ExpressionBroken, Facts, PlanBroken, check_plan
from o2b.catalog.plans.documents import write_document
from o2b.catalog.plans.drawn import picture_of_plan, picture_of_rehearsal
from o2b.catalog.plans.faults import each_of
from o2b.catalog.plans.links import Around
from o2b.catalog.plans.rehearsal import Beside, rehearse
from o2b.catalog.views.who import who
from o2b.web.http import door
from o2b.web.tables import Action, Column, ListPage

SEE, CHANGE, PUBLISH = "catalog.view_product", "catalog.change_product", "catalog.publish"
MOST_FAULTS = 20
EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


class PlanList(ListPage):
    """Every version of every plan."""

    permission = SEE
    title = gettext_lazy("Delivery plans")
    columns = (
        Column(
            "product",
            gettext_lazy("Product"),
            sort="product__name",
            link=lambda plan: plan_url(plan),
            note="product.code",
        ),
        Column("number", gettext_lazy("Version"), kind="number", sort="number"),
        Column("state", gettext_lazy("State"), kind="badge", sort="state"),
        Column("steps", gettext_lazy("Steps"), kind="number", sort="steps"),
        Column("prepared_by", gettext_lazy("Prepared by"), value=lambda p: p.prepared_by or ""),
        Column(
            "submitted_at",
            gettext_lazy("Submitted"),
            kind="moment",
            sort="submitted_at",
            may_be_empty=True,
        ),
        Column(
            "published_at",
            gettext_lazy("Published"),
            kind="day",
            sort="published_at",
            may_be_empty=True,
        ),
    )
    search = ("product__code", "product__name")
    search_hint = gettext_lazy("Code or name of the product…")
    state_field = "state"
    states = tuple(Lifecycle.choices)
    default_sort = "product"
    csv_name = "delivery-plans"
    actions = (Action(gettext_lazy("Tree"), "catalog:tree", primary=False),)
    empty = gettext_lazy("No delivery plans yet.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.plans_for_list()


@door(SEE)
@require_GET
def plans(request: HttpRequest, code: str) -> HttpResponse:
    """The versions of a product's plan."""
    product = Product.objects.get(code=code)
    versions = selectors.plans_of(product)
    context = {
        "product": product,
        "pairs": list(zip(versions, [*versions[1:], None], strict=True)),
        "draft": next((v for v in versions if v.state == Lifecycle.DRAFT), None),
        "in_force": next((v for v in versions if v.state == Lifecycle.PUBLISHED), None),
        "may_change": request.user.has_perm(CHANGE),
        "file_form": PlanFile(),
    }
    return render(request, "catalog/plans.html", context)


@door(SEE)
@require_GET
def plan(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """One version: as a picture and in words, and for a draft the way to its publication."""
    found = selectors.get_plan(code, number)
    draft = found.state == Lifecycle.DRAFT
    mine = found.prepared_by_id is not None and found.prepared_by_id == request.user.pk
    faults = faults_of_draft(found, kinds=known_kinds()) if draft else []
    versions = selectors.plans_of(found.product)
    before = next((v for v in versions if v.number < number), None)
    context = {
        "plan": found,
        "product": found.product,
        "picture": picture_of_plan(found.tasks),
        "steps": _steps_in_words(found),
        "parts": _parts_in_words(found),
        "before": before,
        "sections": selectors.plan_differences(before, found) if before else [],
        "faults": [services.plan_fault_in_words(fault) for fault in faults[:MOST_FAULTS]],
        "more_faults": max(len(faults) - MOST_FAULTS, 0),
        "is_draft": draft,
        "in_force": next((v for v in versions if v.state == Lifecycle.PUBLISHED), None) == found,
        "may_change": request.user.has_perm(CHANGE),
        "may_publish": draft and not mine and not faults and request.user.has_perm(PUBLISH),
        "may_submit": draft and mine and not found.submitted_at and not faults,
        "must_ask": draft and mine,
    }
    return render(request, "catalog/plan.html", context)


@door(SEE)
@require_GET
def compare(request: HttpRequest, code: str) -> HttpResponse:
    """What differs between two versions: ?from= and ?to= are their numbers."""
    product = Product.objects.get(code=code)
    versions = selectors.plans_of(product)
    if not versions:
        raise DeliveryPlan.DoesNotExist(f"{product} has no plans")
    by_number = {str(version.number): version for version in versions}
    after = by_number.get(request.GET.get("to", ""), versions[0])
    earlier = next((v for v in versions if v.number < after.number), after)
    before = by_number.get(request.GET.get("from", ""), earlier)
    context = {
        "product": product,
        "versions": versions,
        "before": before,
        "after": after,
        "sections": selectors.plan_differences(before, after),
    }
    return render(request, "catalog/plan_compare.html", context)


@door(SEE)
@require_GET
def dry_run(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """What would be laid for a line of this quantity and kind, what left out, and what it costs."""
    found = selectors.get_plan(code, number)
    version = shown_version(found.product)
    around = around_of(code, found.tasks)
    form = DryRun(None, plan=found, version=version, around=around)
    asked = bool(request.GET)
    data = request.GET if asked else _defaults(form)
    form = DryRun(data, plan=found, version=version, around=around)
    context: dict[str, Any] = {"plan": found, "product": found.product, "version": version}
    status = 200
    if form.is_valid():
        context |= _tried(found, form, version.number if version else 1, around)
    elif asked:
        status = 422
    else:
        form = DryRun(None, plan=found, version=version, around=around)
    return render(request, "catalog/plan_try.html", context | {"form": form}, status=status)


@door(SEE)
@require_GET
def export(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The plan as a JSON file."""
    found = selectors.get_plan(code, number)
    text = write_document(code, number, found.tasks, found.components)
    response = HttpResponse(text, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="plan-{code}-v{number}.json"'
    return response


@door(PUBLISH)
@require_POST
def publish(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The second person makes it the plan of new orders."""
    found = selectors.get_plan(code, number)
    services.publish_delivery_plan(
        plan_id=found.pk, by=who(request), at=clock.now(), kinds=known_kinds()
    )
    messages.success(request, _("%(plan)s is published.") % {"plan": found})
    return redirect(plan_url(found))


def plan_url(found: DeliveryPlan) -> str:
    """Where a plan is looked at."""
    return reverse("catalog:plan", args=[found.product.code, found.number])


def _defaults(form: DryRun) -> QueryDict:
    """The line that is tried before anybody has said anything."""
    data = QueryDict(mutable=True)
    for name in form.fields:
        value = form.get_initial_for_field(form.fields[name], name)
        choices = [key for key, _label in getattr(form.fields[name], "choices", ())]
        if isinstance(value, list):
            data.setlist(name, [str(each) for each in value])
        elif value is None and "" in choices:
            data[name] = str(next((key for key in choices if key != ""), ""))
        else:
            data[name] = "" if value is None else str(value)
    return data


def _tried(found: DeliveryPlan, form: DryRun, version: int, around: Around) -> dict[str, Any]:
    """The dry run, or why it fails as an order would."""
    said = form.cleaned_data
    facts = Facts(found.product.code, version, said["quantity"], form.characteristics)
    beside = [*said.get("beside", ()), *filter(None, [said.get("parent")])]
    parts = set(around.parts.get(found.product.code, ())).intersection(beside)
    there = around.neighbours
    keys = {code: there[code].known_keys for code in beside if code in there}
    rates = {queue.code: queue.hourly_rate for queue in queues_to_choose()}
    try:
        check_plan(found.tasks)
        tried = rehearse(
            found.tasks,
            found.components,
            facts,
            rates=rates,
            beside=Beside(said.get("parent") or "", parts, keys),
        )
    except (ExpressionBroken, PlanBroken) as fault:
        return {"fails": str(fault)}
    return {"tried": tried, "picture": picture_of_rehearsal(tried)}


def _steps_in_words(found: DeliveryPlan) -> list[dict[str, Any]]:
    """Each step with what is said of it beside its name, kind and place."""
    shown = {"key", "name", "kind", "queue", "handler", "after", "when", "point_of_no_return"}
    return [
        {
            "key": step.get("key", ""),
            "name": step.get("name") or step.get("key", ""),
            "is_automatic": step.get("kind") == "automatic",
            "where": step.get("queue") or step.get("handler") or "",
            "when": step.get("when") or "",
            "is_point": step.get("point_of_no_return") is True,
            "after": selectors.value_words(step.get("after") or ""),
            "said": [
                selectors.said_words(name, step[name])
                for name in selectors.settings_of(step)
                if name not in shown and step[name] not in EMPTY
            ],
        }
        for step in (at.said for at in each_of(found.tasks))
    ]


def _parts_in_words(found: DeliveryPlan) -> list[dict[str, Any]]:
    return [
        {
            "name": part.get("name") or part.get("key"),
            "quantity": selectors.value_words(part.get("quantity", 1)),
            "characteristics": selectors.value_words(part.get("characteristics") or {}),
        }
        for part in (at.said for at in each_of(found.components))
    ]
