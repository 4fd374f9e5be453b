"""Import in three steps (try, look, import as drafts), undo, and export."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from o2b import clock
from o2b.catalog.exchange import selectors, services
from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.forms import ImportForm
from o2b.catalog.exchange.report import Became, Result
from o2b.catalog.exchange.sheets import Form
from o2b.catalog.models import CatalogImport, CatalogUpload, PriceBook, PriceBookVersion
from o2b.catalog.models.exchange import SheetKind
from o2b.errors import Refused
from o2b.web.columns import Chip
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.tables import Column, ListPage

SEE = "catalog.view_product"
IMPORT = "catalog.change_product"
PER_PAGE = 50
MOST_BOOKS = 500
LONGEST_PAGE = 6
LONGEST_SEARCH = 200
TYPES = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TITLES = {
    Became.NEW: gettext_lazy("New"),
    Became.CHANGED: gettext_lazy("Changed"),
    Became.VANISHED: gettext_lazy("Gone"),
    Became.UNCHANGED: gettext_lazy("Unchanged"),
    Became.ERROR: gettext_lazy("Errors"),
}


class ImportList(ListPage):
    """What was imported, and the form that tries the next file."""

    permission = IMPORT
    title = gettext_lazy("Import and export")
    intro = gettext_lazy(
        "A sheet is tried first and written as drafts; somebody publishes them afterwards."
    )
    template_name = "catalog/exchange/imports.html"
    columns = (
        Column(
            "file_name",
            gettext_lazy("File"),
            sort="file_name",
            link=lambda each: reverse("catalog:imported", args=[each.pk]),
        ),
        Column("kind", gettext_lazy("Holds"), value="get_kind_display", sort="kind"),
        Column("rows", gettext_lazy("Rows"), kind="number", sort="rows"),
        Column("by", gettext_lazy("By"), value=lambda each: each.by or ""),
        Column("at", gettext_lazy("Imported"), kind="moment", sort="at"),
        Column("undone_at", gettext_lazy("Undone"), kind="moment", sort="undone_at"),
    )
    search = ("file_name",)
    search_hint = gettext_lazy("File name…")
    default_sort = "-at"
    empty = gettext_lazy("Nothing was imported yet.")
    form: ImportForm | None = None

    def get_rows(self) -> QuerySet[CatalogImport]:
        return selectors.imports_for_list()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        initial = {"valid_from": clock.today()}
        form = self.form or ImportForm(initial=initial)
        return super().get_context_data(
            form=form,
            new_book=form.says_new_book,
            books=PriceBook.objects.order_by("code").values_list("code", "name")[:MOST_BOOKS],
            versions=selectors.versions_for_export(),
            faults=kwargs.pop("faults", ()),
            **kwargs,
        )

    def post(self, request: HtmxRequest) -> HttpResponse:
        """Try a file: to its report, or the form again with what is wrong."""
        self.form = ImportForm(request.POST, request.FILES)
        faults: tuple[Any, ...] = ()
        if self.form.is_valid():
            file = self.form.cleaned_data["file"]
            try:
                upload = services.try_upload(
                    kind=self.form.cleaned_data["kind"],
                    stream=file.file,
                    file_name=file.name,
                    options=self.form.options(),
                    by_id=_who(request),
                    at=clock.now(),
                )
            except SheetRefused as refusal:
                faults = refusal.faults
                self.form.add_error("file", _("Choose it again.") if faults else refusal.message)
            except Refused as refusal:
                show_refusal(self.form, refusal)
            else:
                return redirect("catalog:import-report", pk=upload.pk)
        self.object_list = self.get_queryset()
        context = self.get_context_data(faults=faults)
        return render(request, self.template_name, context, status=422)


@door(IMPORT)
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HtmxRequest, pk: int) -> HttpResponse:
    """What a file that was tried would do; a POST imports it."""
    upload = selectors.get_upload(pk, user_id=_who(request))
    if request.method == "POST":
        done = services.import_upload(upload_id=pk, by_id=_who(request), at=clock.now())
        messages.success(request, _("Imported as drafts."))
        return redirect("catalog:imported", pk=done.import_id)
    told = upload.options.get("valid_from")
    valid_from = date.fromisoformat(told) if told else None
    context = {"upload": upload, "valid_from": valid_from, **_results(request, upload)}
    return _page(request, "catalog/exchange/report.html", context)


@door(IMPORT)
@require_GET
def imported(request: HtmxRequest, pk: int) -> HttpResponse:
    """What an import wrote, row by row, with the drafts that it made."""
    taken = selectors.get_import(pk)
    context = {
        "taken": taken,
        "made": [] if taken.undone_at else [_link(each) for each in selectors.made_by(taken)],
        **_results(request, taken),
    }
    return _page(request, "catalog/exchange/imported.html", context)


@door(IMPORT)
@require_POST
def undo(request: HtmxRequest, pk: int) -> HttpResponse:
    """Delete the drafts that an import made."""
    services.undo_import(import_id=pk, by_id=_who(request), at=clock.now())
    messages.success(request, _("The import was undone: its drafts are gone."))
    return redirect("catalog:imported", pk=pk)


@door(SEE)
@require_GET
def export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """A sheet that can be imported again: ?format=csv or xlsx, and for prices ?version=."""
    form = request.GET.get("format", Form.CSV)
    if kind not in SheetKind.values or form not in list(Form):
        raise Http404(kind)
    name, selection = kind, None
    if kind == SheetKind.BOOKS:
        told = request.GET.get("version", "")
        if not told.isdecimal() or len(told) > 18:
            raise Http404(told)
        version = PriceBookVersion.objects.select_related("book").get(pk=told)
        name, selection = f"{version.book.code}-v{version.number}", version.pk
    pieces = selectors.export_catalog(kind=kind, selection=selection, form=form)
    response = StreamingHttpResponse(pieces, content_type=TYPES[Form(form)])
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def _page(request: HtmxRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return render(
        request, "catalog/exchange/_results.html" if is_partial(request) else template, context
    )


def _results(request: HttpRequest, of: CatalogImport | CatalogUpload) -> dict[str, Any]:
    """The results that the address asks for: ?became=, ?q=, ?page=."""
    counts = of.report.get("counts", {})
    asked = request.GET.get("became", "")
    became = asked if asked in list(Became) else _first(counts)
    words = request.GET.get("q", "")[:LONGEST_SEARCH]
    told = request.GET.get("page", "")
    page = max(1, int(told)) if told.isdecimal() and len(told) < LONGEST_PAGE else 1
    rows, more = selectors.results_page(
        bytes(of.results),
        words=words,
        became=became,
        begin=(page - 1) * PER_PAGE,
        size=PER_PAGE,
    )

    def href(**changes: Any) -> str:
        query = request.GET.copy()
        for name, value in {"page": None, **changes}.items():
            query.pop(name, None)
            if value:
                query[name] = str(value)
        return f"{request.path}?{query.urlencode()}"

    return {
        "results": [_beside_its_number(row) for row in rows],
        "became": became,
        "words": words,
        "chips": [
            Chip(f"{TITLES[each]} {counts[each]}", href(became=each), each == became)
            for each in Became
            if counts.get(each)
        ],
        "previous_href": page > 1 and href(page=page - 1),
        "next_href": more and href(page=page + 1),
        "errors": counts.get(Became.ERROR, 0),
        "gone": counts.get(Became.VANISHED, 0),
        "writes": any(counts.get(b) for b in (Became.NEW, Became.CHANGED, Became.VANISHED)),
    }


def _beside_its_number(result: Result) -> Result:
    """A fault without its row, which has a column of its own."""
    row = _("row %(row)s") % {"row": result.row}
    return result._replace(new=result.new.removeprefix(f"{row}, "))


def _first(counts: dict[str, int]) -> str:
    """What to show first: errors, then what changes."""
    order = (Became.ERROR, Became.CHANGED, Became.NEW, Became.VANISHED)
    return next((each for each in order if counts.get(each)), Became.UNCHANGED)


def _link(made: Any) -> dict[str, Any]:
    """A draft and the page it is looked at on."""
    if isinstance(made, PriceBookVersion):
        url = reverse("catalog:book", args=[made.book.code])
    elif hasattr(made, "account_id"):
        url = reverse("catalog:contract", args=[made.pk])
    else:
        url = reverse("catalog:product", args=[made.product.code])
    return {"text": str(made), "url": url, "state": made.state}


def _who(request: HttpRequest) -> int:
    """The person at the door, who is logged in."""
    return int(request.user.pk or 0)
