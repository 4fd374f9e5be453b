"""The price-book editor: a draft's prices as a grid, page by page, and each one as a plain form."""

import json
import re
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from o2b import clock
from o2b.catalog import selectors, services
from o2b.catalog.forms import PriceForm, grid
from o2b.catalog.forms.grid import CellFault
from o2b.catalog.models import Price, PriceBookVersion, Product
from o2b.catalog.views.who import who
from o2b.errors import Invalid, Refused
from o2b.web.http import door

CHANGE = "catalog.change_product"
PER_PAGE = 100
MOST_CODES = 2000
LONGEST_SEARCH = 200
MOST_NAMES = 12
LARGEST_KEY = 2**63
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")


class NotAGrid(Invalid):
    """A request that no grid of ours sends."""

    code = "not_a_grid"


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Show a page of the draft's prices; take the rows that were changed."""
    version = selectors.get_book_version(code, number)
    if version.state != "draft":
        if request.method == "POST":
            return _refused(_("%(version)s is no draft any more.") % {"version": version}, 409)
        messages.error(request, _("Only a draft can be edited."))
        return redirect("catalog:book", code=code)
    return _save(request, version) if request.method == "POST" else _page(request, version)


def _page(request: HttpRequest, version: PriceBookVersion) -> HttpResponse:
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    page = Paginator(_found(version, words), PER_PAGE).get_page(request.GET.get("page"))
    columns = grid.grid_columns(_matched(request, version))
    main = [column for column in columns if column.main]
    context = {
        "version": version,
        "book": version.book,
        "words": words,
        "page_obj": page,
        "query": f"q={words}&" if words else "",
        "columns": main,
        "told": json.dumps([column.told() for column in columns]),
        "new_row": json.dumps(grid.NEW_ROW),
        "unpriced": json.dumps({model: str(words) for model, words in grid.UNPRICED.items()}),
        "rows": [_row(price, main) for price in page.object_list],
        "products": Product.objects.order_by("code").values_list("code", "name")[:MOST_CODES],
        "names": _names_to_add(version, {column.name for column in columns}),
        "with": request.GET.getlist("with"),
    }
    return render(request, "catalog/grid.html", context)


def _found(version: PriceBookVersion, words: str) -> QuerySet[Price]:
    prices = selectors.prices_of(version)
    for word in words.split():
        prices = prices.filter(
            Q(product__code__icontains=word)
            | Q(product__name__icontains=word)
            | Q(key__icontains=word)
        )
    return prices


def _matched(request: HttpRequest, version: PriceBookVersion) -> list[str]:
    """The characteristics with a column: those in use, and those that were asked for."""
    asked = [name for name in request.GET.getlist("with") if NAME.fullmatch(name)]
    return sorted({*selectors.match_names(version), *asked[:MOST_NAMES]})


def _names_to_add(version: PriceBookVersion, there: set[str]) -> list[str]:
    names = selectors.characteristic_names()
    return [name for name in names if f"match.{name}" not in there]


def _row(price: Price, columns: list[grid.GridColumn]) -> dict[str, Any]:
    cells = grid.cells_of(price)
    return {
        "price": price,
        "told": json.dumps(cells, ensure_ascii=False),
        "cells": [(column, grid.shown(cells, column.name)) for column in columns],
    }


def _save(request: HttpRequest, version: PriceBookVersion) -> JsonResponse:
    """All changed rows, or none and what is wrong with which cell."""
    try:
        sent = _sent(request)
        faults = _write(request, version, sent)
    except Refused as refusal:
        return _refused(refusal.message, refusal.status)
    if faults:
        return JsonResponse({"faults": [asdict(fault) for fault in faults]}, status=422)
    count = len(sent)
    messages.success(
        request, ngettext("%(n)s row is saved.", "%(n)s rows are saved.", count) % {"n": count}
    )
    return JsonResponse({"saved": count})


def _refused(message: str, status: int) -> JsonResponse:
    return JsonResponse({"message": message}, status=status)


def _sent(request: HttpRequest) -> list[dict[str, Any]]:
    """[{id?, delete?, cells}]; what is of another form is refused, whoever sends it."""
    problem = NotAGrid(_("This is not what the grid sends."))
    try:
        rows = json.loads(request.body)["rows"]
        # Half a character is no text that Postgres could keep.
        json.dumps(rows, ensure_ascii=False).encode()
    except RequestDataTooBig as exc:
        raise NotAGrid(_("That is too much at once: save fewer rows.")) from exc
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise problem from exc
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise problem
    return rows


def _is_row(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    key = row.get("id")
    if key is not None and not (type(key) is int and 0 < key < LARGEST_KEY):
        return False
    cells = row.get("cells", {})
    return isinstance(cells, dict) and all(isinstance(text, str) for text in cells.values())


def _write(
    request: HttpRequest, version: PriceBookVersion, sent: list[dict[str, Any]]
) -> list[CellFault]:
    rows: list[dict[str, Any]] = []
    faults: list[CellFault] = []
    for index, each in enumerate(sent):
        if each.get("delete"):
            rows.append({"id": each.get("id"), "delete": True})
            continue
        row, unread = grid.row_of(index, each.get("cells", {}))
        faults += unread
        rows.append({"id": each["id"], **row} if each.get("id") else row)
    if faults:
        return faults
    found = services.edit_prices(version_id=version.pk, by=who(request), at=clock.now(), rows=rows)
    return [grid.fault_of(fault, _cells(fault.row, sent)) for fault in found]


def _cells(row: int | None, sent: list[dict[str, Any]]) -> dict[str, str]:
    """The cells of the row at fault, where it is one of those that were sent."""
    if row is None or not 0 <= row < len(sent):
        return {}
    cells: dict[str, str] = sent[row].get("cells", {})
    return cells


@door(CHANGE)
@require_http_methods(["GET", "POST"])
def price(request: HttpRequest, code: str, number: int, pk: int | None = None) -> HttpResponse:
    """One price of the draft as a form: to change, to take away, or a new one."""
    version = selectors.get_book_version(code, number)
    if version.state != "draft":
        messages.error(request, _("Only a draft can be edited."))
        return redirect("catalog:book", code=code)
    found = None if pk is None else selectors.prices_of(version).get(pk=pk)
    names = sorted({*selectors.match_names(version), *selectors.names_of_product(found)})
    initial = PriceForm.of(grid.cells_of(found) if found else None)
    form = PriceForm(request.POST or None, initial=initial, columns=grid.grid_columns(names))
    if request.method == "POST" and _taken(request, version, form, pk):
        return redirect("catalog:book-edit", code=code, number=number)
    context = {
        "version": version,
        "book": version.book,
        "price": found,
        "form": form,
        "products": Product.objects.order_by("code").values_list("code", "name")[:MOST_CODES],
    }
    status = 422 if form.errors else 200
    return render(request, "catalog/price.html", context, status=status)


def _taken(
    request: HttpRequest, version: PriceBookVersion, form: PriceForm, pk: int | None
) -> bool:
    """Whether the one row is written; else the form says why not."""
    remove = request.POST.get("do") == "remove"
    if not form.is_valid() and not remove:
        return False
    sent: dict[str, Any] = {"id": pk, "delete": True} if remove else {"cells": form.cells()}
    if pk is not None:
        sent["id"] = pk
    try:
        faults = _write(request, version, [sent])
    except Refused as refusal:
        form.add_error(None, refusal.message)
        return False
    if faults:
        form.blame(faults)
        return False
    messages.success(request, _("The price is gone.") if remove else _("The price is saved."))
    return True
