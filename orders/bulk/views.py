"""Orders by the sheet: try one, look at each row, place what is fit, watch it being placed."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from o2b import clock
from o2b.asks import held_by
from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.exchange.sheets import write_csv
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door, is_partial, turned_away
from o2b.web.tables import Column, ListPage
from o2b.web.uploads import blamed, refused_early
from orders.bulk import selectors, services
from orders.bulk.forms import SheetForm
from orders.bulk.sheet import COLUMNS, LARGEST_FILE, LAYOUT
from orders.bulk.wishes import cells_of
from orders.models import BulkOrder, BulkRow

ORDERS = "orders.place_order"
OUTCOME = BulkRow.Outcome
TONES = {OUTCOME.FIT: "go", OUTCOME.PLACED: "good", OUTCOME.REFUSED: "bad"}
EXAMPLE = (
    ("PO-1001", "A-1", "fibre", "1", "2026-12-01", "", "", "high", "Ring first", "150"),
    ("PO-1001", "A-1", "router", "2", "", "", "", "", "", ""),
    ("", "A-2", "fibre", "1", "", "2026-12-15", "2026-12-22", "", "", "500"),
)
EXAMPLE_COLUMNS = (
    "order",
    "account",
    "product",
    "quantity",
    "start_on",
    "work_from",
    "promised_on",
    "priority",
    "note",
    "characteristic.bandwidth_mbps",
)


class BulkList(ListPage):
    """The sheets that came, and the form that tries the next one."""

    permission = ORDERS
    title = gettext_lazy("Bulk orders")
    intro = gettext_lazy("A sheet is tried first; then what is fit is ordered, order by order.")
    template_name = "orders/bulk/list.html"
    columns = (
        Column("file_name", gettext_lazy("File"), sort="file_name", link=True),
        Column(
            "is_dry_run",
            gettext_lazy("State"),
            kind="badge",
            value=lambda each: state_of(each)[0],
            label=lambda each: state_of(each)[1],
            tone=lambda each: state_of(each)[2],
        ),
        Column("rows", gettext_lazy("Rows"), kind="number", sort="rows"),
        Column("orders_placed", gettext_lazy("Orders"), kind="number", sort="orders_placed"),
        Column("rejected", gettext_lazy("Rows refused"), kind="number", sort="rejected"),
        Column("by", gettext_lazy("By"), value=lambda each: each.by or ""),
        Column("at", gettext_lazy("When"), kind="moment", sort="at"),
    )
    search = ("file_name",)
    search_hint = gettext_lazy("File name…")
    default_sort = "-at"
    empty = gettext_lazy("No sheet of orders came yet.")
    form: SheetForm | None = None

    def get_rows(self) -> QuerySet[BulkOrder]:
        return selectors.bulks_for_list()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("faults", ())
        columns = [*COLUMNS, *(f"{beginning}…" for beginning in LAYOUT.many)]
        return super().get_context_data(form=self.form or SheetForm(), known=columns, **kwargs)

    @classmethod
    def too_large(cls, request: HttpRequest) -> HttpResponseBase:
        """The page with what is wrong with a file that was not read."""
        page = cls()
        page.setup(request)
        if away := turned_away(request, cls.permission):
            return away
        page.form = blamed(SheetForm(), _("The file is larger than 10 MB: order in parts."))
        return page._again((), status=413)

    def post(self, request: HtmxRequest) -> HttpResponse:
        """Try a sheet: to its page, or the form again with what is wrong."""
        self.form = SheetForm(request.POST, request.FILES)
        faults: tuple[Any, ...] = ()
        if self.form.is_valid():
            file = self.form.cleaned_data["file"]
            try:
                bulk = services.take_sheet(
                    stream=file.file,
                    file_name=file.name,
                    dry_run=True,
                    at=clock.now(),
                    by_id=request.user.pk,
                    already_of=held_by,
                )
            except SheetRefused as refusal:
                faults = refusal.faults
                self.form.add_error("file", _("Choose it again.") if faults else refusal.message)
            except Refused as refusal:
                show_refusal(self.form, refusal)
            else:
                return redirect(bulk)
        return self._again(faults, status=422)

    def _again(self, faults: tuple[Any, ...], *, status: int) -> HttpResponse:
        self.object_list = self.get_queryset()
        context = self.get_context_data(faults=faults)
        return render(self.request, self.template_name, context, status=status)


bulk_list = refused_early(LARGEST_FILE, BulkList.too_large)(BulkList.as_view())


class SheetPage(ListPage):
    """One sheet: how far it is, and what became of each row."""

    permission = ORDERS
    template_name = "orders/bulk/sheet.html"
    columns = (
        Column("number", gettext_lazy("Row"), sort="number"),
        Column("key", gettext_lazy("Reference"), sort=("key", "number")),
        Column("account", gettext_lazy("Account"), value=lambda row: _cell(row, "account")),
        Column(
            "product",
            gettext_lazy("Product"),
            value=lambda row: _cell(row, "product"),
            note=lambda row: _cell(row, "quantity") and f"× {_cell(row, 'quantity')}",
        ),
        Column(
            "outcome",
            gettext_lazy("Outcome"),
            kind="badge",
            sort=("outcome", "number"),
            label="get_outcome_display",
            tone=lambda row: TONES.get(row.outcome, ""),
        ),
        Column(
            "order",
            gettext_lazy("Order"),
            value=lambda row: row.order or "",
            link=lambda row: row.order.get_absolute_url() if row.order else "",
        ),
        Column("field", gettext_lazy("Column")),
        Column("problem", gettext_lazy("To mend")),
    )
    search_hint = gettext_lazy("Reference, account, product or problem…")
    state_field = "outcome"
    states = OUTCOME.choices
    default_sort = "number"
    csv_name = "bulk-order"
    empty = gettext_lazy("The sheet has no rows.")

    def get_rows(self) -> QuerySet[BulkRow]:
        return selectors.rows_of(self.bulk.pk)

    @cached_property
    def bulk(self) -> BulkOrder:
        return selectors.get_bulk(self.kwargs["pk"])

    def search_rows(self, rows: QuerySet[BulkRow], words: str) -> QuerySet[BulkRow]:
        return selectors.rows_that_say(rows, words)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        bulk = self.bulk
        return super().get_context_data(
            **{"title": bulk.file_name, "bulk": bulk, "state": state_of(bulk)} | kwargs
        )


@door(ORDERS)
@require_GET
def progress(request: HtmxRequest, pk: int) -> HttpResponse:
    """How far the sheet is; the page is renewed when it is over."""
    bulk = selectors.get_bulk(pk)
    if not is_partial(request):
        return redirect(bulk)
    if bulk.is_over:
        return HttpResponseClientRefresh()
    return render(request, "orders/bulk/_progress.html", {"bulk": bulk})


@door(ORDERS)
@require_POST
def place(request: HtmxRequest, pk: int) -> HttpResponse:
    """Order what is fit."""
    bulk = services.place_bulk(
        bulk_id=pk, at=clock.now(), by_id=request.user.pk, already_of=held_by
    )
    if bulk.is_over:
        n = bulk.orders_placed
        said = ngettext("%(n)s order is placed.", "%(n)s orders are placed.", n) % {"n": n}
        messages.success(request, said)
    return redirect(bulk)


@door(ORDERS)
@require_GET
def refused(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The refused rows as a sheet of their own, to be mended and tried."""
    bulk = selectors.get_bulk(pk)
    return _sheet(selectors.refused_sheet(pk), f"refused-{bulk.pk}")


@door(ORDERS)
@require_GET
def example(request: HttpRequest) -> StreamingHttpResponse:
    """A sheet to begin with."""
    return _sheet(write_csv(EXAMPLE_COLUMNS, EXAMPLE), "bulk-orders")


def state_of(bulk: BulkOrder) -> tuple[str, str, str]:
    """Where a sheet stands: a word, how it is said, its tone."""
    if not bulk.is_over:
        return "moving", _("being tried") if bulk.is_dry_run else _("being placed"), "go"
    if bulk.is_dry_run:
        return "tried", _("tried"), "warn" if bulk.rejected else ""
    return "placed", _("placed"), "warn" if bulk.rejected else "good"


def _sheet(pieces: Any, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _cell(row: BulkRow, name: str) -> str:
    return cells_of(row).get(name, "")
