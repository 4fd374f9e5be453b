"""Meters: what usage is measured by, each with its versions, and the drafts of these."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.catalog import selectors
from o2b.catalog.forms.meters import MeterEditor, MeterForm, RetireMeterForm
from o2b.catalog.models import Meter, MeterVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.services import meters as services
from o2b.catalog.views.who import who
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.tables import Action, Column, ListPage

CHANGE, PUBLISH = "catalog.change_product", "catalog.publish"


class MeterList(ListPage):
    """Every meter."""

    permission = "catalog.view_product"
    title = gettext_lazy("Meters")
    columns = (
        Column("name", gettext_lazy("Meter"), sort="name", link=True, note="code"),
        Column("state", gettext_lazy("State"), value=selectors.meter_state, kind="badge"),
        Column(
            "aggregation",
            gettext_lazy("A period’s quantity is"),
            value="get_aggregation_display",
            sort="aggregation",
        ),
        Column("unit", gettext_lazy("Unit"), sort="unit"),
        Column("newest", gettext_lazy("Newest version"), kind="number", sort="newest"),
    )
    search = ("code", "name", "unit")
    search_hint = gettext_lazy("Code, name, unit…")
    states = (
        ("published", gettext_lazy("published")),
        ("draft", gettext_lazy("with a draft")),
        ("retired", gettext_lazy("retired")),
    )
    default_sort = "name"
    csv_name = "meters"
    actions = (Action(gettext_lazy("New meter"), "catalog:meter-new", permission=CHANGE),)
    empty = gettext_lazy("No meters yet. A meter says what an event of usage looks like.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.meters_for_list()

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == "published":
            return rows.filter(published=True)
        if state == "draft":
            return rows.filter(any_draft=True)
        return rows.filter(published=False, any_draft=False)


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A meter under a code of its own, with a first draft."""
    form = MeterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_meter(**form.cleaned_data, by=who(request), at=clock.now())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(meter)s is there as a draft.") % {"meter": made})
            return redirect("catalog:meter-edit", code=made.code, number=1)
    status = 422 if form.errors else 200
    return render(request, "catalog/meter_new.html", {"form": form}, status=status)


@door("catalog.view_product")
@require_GET
def meter(request: HttpRequest, code: str) -> HttpResponse:
    """What it measures now, its versions and what each changed, and the prices that use it."""
    found = Meter.objects.get(code=code)
    versions = selectors.versions_of_meter(found)
    # Where the versions of one day overlap, the one that was published last counts.
    row = selectors.meters_in_force(clock.today()).get(code)
    running = next((v for v in versions if row and v.pk == row.version_id), None)
    draft = next((v for v in versions if v.state == Lifecycle.DRAFT), None)
    pairs = zip(versions, [*versions[1:], None], strict=True)
    context = {
        "meter": found,
        "versions": [
            (version, selectors.meter_differences(before, version) if before else [], before)
            for version, before in pairs
        ],
        "running": running,
        "draft": draft,
        "shown": running or (versions[0] if versions else None),
        "uses": selectors.uses_of_meter(found),
        "retire_form": RetireMeterForm(initial={"on": clock.today()}),
        "may_change": request.user.has_perm(CHANGE),
        **_publication(request, draft),
    }
    return render(request, "catalog/meter.html", context)


def _publication(request: HttpRequest, draft: MeterVersion | None) -> dict[str, bool]:
    """Whether the person who looks may publish the draft, or must ask a colleague."""
    if draft is None:
        return {"may_publish": False, "must_ask": False}
    mine = draft.prepared_by_id is not None and draft.prepared_by_id == request.user.pk
    return {"may_publish": not mine and request.user.has_perm(PUBLISH), "must_ask": mine}


@door(CHANGE)
@require_POST
def draft(request: HttpRequest, code: str) -> HttpResponse:
    """Begin the next version as a copy of the newest one."""
    made = services.draft_version(code=code, by=who(request), at=clock.now())
    return redirect("catalog:meter-edit", code=code, number=made.number)


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def edit(request: HtmxRequest, code: str, number: int) -> HttpResponse:
    """Show the draft, add or take a dimension, or save all of it."""
    version = selectors.get_meter_version(code, number)
    if version.state != Lifecycle.DRAFT:
        messages.error(request, _("Only a draft can be edited."))
        return redirect(version.meter)
    if request.method == "GET":
        return _answer(request, MeterEditor.of(version), version)
    editor = MeterEditor.read(request.POST)
    deed = request.POST.get("do", "")
    if deed != "save":
        editor.rearrange(deed)
        return _answer(request, editor, version)
    if editor.form.is_valid() and _saved(request, editor, version):
        messages.success(request, _("%(version)s is saved.") % {"version": version})
        return redirect(version.meter)
    return _answer(request, editor, version, status=422)


def _saved(request: HttpRequest, editor: MeterEditor, version: MeterVersion) -> bool:
    try:
        services.edit_version(
            version_id=version.pk, by=who(request), at=clock.now(), **editor.told()
        )
    except Refused as refusal:
        editor.blame(refusal)
        return False
    return True


def _answer(
    request: HtmxRequest, editor: MeterEditor, version: MeterVersion, *, status: int = 200
) -> HttpResponse:
    context = {"editor": editor, "form": editor.form, "version": version, "meter": version.meter}
    template = "catalog/_meter_editor.html" if is_partial(request) else "catalog/meter_edit.html"
    return render(request, template, context, status=status)


@door(CHANGE)
@require_POST
def submit(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Ask a colleague to look at it and publish it."""
    version = selectors.get_meter_version(code, number)
    services.submit_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("It waits for a colleague to publish it."))
    return redirect(version.meter)


@door(PUBLISH)
@require_POST
def publish(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The second person makes the draft judge events."""
    version = selectors.get_meter_version(code, number)
    services.publish_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("%(version)s is published.") % {"version": version})
    return redirect(version.meter)


@door(CHANGE)
@require_POST
def discard(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Throw a draft away; with the only version goes its meter."""
    version = selectors.get_meter_version(code, number)
    services.discard_version(version_id=version.pk, by=who(request), at=clock.now())
    messages.success(request, _("The draft is gone."))
    if Meter.objects.filter(code=code).exists():
        return redirect("catalog:meter", code=code)
    return redirect("catalog:meter-list")


@door(CHANGE)
@require_POST
def retire(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """A version judges events of a day and later no more."""
    version = selectors.get_meter_version(code, number)
    form = RetireMeterForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect(version.meter)
    services.retire_version(
        version_id=version.pk, on=form.cleaned_data["on"], at=clock.now(), by=who(request)
    )
    messages.success(request, _("%(version)s is retired.") % {"version": version})
    return redirect(version.meter)
