"""Files of usage: upload one, say how it is read, load it, watch it, look at every row."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.request import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh

from o2b import clock
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial, turned_away
from o2b.web.tables import Column, ListPage
from o2b.web.uploads import blamed, refused_early
from subscriptions.models import FileState, RowStatus, UsageFile, UsageFileRow
from subscriptions.usage.files import selectors, services, shown
from subscriptions.usage.files.forms import FileForm, MappingForm, initial_of, zones
from subscriptions.usage.files.rules.mapping import Mapping, read_mapping
from subscriptions.usage.files.sheet import LARGEST_FILE, UTF8
from subscriptions.usage.selectors import meters_to_judge_by

SEE, SEND = "subscriptions.see_usage", "subscriptions.send_usage"


class FileList(ListPage):
    """The files that came, how far each is, and the form that takes the next one."""

    permission = SEE
    title = gettext_lazy("Usage files")
    intro = gettext_lazy("Files of usage and call records, and what became of their rows.")
    template_name = "subscriptions/usage/files/list.html"
    columns = (
        Column(
            "file_name",
            gettext_lazy("File"),
            sort="file_name",
            link=True,
            note="get_shape_display",
        ),
        Column(
            "state",
            gettext_lazy("State"),
            kind="badge",
            sort="state",
            label=shown.state_label,
            tone=shown.state_tone,
        ),
        Column("rows", gettext_lazy("Rows"), kind="number", sort="rows"),
        Column("accepted", gettext_lazy("Accepted"), kind="number", sort="accepted"),
        Column("duplicate", gettext_lazy("Duplicates"), kind="number", sort="duplicate"),
        Column("pending", gettext_lazy("Waiting"), kind="number", sort="pending"),
        Column("rejected", gettext_lazy("Rejected"), kind="number", sort="rejected"),
        Column("skipped", gettext_lazy("Skipped"), kind="number", sort="skipped"),
        Column("by", gettext_lazy("By"), value=lambda each: each.by or ""),
        Column("at", gettext_lazy("When"), kind="moment", sort="at"),
    )
    search = ("file_name",)
    search_hint = gettext_lazy("File name…")
    state_field = "state"
    states = FileState.choices
    default_sort = "-at"
    empty = gettext_lazy("No file of usage came yet.")
    form: FileForm | None = None

    def get_rows(self) -> QuerySet[UsageFile]:
        return selectors.files_for_list()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_send = self.request.user.has_perm(SEND)
        form = (self.form or FileForm()) if may_send else None
        return super().get_context_data(form=form, **kwargs)

    @classmethod
    def too_large(cls, request: HttpRequest) -> HttpResponseBase:
        """The page with what is wrong with a file that was not read."""
        page = cls()
        page.setup(request)
        if away := turned_away(request, SEND):
            return away
        page.form = blamed(FileForm(), _("The file is larger than 100 MB: load it in parts."))
        return page._again(status=413)

    def post(self, request: HtmxRequest) -> HttpResponseBase:
        """Keep a file: on to its mapping, or the form again with what is wrong."""
        if away := turned_away(request, SEND):
            return away
        self.form = FileForm(request.POST, request.FILES)
        if self.form.is_valid():
            said = self.form.cleaned_data
            try:
                file = services.take_file(
                    stream=said["file"].file,
                    file_name=said["file"].name,
                    at=clock.now(),
                    by_id=request.user.pk,
                    shape=said["shape"],
                    encoding=said["encoding"] or UTF8,
                )
            except Refused as refusal:
                show_refusal(self.form, refusal)
            else:
                return redirect("subscriptions:usage-file-mapping", pk=file.pk)
        return self._again(status=422)

    def _again(self, *, status: int) -> HttpResponse:
        self.object_list = self.get_queryset()
        return render(self.request, self.template_name, self.get_context_data(), status=status)


usage_files = refused_early(LARGEST_FILE, FileList.too_large)(FileList.as_view())


class FilePage(ListPage):
    """One file: to be confirmed, on its way, or what became of each of its rows."""

    permission = SEE
    template_name = "subscriptions/usage/files/file.html"
    columns = (
        Column("number", gettext_lazy("Row"), sort="number"),
        Column("key", gettext_lazy("Id"), sort=("key", "number")),
        Column(
            "status",
            gettext_lazy("Status"),
            kind="badge",
            sort=("status", "number"),
            label="get_status_display",
            tone=lambda row: shown.ROW_TONES[RowStatus(row.status)],
        ),
        Column("code", gettext_lazy("Code")),
        Column("field", gettext_lazy("Field")),
        Column("message", gettext_lazy("Message")),
    )
    search = ("key", "message", "code")
    search_hint = gettext_lazy("Id, code or message…")
    state_field = "status"
    states = RowStatus.choices
    default_sort = "number"
    csv_name = "usage-rows"
    empty = gettext_lazy("No row is loaded yet.")

    def get_rows(self) -> QuerySet[UsageFileRow]:
        return selectors.results_of(self.file.pk)

    @cached_property
    def file(self) -> UsageFile:
        return selectors.get_file(self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        file = self.file
        context = {
            "title": file.file_name,
            "file": file,
            "may_send": self.request.user.has_perm(SEND),
            "state": (file.state, shown.state_label(file), shown.state_tone(file)),
            "figures": shown.figures(file),
            "mapping": shown.told_mapping(file.mapping) if file.mapping else (),
            "before": selectors.loaded_before(file),
        }
        if file.state == FileState.UPLOADED and file.mapping:
            mapping = read_mapping(file.mapping)
            context["preview"] = selectors.preview(file, mapping, at=clock.now())
        return super().get_context_data(**context | kwargs)


@door(SEND)
@require_http_methods(["GET", "HEAD", "POST"])
def mapping(request: HtmxRequest, pk: int) -> HttpResponse:
    """How a file is read: suggested, tried on its first rows, and said."""
    file = selectors.get_file(pk)
    if file.state != FileState.UPLOADED:
        return redirect(file)
    meters = meters_to_judge_by()
    names = selectors.dimension_names(meters)
    given = {"columns": file.columns, "meters": sorted(meters), "dimensions": names}
    if request.method != "POST":
        tried = _first_mapping(file, request.GET.get("kept", ""))
        form = MappingForm(initial=initial_of(tried, names), **given)
        return _mapping_page(request, file, form, tried)
    form = MappingForm(request.POST, **given)
    meant = "next" in request.POST
    if meant and form.is_valid() and _is_mapped(file, form, by_id=request.user.pk):
        return redirect(file)
    said = form.mapping() if form.is_valid() else None
    return _mapping_page(request, file, form, said, status=422 if meant else 200)


def _mapping_page(
    request: HtmxRequest,
    file: UsageFile,
    form: MappingForm,
    tried: Mapping | None,
    *,
    status: int = 200,
) -> HttpResponse:
    """The page with the first rows as the mapping reads them; htmx gets those rows alone."""
    fits = tried and not selectors.is_amiss(tried, file.columns)
    context = {
        "file": file,
        "form": form,
        "kept": selectors.kept_mappings(file),
        "preview": selectors.preview(file, tried, at=clock.now()) if tried and fits else None,
        "zones": zones(),
    }
    template = "_preview" if is_partial(request) else "mapping"
    return render(request, f"subscriptions/usage/files/{template}.html", context, status=status)


def _first_mapping(file: UsageFile, asked: str) -> Mapping:
    """A kept one that is asked for, what was said before, or what seems likely."""
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0
    kept = selectors.kept_mappings(file).filter(pk=number).first() if number else None
    told = kept.mapping if kept else file.mapping
    return read_mapping(told) if told else selectors.suggested_mapping(file)


def _is_mapped(file: UsageFile, form: MappingForm, *, by_id: int | None) -> bool:
    """Whether the service took the mapping; if not, the form says why."""
    try:
        services.map_file(
            file_id=file.pk,
            mapping=form.mapping(),
            at=clock.now(),
            by_id=by_id,
            keep_as=form.cleaned_data["keep_as"],
        )
    except Refused as refusal:
        show_refusal(form, refusal)
        return False
    return True


@door(SEND)
@require_POST
def start(request: HtmxRequest, pk: int) -> HttpResponse:
    """Load the file, or go on with it."""
    return redirect(services.start_file(file_id=pk, at=clock.now(), by_id=request.user.pk))


@door(SEND)
@require_POST
def stop(request: HtmxRequest, pk: int) -> HttpResponse:
    """Stop after the part that is being loaded."""
    return redirect(services.stop_file(file_id=pk, at=clock.now(), by_id=request.user.pk))


@door(SEE)
@require_GET
def progress(request: HtmxRequest, pk: int) -> HttpResponse:
    """How far the file is; the page is renewed when it is over."""
    file = selectors.get_file(pk)
    if not is_partial(request):
        return redirect(file)
    if not file.is_running:
        return HttpResponseClientRefresh()
    return render(request, "subscriptions/usage/files/_progress.html", {"file": file})
